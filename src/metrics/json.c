/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One JSON object: totals in bytes, lists of all classes, pagers and heaps, and what remote objects cost, with every field. Names need no
 * escape: those of policies are letters, digits and _, those of heaps have . and - as well.
 */
#include "metrics/heaps.h"
#include "metrics/pagers.h"
#include "metrics/prometheus.h"
#include "metrics/remote.h"
#include "metrics/writer.h"
#include "region/usage.h"

#include <lgalloc/lgalloc.h>

#include <inttypes.h>

static void write_class(struct lg_writer *writer, const struct lg_class_stats *class)
{
	lg_writer_print(writer, "{\"size\":%" PRIu64, class->size);
#define LG_PAIR(name, kind, help) lg_writer_print(writer, ",\"" #name "\":%" PRIu64, class->name);
	LG_CLASS_FIELDS(LG_PAIR)
#undef LG_PAIR
	lg_writer_print(writer, "}");
}

/* Zeros as long as nothing was measured. */
static void write_usage(struct lg_writer *writer)
{
	struct lg_usage usage;
	uint64_t unix_ms;

	(void)lg_usage_last(&usage, &unix_ms);
	lg_writer_print(writer,
			",\"usage\":{\"resident_bytes\":%" PRIu64 ",\"disk_bytes\":%" PRIu64
			",\"unix_ms\":%" PRIu64 "}",
			usage.resident_bytes, usage.disk_bytes, unix_ms);
}

static void write_times(struct lg_writer *writer, const char *name, const uint64_t *buckets,
			uint64_t sum_ns)
{
	lg_writer_print(writer, ",\"%s\":{\"sum_ns\":%" PRIu64 ",\"buckets\":[", name, sum_ns);
	for (unsigned i = 0; i < LG_TIME_BUCKETS; i++)
		lg_writer_print(writer, "%s%" PRIu64, i > 0 ? "," : "", buckets[i]);
	lg_writer_print(writer, "]}");
}

static void write_pager(struct lg_writer *writer, const struct lg_roster_entry *pager)
{
	const struct lg_pager_stats *stats = &pager->stats;

	lg_writer_print(writer,
			"{\"name\":\"%s\",\"policy\":\"%s\",\"page\":%" PRIu64
			",\"faults_served\":\"%s\"",
			pager->name, pager->policy, pager->page_bytes,
			pager->in_threads ? "threads" : "inline");
#define LG_PAIR(name, what) lg_writer_print(writer, ",\"" #name "\":%" PRIu64, stats->name);
	LG_PAGER_GAUGES(LG_PAIR)
	LG_PAGER_COUNTERS(LG_PAIR)
#undef LG_PAIR
	lg_writer_print(writer, ",\"read_amplification\":%.3f,\"write_amplification\":%.3f",
			lg_ratio(stats->bytes_read, stats->bytes_wanted),
			lg_ratio(stats->bytes_written, stats->bytes_dirtied));
	write_times(writer, "fault_ns", stats->fault_ns, stats->fault_ns_sum);
	write_times(writer, "read_ns", stats->read_ns, stats->read_ns_sum);
	write_times(writer, "write_ns", stats->write_ns, stats->write_ns_sum);
	lg_writer_print(writer, "}");
}

static void write_heap(struct lg_writer *writer, const struct lg_census_entry *heap)
{
	lg_writer_print(writer, "{\"name\":\"%s\",\"mode\":\"%s\",\"readonly\":%d,\"failed\":%d",
			heap->name, lg_heap_mode_name(heap->mode), heap->readonly, heap->failed);
#define LG_PAIR(field, name, what)                                                                 \
	lg_writer_print(writer, ",\"" #field "\":%" PRIu64, heap->stats.field);
	LG_HEAP_GAUGES(LG_PAIR)
	LG_HEAP_COUNTERS(LG_PAIR)
#undef LG_PAIR
	lg_writer_print(writer, "}");
}

static void write_pagers(struct lg_writer *writer, const struct lg_roster *pagers)
{
	lg_writer_print(writer, ",\"pagers\":[");
	for (size_t i = 0; i < pagers->count; i++) {
		lg_writer_print(writer, i > 0 ? "," : "");
		write_pager(writer, &pagers->entries[i]);
	}
	lg_writer_print(writer, "]");
}

static void write_remote(struct lg_writer *writer, const struct lg_remote_stats *remote)
{
	lg_writer_print(writer, ",\"remote\":{\"used_share\":%.3f",
			lg_ratio(remote->bytes_used, remote->bytes_fetched));
#define LG_PAIR(field, name, help)                                                                 \
	lg_writer_print(writer, ",\"" #field "\":%" PRIu64, remote->field);
	LG_REMOTE_COUNTERS(LG_PAIR)
#undef LG_PAIR
	write_times(writer, "first_byte_ns", remote->first_byte_ns, remote->first_byte_ns_sum);
	write_times(writer, "fault_ns", remote->fault_ns, remote->fault_ns_sum);
	lg_writer_print(writer, "}");
}

static void write_heaps(struct lg_writer *writer, const struct lg_census *heaps)
{
	lg_writer_print(writer, ",\"heaps\":[");
	for (size_t i = 0; i < heaps->count; i++) {
		lg_writer_print(writer, i > 0 ? "," : "");
		write_heap(writer, &heaps->entries[i]);
	}
	lg_writer_print(writer, "]");
}

void lg_json_write(struct lg_writer *writer, const struct lg_held *held)
{
	const struct lg_stats *stats = &held->stats;

	lg_writer_print(writer, "{\"version\":\"%s\",\"threads\":%" PRIu64, lg_version(),
			stats->threads);
	lg_writer_print(writer, ",\"in_use_bytes\":%" PRIu64 ",\"cached_bytes\":%" PRIu64,
			stats->in_use_bytes, stats->cached_bytes);
	lg_writer_print(writer, ",\"dirty_bytes\":%" PRIu64 ",\"lazy_bytes\":%" PRIu64,
			stats->dirty_bytes, stats->lazy_bytes);
	lg_writer_print(writer, ",\"clean_bytes\":%" PRIu64 ",\"area_bytes\":%" PRIu64,
			stats->clean_bytes, stats->area_bytes);
	lg_writer_print(writer,
			",\"reserved_bytes\":%" PRIu64 ",\"metrics_writes\":%" PRIu64
			",\"metrics_failures\":%" PRIu64 ",\"metrics_error\":%" PRIu64,
			stats->reserved_bytes, stats->metrics_writes, stats->metrics_failures,
			stats->metrics_error);
	write_usage(writer);
	lg_writer_print(writer, ",\"totals\":");
	write_class(writer, &stats->totals);
	lg_writer_print(writer, ",\"classes\":[");
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		lg_writer_print(writer, i > 0 ? "," : "");
		write_class(writer, &stats->classes[i]);
	}
	lg_writer_print(writer, "]");
	write_pagers(writer, &held->pagers);
	write_remote(writer, &held->remote);
	write_heaps(writer, &held->heaps);
	lg_writer_print(writer, "}\n");
}
