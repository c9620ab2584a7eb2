/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Columns of a table: what a record has at an offset, shown as it is, as a rate between two readings, or as the
 * share of another counter of the same record.
 */
#ifndef LG_TOOL_COLUMN_H
#define LG_TOOL_COLUMN_H

#include "tool/figure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum lg_column_kind {
	LG_COLUMN_NAME,        /* characters, up to a zero; cut to the width */
	LG_COLUMN_SIZE,        /* bytes; 0 is the total of all */
	LG_COLUMN_COUNT,       /* a gauge */
	LG_COLUMN_BYTES,       /* a gauge */
	LG_COLUMN_EVENTS,      /* a counter */
	LG_COLUMN_EVENT_BYTES, /* a counter */
	LG_COLUMN_SHARE,       /* a counter, in percent of the one at `whole` */
};

/* What is left out first where the terminal is narrow has the highest rank. */
struct lg_column {
	const char *key; /* to sort by; NULL where nothing is sorted */
	const char *heading;
	enum lg_column_kind kind;
	unsigned width;
	unsigned rank;
	size_t offset; /* of a uint64_t, or of characters */
	size_t whole;
};

/* What counters are shown as. */
enum lg_column_mode {
	LG_COLUMN_TOTALS,  /* counts since the process began */
	LG_COLUMN_RATES,   /* by second, between two readings */
	LG_COLUMN_WAITING, /* rates that are not known: "-" */
};

struct lg_columns {
	const struct lg_column *all; /* 32 at most */
	size_t count;
	enum lg_column_mode mode;
	double seconds; /* between the readings; read with RATES only */
	bool bold;      /* the heading in a terminal's reverse */
	uint32_t shown; /* bit i: column i, by lg_columns_choose */
};

/* A record now and at the reading before. */
struct lg_row {
	const void *now;
	const void *before; /* read with RATES only */
};

/* As many as fit into `width`; 0: all. */
void lg_columns_choose(struct lg_columns *columns, unsigned width);

void lg_columns_print_heading(FILE *to, const struct lg_columns *columns);
void lg_columns_print_row(FILE *to, const struct lg_columns *columns, const struct lg_row *row);

/* The number a column shows of the row. False: it is not known. */
bool lg_column_value(const struct lg_columns *columns, const struct lg_column *column,
		     const struct lg_row *row, double *value);

/* How much the counter at the offset rose. False: that is not known, or it fell, as after a restart. */
bool lg_columns_rise(const struct lg_columns *columns, const struct lg_row *row, size_t offset,
		     double *by);

#endif
