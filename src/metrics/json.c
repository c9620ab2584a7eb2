/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One JSON object: totals in bytes, and a list of all classes with every field. Names need no escape. */
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

void lg_json_write(struct lg_writer *writer, const struct lg_stats *stats)
{
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
	lg_writer_print(writer, "]}\n");
}
