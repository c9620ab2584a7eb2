/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * OpenMetrics text. One family per counter, one for regions by state, labelled by class; classes that
 * never mapped an area are left out. Names follow Prometheus: base units, _total for counters.
 */
#include "metrics/writer.h"

#include <lgalloc/lgalloc.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { gauge, counter };

struct field {
	const char *name;
	enum kind kind;
	const char *help;
	size_t offset;
};

static const struct field fields[] = {
#define LG_ROW(name, kind, help) { #name, kind, help, offsetof(struct lg_class_stats, name) },
	LG_CLASS_FIELDS(LG_ROW)
#undef LG_ROW
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* Gauges of regions in one state are one family; a region is in exactly one of these. */
static const char *const states[] = { "in_use", "in_magazines", "in_deques",
				      "dirty",  "lazy",         "clean" };

static uint64_t value_of(const struct lg_class_stats *class, const struct field *field)
{
	uint64_t value;

	memcpy(&value, (const char *)class + field->offset, sizeof(value));
	return value;
}

static bool is_state(const struct field *field)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], field->name) == 0)
			return true;
	return strcmp(field->name, "cached") == 0; /* a sum of two */
}

static bool is_used(const struct lg_class_stats *class)
{
	return class->refills > 0 || class->allocations > 0 || class->refused > 0;
}

static void write_head(struct lg_writer *writer, const char *name, const char *type,
		       const char *help)
{
	lg_writer_print(writer, "# HELP lgalloc_%s %s\n# TYPE lgalloc_%s %s\n", name, help, name,
			type);
}

static void write_field(struct lg_writer *writer, const struct lg_stats *stats,
			const struct field *field)
{
	bool counts = field->kind == counter;
	char name[64];

	/* TYPE names the sample, _total and all: node_exporter and promtool read it so. */
	snprintf(name, sizeof(name), "%s%s", field->name, counts ? "_total" : "");
	write_head(writer, name, counts ? "counter" : "gauge", field->help);
	for (unsigned i = 0; i < LG_CLASSES; i++)
		if (is_used(&stats->classes[i]))
			lg_writer_print(writer, "lgalloc_%s{class=\"%" PRIu64 "\"} %" PRIu64 "\n",
					name, stats->classes[i].size,
					value_of(&stats->classes[i], field));
}

static void write_states(struct lg_writer *writer, const struct lg_stats *stats)
{
	write_head(writer, "regions", "gauge", "Regions by state.");
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats->classes[i];

		for (size_t k = 0; is_used(class) && k < FIELDS; k++)
			if (is_state(&fields[k]) && strcmp(fields[k].name, "cached") != 0)
				lg_writer_print(writer,
						"lgalloc_regions{class=\"%" PRIu64
						"\",state=\"%s\"} %" PRIu64 "\n",
						class->size, fields[k].name,
						value_of(class, &fields[k]));
	}
}

static void write_total(struct lg_writer *writer, const char *name, const char *help,
			uint64_t value)
{
	write_head(writer, name, "gauge", help);
	lg_writer_print(writer, "lgalloc_%s %" PRIu64 "\n", name, value);
}

void lg_openmetrics_write(struct lg_writer *writer, const struct lg_stats *stats)
{
	write_states(writer, stats);
	for (size_t i = 0; i < FIELDS; i++)
		if (!is_state(&fields[i]))
			write_field(writer, stats, &fields[i]);
	write_total(writer, "threads", "Threads with a cache.", stats->threads);
	write_total(writer, "reserved_bytes", "Address space reserved.", stats->reserved_bytes);
	lg_writer_print(writer, "# EOF\n");
}
