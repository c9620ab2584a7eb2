/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One workload with one allocator, as a process of its own. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include "runner/allocator.h"
#include "runner/cgroup.h"
#include "runner/outcome.h"

#include <stdbool.h>

struct process {
	const struct allocator *allocator;
	const char *workload;
	const char *arguments;       /* words between spaces */
	const char *options;         /* more for LGALLOC_CONF, or NULL */
	const struct cgroup *cgroup; /* to enter, or NULL */
	unsigned timeout_s;
};

/* Runs it to its end and adds what it said, its peak memory and how it ended. */
void process_run(const struct process *process, struct outcome *outcome);

/* SIGINT, SIGTERM and SIGHUP end the process that runs, then process_interrupted() is true. */
void process_catch_signals(void);
bool process_interrupted(void);

#endif
