/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is run: one entry a workload with its arguments, and which of its values are shown. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "runner/allocator.h"

#include <stdbool.h>
#include <stddef.h>

enum unit {
	UNIT_NS,
	UNIT_US,
	UNIT_MS,
	UNIT_MIB,
	UNIT_MB_S,
	UNIT_MIB_S,
	UNIT_PER_S,
	UNIT_MILLION_S,
	UNIT_TIMES,
	UNIT_S,
	UNIT_PERCENT
};

#define LANE_BIT(lane) (1u << (lane))

enum { VALUES_SHOWN = 10 };

struct shown {
	const char *metric;
	const char *text; /* what it is; NULL ends the list */
	enum unit unit;
};

struct plan {
	const char *name;  /* for --only, CSV and the bars */
	const char *group; /* --only takes this too */
	const char *title;
	const char *workload;
	const char *arguments;
	const char *full;    /* more arguments; NULL: not in a full run */
	const char *quick;   /* more arguments; NULL: not in a quick run */
	const char *options; /* more for LGALLOC_CONF, or NULL */
	const char *quick_options;
	unsigned lanes;
	unsigned limit_mib;               /* of a memory cgroup; 0: none */
	unsigned warm_mib;                /* of free memory to touch before each process */
	unsigned repeat_max;              /* 0: as many as asked for */
	enum lane base;                   /* ratios are to this; 0: jemalloc, as it ended well */
	struct shown shown[VALUES_SHOWN]; /* the first is the row's own */
};

extern const struct plan plans[];
extern const size_t plan_count;

bool plan_wanted(const struct plan *plan, const char *only, bool quick);

/* False: `only` names something that is not there; *bad is it. */
bool plan_only_is_known(const char *only, const char **bad);

bool unit_more_is_better(enum unit unit);
const char *unit_name(enum unit unit);

/* How many times better than the base `value` is. */
double unit_ratio(enum unit unit, double value, double base);

#endif
