/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stddef.h>

/* Sorts the values; the mean of the middle two where their number is even. NAN for none. */
double median_of(double *values, size_t count);

#endif
