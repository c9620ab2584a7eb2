/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Percent-encoding (RFC 3986, 2.1), with upper case digits as signatures want them. */
#ifndef LG_REMOTE_PERCENT_H
#define LG_REMOTE_PERCENT_H

#include <stddef.h>

/*
 * The text, of which all bytes but letters, digits, "-._~" and those of `keep` are encoded; ended by a zero. Its
 * length, or -ENAMETOOLONG.
 */
int lg_percent_encode(const char *text, size_t length, const char *keep, char *encoded,
		      size_t capacity);

#endif
