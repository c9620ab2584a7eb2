/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/plan.h"

#include <stdio.h>
#include <string.h>

/* Whether a comma-separated list holds this word. */
static bool holds(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

bool plan_wanted(const struct plan *plan, const char *only, bool quick)
{
	if (only != NULL && !holds(only, plan->name) && !holds(only, plan->group))
		return false;
	/* Named outright, a row that quick leaves out is run as it is in full. */
	return !quick || plan->quick != NULL || (only != NULL && holds(only, plan->name));
}

bool plan_only_is_known(const char *only, const char **bad)
{
	static char copy[512];

	snprintf(copy, sizeof(copy), "%s", only);
	for (char *name = strtok(copy, ","); name != NULL; name = strtok(NULL, ",")) {
		bool known = strcmp(name, "demo") == 0;
		for (size_t i = 0; i < plan_count && !known; i++)
			known = strcmp(plans[i].name, name) == 0 ||
				strcmp(plans[i].group, name) == 0;
		*bad = name;
		if (!known)
			return false;
	}
	return true;
}

bool unit_more_is_better(enum unit unit)
{
	return unit == UNIT_MB_S || unit == UNIT_MIB_S || unit == UNIT_PER_S ||
	       unit == UNIT_MILLION_S;
}

const char *unit_name(enum unit unit)
{
	static const char *const names[] = {
		[UNIT_NS] = "ns",       [UNIT_US] = "us",         [UNIT_MS] = "ms",
		[UNIT_MIB] = "MiB",     [UNIT_MB_S] = "MB/s",     [UNIT_PER_S] = "/s",
		[UNIT_MIB_S] = "MiB/s", [UNIT_MILLION_S] = "M/s", [UNIT_TIMES] = "x",
		[UNIT_S] = "s",         [UNIT_PERCENT] = "%",
	};

	return names[unit];
}

double unit_ratio(enum unit unit, double value, double base)
{
	return unit_more_is_better(unit) ? value / base : base / value;
}
