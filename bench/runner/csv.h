/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Every value of every cell: row,allocator,state,metric,median,lowest,highest,repeats */
#ifndef BENCH_CSV_H
#define BENCH_CSV_H

#include "runner/suite.h"

/* 0 or -errno. */
int csv_write(const char *path, const struct suite *suite);

#endif
