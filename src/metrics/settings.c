/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The options as they are now, so that a graph shows a bound beside what it bounds. Numbers in base units; the
 * backing is a label.
 */
#include "base/option.h"
#include "metrics/prometheus.h"
#include "region/backing.h"
#include "region/pool.h"
#include "region/start.h"

#include <stdio.h>
#include <string.h>

enum type { SWITCH, BACKING, FAULTS, POLICY, NUMBER, SIZE, POWER, TIME };

static const struct setting {
	const char *name;
	enum type type;
	const char *help;
	_Atomic(uint64_t) *value;
} settings[] = {
#define LG_SETTING(name, type, when, value, low, high, help)                                       \
	{ #name, type, help, &lg_options.name },
	LG_OPTIONS(LG_SETTING)
#undef LG_SETTING
};

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcmp(name + length - tail, end) == 0;
}

static void write_backing(const struct lg_prometheus *text, uint64_t value)
{
	static const struct lg_family family = {
		"backing_info", LG_GAUGE, "Where regions live, as a label; the value is always 1."
	};

	lg_prometheus_head(text, &family);
	lg_prometheus_sample(text, &family,
			     value == LG_BACKING_ANON  ? "backing=\"anon\"" :
			     value == LG_BACKING_PAGED ? "backing=\"paged\"" :
							 "backing=\"file\"",
			     1);
}

/* Of no account where regions are not paged. */
static bool is_of_pager(const struct setting *setting)
{
	return setting->value == &lg_options.paged_memory || setting->value == &lg_options.faults ||
	       setting->value == &lg_options.paged_page ||
	       setting->value == &lg_options.paged_policy;
}

static uint64_t value_of(const struct setting *setting)
{
	uint64_t value = lg_load_relaxed(setting->value);

	if (value != LG_AUTO)
		return value;
	return is_of_pager(setting) ? lg_backing_paged_bytes() : lg_pool_dirty_bytes_max();
}

void lg_settings_write(const struct lg_prometheus *text)
{
	char name[64], help[256];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *setting = &settings[i];
		const struct lg_family family = { name, LG_GAUGE, help };
		const char *unit = setting->type == SIZE || setting->type == POWER ? "_bytes" :
				   setting->type == TIME                           ? "_seconds" :
										     "";

		if (lg_load_relaxed(setting->value) == LG_AUTO && !lg_start_is_done())
			continue; /* follows the machine, which nobody looked at yet */
		if (is_of_pager(setting) && lg_option(backing) != LG_BACKING_PAGED)
			continue;
		if (setting->type == FAULTS || setting->type == POLICY)
			continue; /* words that no graph shows: pager_info has them */
		if (setting->type == BACKING) {
			write_backing(text, value_of(setting));
			continue;
		}
		snprintf(name, sizeof(name), "option_%s%s", setting->name,
			 ends_in(setting->name, unit) ? "" : unit);
		snprintf(help, sizeof(help), "Option %s: %s.", setting->name, setting->help);
		lg_prometheus_head(text, &family);
		if (setting->type == TIME)
			lg_prometheus_sample_ms(text, &family, "", value_of(setting));
		else
			lg_prometheus_sample(text, &family, "", value_of(setting));
	}
}
