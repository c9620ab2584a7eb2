/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/histogram.h"

#include "workload/result.h"

static uint64_t bucket_end(unsigned bucket)
{
	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	unsigned octave = bucket / HISTOGRAM_STEPS - 1;
	uint64_t step = bucket % HISTOGRAM_STEPS;
	return (((HISTOGRAM_STEPS + step) + 1) << octave) - 1;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

double histogram_share(const struct histogram *histogram, double share)
{
	double wanted = share * (double)histogram->count;
	double seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += (double)histogram->buckets[i];
		if (histogram->buckets[i] != 0 && seen >= wanted) {
			uint64_t end = bucket_end(i);
			return (double)(end < histogram->max ? end : histogram->max);
		}
	}
	return (double)histogram->max;
}

void histogram_report(const struct histogram *histogram)
{
	if (histogram->count == 0)
		return;
	result_value("p50", histogram_share(histogram, 0.5));
	result_value("p99", histogram_share(histogram, 0.99));
	result_value("p999", histogram_share(histogram, 0.999));
	result_value("max", (double)histogram->max);
}
