/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The outcomes to look at: as text for a terminal or as Markdown. */
#ifndef BENCH_TABLE_PRINT_H
#define BENCH_TABLE_PRINT_H

#include "runner/suite.h"

#include <stdio.h>

enum table_style { TABLE_TEXT, TABLE_MARKDOWN };

void table_row(FILE *to, const struct suite *suite, size_t row, enum table_style style);

/* All rows that have outcomes. */
void table_write(FILE *to, const struct suite *suite, enum table_style style);

/* Three significant digits, "-" for NAN. */
void table_number(char *text, size_t bytes, double value);

#endif
