/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "metrics/prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *unit_of(const char *name)
{
	static const char *const units[] = { "bytes", "seconds" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = strlen(units[i]), whole = strlen(name);

		if (whole > length && name[whole - length - 1] == '_' &&
		    strcmp(name + whole - length, units[i]) == 0)
			return units[i];
	}
	return NULL;
}

void lg_prometheus_head(const struct lg_prometheus *text, const struct lg_family *family)
{
	bool counts = family->kind == LG_COUNTER;
	const char *end = counts && !text->is_openmetrics ? "_total" : "";
	const char *unit = unit_of(family->name);

	static const char *const kinds[] = {
		[LG_GAUGE] = "gauge", [LG_COUNTER] = "counter", [LG_HISTOGRAM] = "histogram"
	};

	lg_writer_print(text->writer, "# HELP lgalloc_%s%s %s\n# TYPE lgalloc_%s%s %s\n",
			family->name, end, family->help, family->name, end, kinds[family->kind]);
	if (unit != NULL && text->is_openmetrics)
		lg_writer_print(text->writer, "# UNIT lgalloc_%s %s\n", family->name, unit);
}

static void write_name(const struct lg_prometheus *text, const struct lg_family *family,
		       const char *end, const char *labels)
{
	bool both = labels[0] != '\0' && text->process[0] != '\0';

	lg_writer_print(text->writer, "lgalloc_%s%s", family->name, end);
	if (labels[0] != '\0' || text->process[0] != '\0')
		lg_writer_print(text->writer, "{%s%s%s}", labels, both ? "," : "", text->process);
}

void lg_prometheus_sample(const struct lg_prometheus *text, const struct lg_family *family,
			  const char *labels, uint64_t value)
{
	write_name(text, family, family->kind == LG_COUNTER ? "_total" : "", labels);
	lg_writer_print(text->writer, " %" PRIu64 "\n", value);
}

void lg_prometheus_sample_ms(const struct lg_prometheus *text, const struct lg_family *family,
			     const char *labels, uint64_t ms)
{
	write_name(text, family, "", labels);
	lg_writer_print(text->writer, " %" PRIu64 ".%03" PRIu64 "\n", ms / 1000, ms % 1000);
}

static void write_bucket(const struct lg_prometheus *text, const struct lg_family *family,
			 const char *labels, const char *bound, uint64_t count)
{
	char all[128];

	snprintf(all, sizeof(all), "%s%sle=\"%s\"", labels, labels[0] != '\0' ? "," : "", bound);
	write_name(text, family, "_bucket", all);
	lg_writer_print(text->writer, " %" PRIu64 "\n", count);
}

void lg_prometheus_times(const struct lg_prometheus *text, const struct lg_family *family,
			 const char *labels, const uint64_t buckets[LG_TIME_BUCKETS],
			 uint64_t sum_ns)
{
	uint64_t count = 0;
	char bound[32];

	for (unsigned i = 0; i < LG_TIME_BUCKETS; i++) {
		uint64_t ns = (uint64_t)1 << (i + 1);

		count += buckets[i];
		if (i + 1 < LG_TIME_BOUND_FIRST || i + 1 > LG_TIME_BOUND_LAST)
			continue;
		snprintf(bound, sizeof(bound), "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
			 ns % 1000000000);
		write_bucket(text, family, labels, bound, count);
	}
	write_bucket(text, family, labels, "+Inf", count);
	write_name(text, family, "_sum", labels);
	lg_writer_print(text->writer, " %" PRIu64 ".%09" PRIu64 "\n", sum_ns / 1000000000,
			sum_ns % 1000000000);
	write_name(text, family, "_count", labels);
	lg_writer_print(text->writer, " %" PRIu64 "\n", count);
}

void lg_prometheus_single(const struct lg_prometheus *text, const char *name,
			  enum lg_family_kind kind, const char *help, uint64_t value)
{
	const struct lg_family family = { name, kind, help };

	lg_prometheus_head(text, &family);
	lg_prometheus_sample(text, &family, "", value);
}

/* A file's name may be any bytes; a label's value is UTF-8 with escapes. What is neither is a '_'. */
static void set_process(struct lg_prometheus *text, const char *process)
{
	size_t length = (size_t)snprintf(text->process, sizeof(text->process), "process=\"");

	for (; *process != '\0' && length < sizeof(text->process) - 2; process++) {
		bool plain = *process >= ' ' && *process <= '~' && strchr("\"\\", *process) == NULL;

		text->process[length++] = plain ? *process : '_';
	}
	text->process[length++] = '"';
	text->process[length] = '\0';
}

void lg_prometheus_write(struct lg_writer *writer, const struct lg_held *held,
			 enum lg_format dialect, const char *process)
{
	struct lg_prometheus text = { .writer = writer,
				      .is_openmetrics = dialect == LG_OPENMETRICS };

	if (process != NULL)
		set_process(&text, process);
	lg_classes_write(&text, &held->stats);
	lg_pagers_write(&text, &held->pagers);
	lg_remote_write(&text, &held->remote);
	lg_heaps_write(&text, &held->heaps);
	lg_process_write(&text, &held->stats);
	lg_settings_write(&text);
	lg_writer_print(writer, "# EOF\n");
}
