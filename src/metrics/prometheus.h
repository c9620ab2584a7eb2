/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The text Prometheus reads: families of samples, each family in one piece behind its HELP and TYPE.
 *
 * Two dialects. A counter's samples end in _total in both. OpenMetrics 1.0 names their family without it
 * and wants a UNIT and "# EOF"; the Prometheus text format 0.0.4 names the family as the sample, and takes
 * other comments for nothing, so that "# EOF" ends both.
 */
#ifndef LG_METRICS_PROMETHEUS_H
#define LG_METRICS_PROMETHEUS_H

#include "base/times.h"
#include "metrics/writer.h"

#include <stdbool.h>
#include <stdint.h>

enum lg_family_kind { LG_GAUGE, LG_COUNTER, LG_HISTOGRAM };

/* 1 us to 34 s */
enum { LG_TIME_BOUND_FIRST = 10, LG_TIME_BOUND_LAST = 35 };

struct lg_prometheus {
	struct lg_writer *writer;
	bool is_openmetrics;
	char process[300]; /* `process="…"`, or empty */
};

/* `name` without lgalloc_ and _total. A name in _bytes or _seconds has that unit. */
struct lg_family {
	const char *name;
	enum lg_family_kind kind;
	const char *help;
};

void lg_prometheus_head(const struct lg_prometheus *text, const struct lg_family *family);

/* `labels` without braces, empty: none. */
void lg_prometheus_sample(const struct lg_prometheus *text, const struct lg_family *family,
			  const char *labels, uint64_t value);

/* The same for a time, in seconds. */
void lg_prometheus_sample_ms(const struct lg_prometheus *text, const struct lg_family *family,
			     const char *labels, uint64_t ms);

/*
 * The samples of a histogram of times: bounds of each power of two of a nanosecond from 2^LG_TIME_BOUND_FIRST to
 * 2^LG_TIME_BOUND_LAST, and their sum. `buckets`: [i] counts what took 2^i to 2^(i+1) - 1 ns.
 */
void lg_prometheus_times(const struct lg_prometheus *text, const struct lg_family *family,
			 const char *labels, const uint64_t buckets[LG_TIME_BUCKETS],
			 uint64_t sum_ns);

/* A family of one sample. */
void lg_prometheus_single(const struct lg_prometheus *text, const char *name,
			  enum lg_family_kind kind, const char *help, uint64_t value);

/* The families of size classes, of pagers, of remote objects, of heaps, of the process, and of its options. */
void lg_classes_write(const struct lg_prometheus *text, const struct lg_stats *stats);
void lg_pagers_write(const struct lg_prometheus *text, const struct lg_roster *pagers);
void lg_remote_write(const struct lg_prometheus *text, const struct lg_remote_stats *remote);
void lg_heaps_write(const struct lg_prometheus *text, const struct lg_census *heaps);
void lg_process_write(const struct lg_prometheus *text, const struct lg_stats *stats);
void lg_settings_write(const struct lg_prometheus *text);

#endif
