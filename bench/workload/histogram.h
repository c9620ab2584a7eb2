/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Times in ns, in buckets that grow with the value: 32 to each power of two, so a percentile is at
 * most 3 % too high. Adding costs a few ns and touches one counter.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_STEP_BITS = 5, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 60 };

struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t ns)
{
	if (ns < HISTOGRAM_STEPS)
		return (unsigned)ns;
	unsigned octave = 63u - (unsigned)__builtin_clzll(ns) - HISTOGRAM_STEP_BITS;
	return (octave + 1) * HISTOGRAM_STEPS + (unsigned)((ns >> octave) & (HISTOGRAM_STEPS - 1));
}

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->count++;
	if (ns > histogram->max)
		histogram->max = ns;
	histogram->buckets[histogram_bucket(ns)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from);

/* The upper end of the bucket that holds this share (0 … 1) of the times. */
double histogram_share(const struct histogram *histogram, double share);

/* Tells p50, p99, p999 and max. */
void histogram_report(const struct histogram *histogram);

#endif
