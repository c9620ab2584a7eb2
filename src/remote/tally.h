/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What remote objects cost and brought, of the whole process: its connections belong to no pager, and an answer may
 * come when the map that asked is closed.
 *
 * Nothing of an object is in it, neither its name nor who asked.
 */
#ifndef LG_REMOTE_TALLY_H
#define LG_REMOTE_TALLY_H

#include "base/times.h"

#include <stdint.h>

struct lg_remote_stats;

/* X(field of struct lg_remote_stats, name of the metric, help) */
#define LG_REMOTE_COUNTERS(X)                                                                      \
	X(gets, "gets", "Requests that were sent, those of retries and hedges too.")               \
	X(bytes_fetched, "fetched_bytes", "Bytes that came in answers.")                           \
	X(bytes_used, "used_bytes", "Bytes of pages that were touched.")                           \
	X(retries, "retries", "Requests made again after one that failed in passing.")             \
	X(hedges, "hedges", "Requests made beside one that was not answered for long.")            \
	X(failures, "failures", "Reads that were given up.")                                       \
	X(prefetched, "prefetched", "Pages read before they were touched.")                        \
	X(prefetch_hits, "prefetch_hits", "Pages read ahead that were touched later.")

struct lg_remote_tally {
#define LG_REMOTE_FIELD(field, name, help) _Atomic(uint64_t) field;
	LG_REMOTE_COUNTERS(LG_REMOTE_FIELD)
#undef LG_REMOTE_FIELD
	struct lg_times first_byte_ns;
	struct lg_times fault_ns;
};

extern struct lg_remote_tally lg_remote_tally;

#define lg_remote_count(field, n) lg_add_relaxed(&lg_remote_tally.field, (uint64_t)(n))

/* lg_remote_stats_read. */
void lg_remote_tally_read(struct lg_remote_stats *stats);

/* In a child of fork: nothing was asked for. */
void lg_remote_tally_forget(void);

#endif
