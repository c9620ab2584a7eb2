/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A memory cgroup for one process, v1 or v2: made below our own cgroup or the nearest one above it
 * that lets us (v2 has no processes in inner groups, so there it is mostly one above).
 */
#ifndef BENCH_CGROUP_H
#define BENCH_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	char path[PATH_MAX];
	int version;
};

/* False: not here; cgroup_reason() says why. Looks once and remembers. */
bool cgroup_possible(void);
const char *cgroup_reason(void);

/* "v1" or "v2" and where. */
const char *cgroup_place(void);

/* A new empty group with so many bytes of memory, and with no swap or as much as there is. */
bool cgroup_make(struct cgroup *cgroup, uint64_t bytes, bool swap);

/* The calling process enters. Async-signal-safe: it is called between fork and exec. */
bool cgroup_enter(const struct cgroup *cgroup);

/* Bytes charged at most; 0 where the kernel does not say. */
uint64_t cgroup_peak(const struct cgroup *cgroup);

void cgroup_remove(const struct cgroup *cgroup);

#endif
