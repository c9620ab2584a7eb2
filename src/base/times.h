/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * How long something took, by powers of two of a nanosecond. Any thread counts, without waiting; who reads meanwhile
 * may find one more in a bucket than in the sum.
 */
#ifndef LG_BASE_TIMES_H
#define LG_BASE_TIMES_H

#include "base/atomic.h"
#include "base/bits.h"

#include <stdint.h>

enum { LG_TIME_BUCKETS = 40 };

/* [i] counts from 2^i to 2^(i+1) - 1 ns; the last, what took longer too. */
struct lg_times {
	_Atomic(uint64_t) buckets[LG_TIME_BUCKETS];
	_Atomic(uint64_t) sum_ns;
};

static inline void lg_times_note(struct lg_times *times, uint64_t ns)
{
	unsigned bucket = lg_log2_floor(ns | 1);

	lg_add_relaxed(&times->buckets[bucket < LG_TIME_BUCKETS ? bucket : LG_TIME_BUCKETS - 1], 1);
	lg_add_relaxed(&times->sum_ns, ns);
}

/* Returns the sum. */
static inline uint64_t lg_times_read(const struct lg_times *times,
				     uint64_t buckets[LG_TIME_BUCKETS])
{
	for (unsigned i = 0; i < LG_TIME_BUCKETS; i++)
		buckets[i] = lg_load_relaxed(&times->buckets[i]);
	return lg_load_relaxed(&times->sum_ns);
}

#endif
