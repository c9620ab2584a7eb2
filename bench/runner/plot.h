/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pictures by gnuplot: its data and scripts stay beside them. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "runner/suite.h"

/*
 * Makes the directory. 0 or -errno; without gnuplot the data and scripts are there and it says so.
 */
int plot_write(const char *directory, const struct suite *suite);

#endif
