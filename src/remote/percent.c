/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/percent.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_plain(char c, const char *keep)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && (strchr("-._~", c) != NULL || strchr(keep, c) != NULL);
}

int lg_percent_encode(const char *text, size_t length, const char *keep, char *encoded,
		      size_t capacity)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (capacity < 4 || used > capacity - 4)
			return -ENAMETOOLONG;
		if (is_plain(text[i], keep)) {
			encoded[used++] = text[i];
			continue;
		}
		encoded[used++] = '%';
		encoded[used++] = digits[c >> 4];
		encoded[used++] = digits[c & 15];
	}
	if (used >= capacity)
		return -ENAMETOOLONG;
	encoded[used] = '\0';
	return (int)used;
}
