/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A short operation's cost: rounds of many operations with a clock reading before and after, of
 * which the median counts, so that a round in which the machine did something else does no harm.
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

enum { ROUNDS = 7 };

/* Does an operation so many times. */
typedef void rounds_work(void *context, uint64_t times);

/* How often fits in so many ns; found by doubling, which also warms up. At least 1. */
uint64_t rounds_calibrate(rounds_work *work, void *context, uint64_t ns);

/* ns for one operation of one round. */
double rounds_one(rounds_work *work, void *context, uint64_t times);

/* Calibrated to `ms` in total, the median of ROUNDS. */
double rounds_measure(rounds_work *work, void *context, uint64_t ms);

#endif
