/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A family per counter of pagers, labelled by the pager's name. Ratios (amplification, usefulness of reading ahead) are
 * left to queries: of two counters a rate can be told for any time, of a ratio none.
 */
#include "metrics/pagers.h"

#include "metrics/prometheus.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_BYTES = 128, NAME_BYTES = 64, HELP_BYTES = 160 };

static const struct field {
	const char *name;
	const char *help;
	size_t offset;
	enum lg_family_kind kind;
} fields[] = {
#define LG_ROW(name, help) { #name, help, offsetof(struct lg_pager_stats, name), LG_GAUGE },
	LG_PAGER_GAUGES(LG_ROW)
#undef LG_ROW
#define LG_ROW(name, help) { #name, help, offsetof(struct lg_pager_stats, name), LG_COUNTER },
		LG_PAGER_COUNTERS(LG_ROW)
#undef LG_ROW
};

_Static_assert(LG_TIME_BUCKETS * sizeof(uint64_t) == sizeof(((struct lg_pager_stats *)0)->fault_ns),
	       "one histogram");

double lg_times_quantile(const uint64_t *buckets, double share)
{
	uint64_t all = 0, count = 0;

	for (unsigned i = 0; i < LG_TIME_BUCKETS; i++)
		all += buckets[i];
	for (unsigned i = 0; i < LG_TIME_BUCKETS && all > 0; i++) {
		count += buckets[i];
		if ((double)count >= share * (double)all)
			return (double)((uint64_t)1 << (i + 1)) / 1e9;
	}
	return 0;
}

/* A unit comes last: bytes_read is read_bytes. All gauges but the number of maps are bytes. */
static void name_field(const struct field *field, char *name)
{
	static const char first[] = "bytes_";
	size_t length = strlen(first);
	bool is_bytes = strncmp(field->name, first, length) == 0;

	if (is_bytes)
		snprintf(name, NAME_BYTES, "pager_%s_bytes", field->name + length);
	else
		snprintf(name, NAME_BYTES, "pager_%s%s", field->name,
			 field->kind == LG_GAUGE && strstr(field->name, "map") == NULL ? "_bytes" :
											 "");
}

bool lg_pagers_find(const char *family, size_t length, size_t *offset)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		name_field(&fields[i], name);
		if (strlen(name) != length || memcmp(name, family, length) != 0)
			continue;
		*offset = fields[i].offset;
		return true;
	}
	return false;
}

/* As a sentence. */
static void describe_field(const struct field *field, char *help)
{
	size_t length = strlen(field->help);

	snprintf(help, HELP_BYTES, "%s%s", field->help, field->help[length - 1] == '.' ? "" : ".");
	if (help[0] >= 'a' && help[0] <= 'z')
		help[0] = (char)(help[0] - 'a' + 'A');
}

static void label(const struct lg_roster_entry *pager, char *labels)
{
	snprintf(labels, LABEL_BYTES, "pager=\"%s\"", pager->name);
}

static void write_field(const struct lg_prometheus *text, const struct lg_roster *pagers,
			const struct field *field)
{
	char name[NAME_BYTES], help[HELP_BYTES], labels[LABEL_BYTES];
	const struct lg_family family = { name, field->kind, help };

	name_field(field, name);
	describe_field(field, help);
	lg_prometheus_head(text, &family);
	for (size_t i = 0; i < pagers->count; i++) {
		uint64_t value;

		label(&pagers->entries[i], labels);
		memcpy(&value, (const char *)&pagers->entries[i].stats + field->offset,
		       sizeof(value));
		lg_prometheus_sample(text, &family, labels, value);
	}
}

static void write_times(const struct lg_prometheus *text, const struct lg_roster *pagers)
{
	static const struct lg_family faults = { "pager_fault_seconds", LG_HISTOGRAM,
						 "How long faults took." };
	static const struct lg_family reads = { "pager_read_seconds", LG_HISTOGRAM,
						"How long reads of stores took." };
	static const struct lg_family writes = { "pager_write_seconds", LG_HISTOGRAM,
						 "How long writes to stores took." };
	char labels[LABEL_BYTES];

#define LG_TIMES(family, name)                                                                     \
	lg_prometheus_head(text, &(family));                                                       \
	for (size_t i = 0; i < pagers->count; i++) {                                               \
		label(&pagers->entries[i], labels);                                                \
		lg_prometheus_times(text, &(family), labels, pagers->entries[i].stats.name,        \
				    pagers->entries[i].stats.name##_sum);                          \
	}
	LG_TIMES(faults, fault_ns)
	LG_TIMES(reads, read_ns)
	LG_TIMES(writes, write_ns)
#undef LG_TIMES
}

static void write_info(const struct lg_prometheus *text, const struct lg_roster *pagers)
{
	static const struct lg_family family = {
		"pager_info", LG_GAUGE,
		"Policy, page size and the way faults are served, as labels; the value is always 1."
	};
	char labels[LABEL_BYTES];

	lg_prometheus_head(text, &family);
	for (size_t i = 0; i < pagers->count; i++) {
		const struct lg_roster_entry *pager = &pagers->entries[i];

		snprintf(labels, sizeof(labels),
			 "pager=\"%s\",policy=\"%s\",page=\"%llu\",faults=\"%s\"", pager->name,
			 pager->policy, (unsigned long long)pager->page_bytes,
			 pager->in_threads ? "threads" : "inline");
		lg_prometheus_sample(text, &family, labels, 1);
	}
}

void lg_pagers_write(const struct lg_prometheus *text, const struct lg_roster *pagers)
{
	if (pagers->count == 0)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		write_field(text, pagers, &fields[i]);
	write_times(text, pagers);
	write_info(text, pagers);
}
