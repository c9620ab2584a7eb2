/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The families that are no class's. */
#include "metrics/prometheus.h"
#include "region/usage.h"

#include <stdio.h>

static void write_usage(const struct lg_prometheus *text)
{
	static const struct lg_family timestamp = {
		"usage_timestamp_seconds", LG_GAUGE,
		"When lgalloc_resident_bytes and lgalloc_disk_bytes were measured."
	};
	struct lg_usage usage;
	uint64_t unix_ms;

	if (!lg_usage_last(&usage, &unix_ms))
		return;
	lg_prometheus_single(text, "resident_bytes", LG_GAUGE,
			     "Memory of the areas in RAM, when it was last measured.",
			     usage.resident_bytes);
	lg_prometheus_single(text, "disk_bytes", LG_GAUGE,
			     "Blocks of the backing files, when they were last measured.",
			     usage.disk_bytes);
	lg_prometheus_head(text, &timestamp);
	lg_prometheus_sample_ms(text, &timestamp, "", unix_ms);
}

static void write_build(const struct lg_prometheus *text)
{
	static const struct lg_family family = {
		"build_info", LG_GAUGE, "The library's version as a label; the value is always 1."
	};
	char labels[80];

	snprintf(labels, sizeof(labels), "version=\"%s\"", lg_version());
	lg_prometheus_head(text, &family);
	lg_prometheus_sample(text, &family, labels, 1);
}

void lg_process_write(const struct lg_prometheus *text, const struct lg_stats *stats)
{
	lg_prometheus_single(text, "threads", LG_GAUGE, "Threads with a cache.", stats->threads);
	lg_prometheus_single(text, "reserved_bytes", LG_GAUGE, "Address space reserved.",
			     stats->reserved_bytes);
	write_usage(text);
	lg_prometheus_single(text, "metrics_file_writes", LG_COUNTER,
			     "Writes of metrics_file that succeeded.", stats->metrics_writes);
	lg_prometheus_single(text, "metrics_file_failures", LG_COUNTER,
			     "Writes of metrics_file that failed.", stats->metrics_failures);
	lg_prometheus_single(text, "metrics_file_errno", LG_GAUGE,
			     "The error number of the last write of metrics_file; 0: it succeeded.",
			     stats->metrics_error);
	write_build(text);
}
