/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a printed table has in a row under a heading. Words only: what they stand below is not looked at. */
#ifndef UNIT_TOOL_CELLS_H
#define UNIT_TOOL_CELLS_H

#include "unit/unit.h"

enum { CELLS_TEXT_BYTES = 20000, CELLS_COLUMNS = 32 };

/* Word `column` of the line whose first word is `first`; "" if either is not there. */
static inline const char *cells_word(const char *text, const char *first, unsigned column)
{
	static char copy[CELLS_TEXT_BYTES], found[32];
	char *rest, *inner;

	strcpy(copy, text);
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *one = strtok_r(line, " ", &inner);

		if (one == NULL || strcmp(one, first) != 0)
			continue;
		for (unsigned i = 0; i < column && one != NULL; i++)
			one = strtok_r(NULL, " ", &inner);
		snprintf(found, sizeof(found), "%s", one != NULL ? one : "");
		return found;
	}
	return "";
}

/* `first`: the first of the headings. */
static inline const char *cells_get(const char *text, const char *first, const char *row,
				    const char *heading)
{
	for (unsigned column = 0; column < CELLS_COLUMNS; column++)
		if (strcmp(cells_word(text, first, column), heading) == 0)
			return cells_word(text, row, column);
	return "";
}

static inline unsigned cells_lines(const char *text)
{
	unsigned count = 0;

	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	return count;
}

#endif
