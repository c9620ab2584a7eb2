/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The numbers this project set itself for regions and the pager, each against what this run measured. */
#ifndef BENCH_BAR_H
#define BENCH_BAR_H

#include "runner/suite.h"
#include "runner/table.h"

void bar_write(FILE *to, const struct suite *suite, enum table_style style);

#endif
