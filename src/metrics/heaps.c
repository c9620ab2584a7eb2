/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A family per counter of heaps, labelled by the heap's name. How many objects are live is not among them: it takes a closed
 * gate, and no reader of metrics may hold up the program.
 */
#include "metrics/heaps.h"

#include "metrics/prometheus.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_BYTES = 160, NAME_BYTES = 64 };

static const struct field {
	const char *name;
	const char *help;
	size_t offset;
	enum lg_family_kind kind;
} fields[] = {
#define LG_ROW(field, name, help)                                                                  \
	{ "heap_" name, help, offsetof(struct lg_heap_stats, field), LG_GAUGE },
	LG_HEAP_GAUGES(LG_ROW)
#undef LG_ROW
#define LG_ROW(field, name, help)                                                                  \
	{ "heap_" name, help, offsetof(struct lg_heap_stats, field), LG_COUNTER },
		LG_HEAP_COUNTERS(LG_ROW)
#undef LG_ROW
};

static void label(const struct lg_census_entry *heap, char *labels)
{
	snprintf(labels, LABEL_BYTES, "heap=\"%s\"", heap->name);
}

static void write_field(const struct lg_prometheus *text, const struct lg_census *heaps,
			const struct field *field)
{
	const struct lg_family family = { field->name, field->kind, field->help };
	char labels[LABEL_BYTES];

	lg_prometheus_head(text, &family);
	for (size_t i = 0; i < heaps->count; i++) {
		uint64_t value;

		label(&heaps->entries[i], labels);
		memcpy(&value, (const char *)&heaps->entries[i].stats + field->offset,
		       sizeof(value));
		lg_prometheus_sample(text, &family, labels, value);
	}
}

static void write_state(const struct lg_prometheus *text, const struct lg_census *heaps)
{
	static const struct lg_family failed = {
		"heap_failed", LG_GAUGE,
		"1: the disk failed, and nothing is written until the heap is opened again."
	};
	static const struct lg_family info = {
		"heap_info", LG_GAUGE,
		"Mode of the heap, and whether it is open for reading only, as labels; the value is always 1."
	};
	char labels[LABEL_BYTES];

	lg_prometheus_head(text, &failed);
	for (size_t i = 0; i < heaps->count; i++) {
		label(&heaps->entries[i], labels);
		lg_prometheus_sample(text, &failed, labels, heaps->entries[i].failed);
	}
	lg_prometheus_head(text, &info);
	for (size_t i = 0; i < heaps->count; i++) {
		const struct lg_census_entry *heap = &heaps->entries[i];

		snprintf(labels, sizeof(labels), "heap=\"%s\",mode=\"%s\",readonly=\"%s\"",
			 heap->name, lg_heap_mode_name(heap->mode), heap->readonly ? "on" : "off");
		lg_prometheus_sample(text, &info, labels, 1);
	}
}

void lg_heaps_write(const struct lg_prometheus *text, const struct lg_census *heaps)
{
	if (heaps->count == 0)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		write_field(text, heaps, &fields[i]);
	write_state(text, heaps);
}
