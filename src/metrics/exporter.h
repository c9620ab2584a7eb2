/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The exporter's own counts, and the names it makes. region/worker.h declares its tick. */
#ifndef LG_METRICS_EXPORTER_H
#define LG_METRICS_EXPORTER_H

#include <lgalloc/lgalloc.h>

#include <stdbool.h>

/* Fills in metrics_writes, metrics_failures and metrics_error. */
void lg_exporter_count(struct lg_stats *stats);

/*
 * The path of a process: %p is its id, every other character stands for itself. Room for
 * LG_METRICS_PATH_BYTES. False: it is too long.
 */
bool lg_exporter_expand(const char *pattern, long process, char *path);

#endif
