/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The run as a whole: what was asked for, and every outcome. */
#ifndef BENCH_SUITE_H
#define BENCH_SUITE_H

#include "runner/outcome.h"
#include "runner/plan.h"

enum { PLANS_MAX = 128 };

struct suite {
	bool quick;
	unsigned repeat;
	const char *only;
	const char *options; /* more for LGALLOC_CONF, or NULL */
	struct outcome outcomes[PLANS_MAX][LANES];
	char note[PLANS_MAX][320]; /* why a row was skipped as a whole */
};

/*
 * Every wanted row: repeats outside, allocators inside, so that A B A B is what the machine sees.
 * `measured` is told of each that has outcomes as it is done, an interrupted one too.
 */
void suite_run(struct suite *suite, void (*measured)(const struct suite *suite, size_t row));

/* The row's place, or -1. */
int suite_find(const char *name);

/* Whether any cell of the row was run or skipped for a reason. */
bool suite_has(const struct suite *suite, size_t row);

/* A swap file for the lanes that need one; false: `reason` says why not. */
bool suite_swap(const char **reason);

#endif
