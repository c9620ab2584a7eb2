/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The files of AWS's tools: sections in brackets, `key = value` lines, comments behind # or ; at a line's
 * start. Indented lines belong to the value above and are passed over.
 */
#ifndef LG_REMOTE_PROFILE_H
#define LG_REMOTE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The last value of `key` in the sections of this name. False: there is none that fits and is text, and *value is
 * unchanged. `text` need not end with a zero.
 */
bool lg_profile_find(const char *text, size_t length, const char *section, const char *key,
		     char *value, size_t capacity);

/* A file in memory. */
struct lg_profile {
	char *text;
	size_t length;
};

/* -ENOENT: there is none; other -errno in words. A file of more than 1 MiB is none of AWS's: -EFBIG. */
int lg_profile_read(const char *path, struct lg_profile *profile);

/* Wipes it: there are secrets in it. */
void lg_profile_end(struct lg_profile *profile);

#endif
