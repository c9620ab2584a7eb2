/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Metrics files of processes that were killed, where each process has a file of its own name. */
#ifndef LG_METRICS_REMAINS_H
#define LG_METRICS_REMAINS_H

#include <stdint.h>

/*
 * Removes files whose name is that of `pattern` with another process id, or such a name and ".tmp". All of
 * these must hold, since the directory is the operator's: a regular file, written by us as its first
 * line shows, not written to for `age_ms`, and no such process runs. (Age, because a process of another
 * container cannot be seen.)
 */
void lg_remains_sweep(const char *pattern, uint64_t age_ms);

#endif
