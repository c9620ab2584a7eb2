/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What the processes of one cell — one row of the plan, one allocator — have said, over all
 * repeats.
 */
#ifndef BENCH_OUTCOME_H
#define BENCH_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

enum { METRICS_MAX = 24, REPEATS_MAX = 25, POINTS_MAX = 4000, NAME_BYTES = 16 };

enum outcome_state {
	OUTCOME_NONE, /* not run */
	OUTCOME_OK,
	OUTCOME_KILLED, /* SIGKILL in a cgroup: the kernel's answer to too much memory */
	OUTCOME_FAILED,
	OUTCOME_SKIPPED,
};

struct metric {
	char name[NAME_BYTES];
	unsigned count;
	double values[REPEATS_MAX];
};

struct point {
	double ms;
	double value;
};

struct outcome {
	enum outcome_state state; /* the worst of the repeats */
	char reason[256];
	unsigned metric_count;
	struct metric metrics[METRICS_MAX];
	char allocator[32]; /* as the process itself says */
	char version[64];
	struct point *points; /* the last repeat's series */
	size_t point_count;
};

/*
 * One line of the workload; the value of a name said twice in one process is the last (see
 * `fresh`).
 */
void outcome_line(struct outcome *outcome, const char *line, bool fresh[METRICS_MAX]);

void outcome_add(struct outcome *outcome, const char *name, double value, bool fresh[METRICS_MAX]);
void outcome_state(struct outcome *outcome, enum outcome_state state, const char *reason);

/* Over the repeats; NAN where it was never said. */
double outcome_median(const struct outcome *outcome, const char *name);
double outcome_lowest(const struct outcome *outcome, const char *name);
double outcome_highest(const struct outcome *outcome, const char *name);

#endif
