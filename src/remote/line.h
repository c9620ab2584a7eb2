/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What others wrote, servers and files, and goes into the lines of a request. */
#ifndef LG_REMOTE_LINE_H
#define LG_REMOTE_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* It has nothing that ends a line or a text: as a header's value it stays one. */
static inline bool lg_line_holds(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
			return false;
	return true;
}

#endif
