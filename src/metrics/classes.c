/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One family per counter, and regions by state as one family, labelled by class; classes that were never
 * asked for are left out.
 */
#include "metrics/prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct field {
	struct lg_family family;
	size_t offset;
};

enum { gauge = LG_GAUGE, counter = LG_COUNTER }; /* the words of LG_CLASS_FIELDS */

static const struct field fields[] = {
#define LG_ROW(name, kind, help)                                                                   \
	{ { #name, (enum lg_family_kind)kind, help }, offsetof(struct lg_class_stats, name) },
	LG_CLASS_FIELDS(LG_ROW)
#undef LG_ROW
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), LABEL_BYTES = 80 };

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
		if (strcmp(states[i], field->family.name) == 0)
			return true;
	return false;
}

/* The sum of two states would count them twice. */
static bool is_sum(const struct field *field)
{
	return strcmp(field->family.name, "cached") == 0;
}

static bool is_used(const struct lg_class_stats *class)
{
	return class->refills > 0 || class->allocations > 0 || class->refused > 0;
}

static void write_field(const struct lg_prometheus *text, const struct lg_stats *stats,
			const struct field *field)
{
	char labels[LABEL_BYTES];

	lg_prometheus_head(text, &field->family);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats->classes[i];

		if (!is_used(class))
			continue;
		snprintf(labels, sizeof(labels), "class=\"%" PRIu64 "\"", class->size);
		lg_prometheus_sample(text, &field->family, labels, value_of(class, field));
	}
}

/* In bytes too: no query can multiply by a label's value. */
static void write_states(const struct lg_prometheus *text, const struct lg_stats *stats,
			 const struct lg_family *family, bool in_bytes)
{
	char labels[LABEL_BYTES];

	lg_prometheus_head(text, family);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats->classes[i];

		for (size_t k = 0; is_used(class) && k < FIELDS; k++) {
			if (!is_state(&fields[k]))
				continue;
			snprintf(labels, sizeof(labels), "class=\"%" PRIu64 "\",state=\"%s\"",
				 class->size, fields[k].family.name);
			lg_prometheus_sample(text, family, labels,
					     value_of(class, &fields[k]) *
						     (in_bytes ? class->size : 1));
		}
	}
}

void lg_classes_write(const struct lg_prometheus *text, const struct lg_stats *stats)
{
	static const struct lg_family regions = { "regions", LG_GAUGE, "Regions by state." };
	static const struct lg_family bytes = { "region_bytes", LG_GAUGE,
						"Capacity of the regions by state." };

	write_states(text, stats, &regions, false);
	write_states(text, stats, &bytes, true);
	for (size_t i = 0; i < FIELDS; i++)
		if (!is_state(&fields[i]) && !is_sum(&fields[i]))
			write_field(text, stats, &fields[i]);
}
