/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Lines in order, as sort(1) leaves them with LC_ALL=C: a search that reads a page for each halving. */
#ifndef URL_SORTED_H
#define URL_SORTED_H

#include <stddef.h>

/*
 * Where the first line begins that is not less than `prefix` in its first `length` bytes; `size` if there is none. Lines
 * end in a newline, but the last need not.
 */
size_t sorted_find(const char *text, size_t size, const char *prefix, size_t length);

#endif
