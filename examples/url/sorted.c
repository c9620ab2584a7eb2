/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sorted.h"

#include <string.h>

/* The end of the line that `at` is in: its newline, or the text's end. */
static size_t line_end(const char *text, size_t size, size_t at)
{
	const char *newline = memchr(text + at, '\n', size - at);

	return newline != NULL ? (size_t)(newline - text) : size;
}

static size_t line_start(const char *text, size_t at)
{
	const char *newline = at > 0 ? memrchr(text, '\n', at) : NULL;

	return newline != NULL ? (size_t)(newline - text) + 1 : 0;
}

static int compare(const char *line, size_t line_length, const char *prefix, size_t length)
{
	int order = memcmp(line, prefix, line_length < length ? line_length : length);

	return order != 0 ? order : line_length < length ? -1 : 0;
}

size_t sorted_find(const char *text, size_t size, const char *prefix, size_t length)
{
	size_t low = 0,
	       high = size; /* lines that begin before low are less; those from high on are not */

	while (low < high) {
		size_t start = line_start(text, low + (high - low) / 2);
		size_t end = line_end(text, size, start);

		if (compare(text + start, end - start, prefix, length) < 0)
			low = end < size ? end + 1 : size;
		else
			high = start;
	}
	return low;
}
