/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/pagers.h"

#include <string.h>

static const struct lg_column all[] = {
#define ENTRY(name) offsetof(struct lg_roster_entry, name)
#define FIELD(name) offsetof(struct lg_roster_entry, stats.name)
	{ NULL, "PAGER", LG_COLUMN_NAME, 8, 0, ENTRY(name), 0 },
	{ NULL, "POLICY", LG_COLUMN_NAME, 7, 6, ENTRY(policy), 0 },
	{ NULL, "PAGE", LG_COLUMN_BYTES, 5, 6, ENTRY(page_bytes), 0 },
	{ NULL, "BUDGET", LG_COLUMN_BYTES, 6, 0, FIELD(budget), 0 },
	{ NULL, "RESIDENT", LG_COLUMN_BYTES, 8, 0, FIELD(resident), 0 },
	{ NULL, "LIMBO", LG_COLUMN_BYTES, 5, 3, FIELD(limbo), 0 },
	{ NULL, "PINNED", LG_COLUMN_BYTES, 6, 4, FIELD(pinned), 0 },
	{ NULL, "MAPS", LG_COLUMN_COUNT, 6, 5, FIELD(maps), 0 },
	{ NULL, "MAPPED", LG_COLUMN_BYTES, 6, 0, FIELD(map_bytes), 0 },
	{ NULL, "FAULTS", LG_COLUMN_EVENTS, 8, 0, FIELD(faults), 0 },
	{ NULL, "LIMBO%", LG_COLUMN_SHARE, 6, 2, FIELD(limbo_hits), FIELD(faults) },
	{ NULL, "READ", LG_COLUMN_EVENT_BYTES, 6, 0, FIELD(bytes_read), 0 },
	{ NULL, "WRITTEN", LG_COLUMN_EVENT_BYTES, 9, 0, FIELD(bytes_written), 0 },
	{ NULL, "EVICTED", LG_COLUMN_EVENTS, 9, 1, FIELD(evictions), 0 },
	{ NULL, "DIRECT%", LG_COLUMN_SHARE, 7, 3, FIELD(evictions_direct), FIELD(evictions) },
	{ NULL, "AHEAD%", LG_COLUMN_SHARE, 6, 3, FIELD(prefetch_useful), FIELD(prefetched) },
	{ NULL, "ERRORS", LG_COLUMN_EVENTS, 8, 4, FIELD(errors), 0 },
#undef FIELD
#undef ENTRY
};

enum { COLUMNS = sizeof(all) / sizeof(all[0]) };

static const struct lg_roster_entry none;

static const struct lg_roster_entry *pager_before(const struct lg_table *table, const char *name)
{
	for (unsigned i = 0; table->mode == LG_COLUMN_RATES && i < table->before->pager_count; i++)
		if (strcmp(table->before->pagers[i].name, name) == 0)
			return &table->before->pagers[i];
	return &none;
}

/* Of how many pagers there is room for lines. */
static unsigned lines_of(const struct lg_table *table)
{
	unsigned count = table->now->pager_count, most = table->height / 3;
	bool more = table->now->pagers_left_out > 0;

	if (table->height == 0)
		return count;
	if (table->height - most < LG_CLASS_LINES)
		return 0;
	/* A heading, and a last line for what is left out. */
	if (1 + count + more <= most)
		return count;
	return most > 2 ? most - 2 : 0;
}

void lg_pagers_print(FILE *to, struct lg_table *table)
{
	const struct lg_reading *now = table->now;
	struct lg_columns columns = lg_table_columns(table, all, COLUMNS);
	unsigned lines = lines_of(table);
	unsigned left = now->pager_count - lines + now->pagers_left_out;

	if (lines == 0)
		return;
	lg_columns_print_heading(to, &columns);
	for (unsigned i = 0; i < lines; i++)
		lg_columns_print_row(to, &columns,
				     &(struct lg_row){ &now->pagers[i],
						       pager_before(table, now->pagers[i].name) });
	if (left > 0)
		fprintf(to, "%u more pager%s not fit\n", left, left == 1 ? " does" : "s do");
	if (table->height > 0)
		table->height -= lines + 1 + (left > 0);
}
