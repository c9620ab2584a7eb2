/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/remote.h"

static const struct lg_column all[] = {
#define FIELD(name) offsetof(struct lg_remote_stats, name)
	{ NULL, "GETS", LG_COLUMN_EVENTS, 8, 0, FIELD(gets), 0 },
	{ NULL, "FETCHED", LG_COLUMN_EVENT_BYTES, 9, 0, FIELD(bytes_fetched), 0 },
	{ NULL, "USED", LG_COLUMN_EVENT_BYTES, 6, 0, FIELD(bytes_used), 0 },
	{ NULL, "RETRIES", LG_COLUMN_EVENTS, 9, 2, FIELD(retries), 0 },
	{ NULL, "HEDGES", LG_COLUMN_EVENTS, 8, 2, FIELD(hedges), 0 },
	{ NULL, "AHEAD%", LG_COLUMN_SHARE, 6, 1, FIELD(prefetch_hits), FIELD(prefetched) },
	{ NULL, "FAILURES", LG_COLUMN_EVENTS, 10, 0, FIELD(failures), 0 },
#undef FIELD
};

enum { COLUMNS = sizeof(all) / sizeof(all[0]) };

void lg_remote_print(FILE *to, struct lg_table *table)
{
	struct lg_columns columns = lg_table_columns(table, all, COLUMNS);
	struct lg_row row = { &table->now->remote, &table->before->remote };

	if (table->now->remote.gets == 0 ||
	    (table->height > 0 && table->height < LG_CLASS_LINES + 2))
		return;
	lg_columns_print_heading(to, &columns);
	lg_columns_print_row(to, &columns, &row);
	if (table->height > 0)
		table->height -= 2;
}
