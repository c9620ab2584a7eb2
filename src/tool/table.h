/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The table of lgalloc top: a line for each size class, from one reading or from two. */
#ifndef LG_TOOL_TABLE_H
#define LG_TOOL_TABLE_H

#include "tool/column.h"
#include "tool/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Of a terminal's lines, those that are left to the classes in any case. */
enum { LG_CLASS_LINES = 4 };

struct lg_table {
	const struct lg_reading *now;
	const struct lg_reading *before; /* read with RATES only */
	enum lg_column_mode mode;
	size_t sort;    /* of lg_table_column */
	bool idle;      /* also classes with nothing in use or free, and no allocation */
	bool bold;      /* a heading in a terminal's reverse */
	unsigned width; /* columns that are too much are left out, the less important first; 0: none */
	unsigned height; /* lines at most, of which the last says what is left out; 0: all */
};

/* Seconds between the two readings; 0 or less: no rates can be told from them. */
double lg_table_seconds(const struct lg_reading *before, const struct lg_reading *now);

/* The place of a column by its key. False: there is none, and `keys` has those that there are. */
bool lg_table_column(const char *key, size_t *column);
const char *lg_table_keys(void);

/* Those of them that fit, as the table shows them. */
struct lg_columns lg_table_columns(const struct lg_table *table, const struct lg_column *columns,
				   size_t count);

void lg_table_print(FILE *to, const struct lg_table *table);

#endif
