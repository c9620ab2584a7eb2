/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A family per counter of remote objects, without labels: URLs have names, and queries with signatures, that are
 * nobody's who reads metrics.
 */
#include "metrics/remote.h"

#include "metrics/prometheus.h"

#include <string.h>

static const struct field {
	const char *name;
	const char *help;
	size_t offset;
} fields[] = {
#define LG_ROW(field, name, help) { "remote_" name, help, offsetof(struct lg_remote_stats, field) },
	LG_REMOTE_COUNTERS(LG_ROW)
#undef LG_ROW
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

bool lg_remote_find(const char *family, size_t length, size_t *offset)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (strlen(fields[i].name) != length || memcmp(fields[i].name, family, length) != 0)
			continue;
		*offset = fields[i].offset;
		return true;
	}
	return false;
}

static void write_times(const struct lg_prometheus *text, const char *name, const char *help,
			const uint64_t *buckets, uint64_t sum_ns)
{
	const struct lg_family family = { name, LG_HISTOGRAM, help };

	lg_prometheus_head(text, &family);
	lg_prometheus_times(text, &family, "", buckets, sum_ns);
}

void lg_remote_write(const struct lg_prometheus *text, const struct lg_remote_stats *remote)
{
	if (remote->gets == 0)
		return;
	for (size_t i = 0; i < FIELDS; i++) {
		uint64_t value;

		memcpy(&value, (const char *)remote + fields[i].offset, sizeof(value));
		lg_prometheus_single(text, fields[i].name, LG_COUNTER, fields[i].help, value);
	}
	write_times(text, "remote_first_byte_seconds",
		    "How long it took from a request to the first byte of its answer.",
		    remote->first_byte_ns, remote->first_byte_ns_sum);
	write_times(text, "remote_fault_seconds", "How long faults of remote objects took.",
		    remote->fault_ns, remote->fault_ns_sum);
}
