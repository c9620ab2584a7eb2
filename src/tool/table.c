/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/table.h"

#include <stdlib.h>
#include <string.h>

static const struct lg_column all[] = {
#define FIELD(name) offsetof(struct lg_class_stats, name)
	{ "size", "SIZE", LG_COLUMN_SIZE, 5, 0, FIELD(size), 0 },
	{ "in-use", "IN-USE", LG_COLUMN_COUNT, 7, 0, FIELD(in_use), 0 },
	{ "cached", "CACHED", LG_COLUMN_COUNT, 6, 0, FIELD(cached), 0 },
	{ "dirty", "DIRTY", LG_COLUMN_COUNT, 6, 0, FIELD(dirty), 0 },
	{ "lazy", "LAZY", LG_COLUMN_COUNT, 6, 4, FIELD(lazy), 0 },
	{ "clean", "CLEAN", LG_COLUMN_COUNT, 7, 0, FIELD(clean), 0 },
	{ "mapped", "MAPPED", LG_COLUMN_BYTES, 6, 0, FIELD(area_bytes), 0 },
	{ "allocs", "ALLOCS", LG_COLUMN_EVENTS, 8, 0, FIELD(allocations), 0 },
	{ "frees", "FREES", LG_COLUMN_EVENTS, 7, 0, FIELD(frees), 0 },
	{ "magazine", "MAG%", LG_COLUMN_SHARE, 5, 1, FIELD(from_magazine), FIELD(allocations) },
	{ "deque", "DEQUE%", LG_COLUMN_SHARE, 6, 5, FIELD(from_deque), FIELD(allocations) },
	{ "from-dirty", "DIRTY%", LG_COLUMN_SHARE, 6, 5, FIELD(from_dirty), FIELD(allocations) },
	{ "from-lazy", "LAZY%", LG_COLUMN_SHARE, 5, 6, FIELD(from_lazy), FIELD(allocations) },
	{ "from-clean", "CLEAN%", LG_COLUMN_SHARE, 6, 5, FIELD(from_clean), FIELD(allocations) },
	{ "stolen", "STOLEN%", LG_COLUMN_SHARE, 7, 5, FIELD(steals), FIELD(allocations) },
	{ "refills", "REFILLS", LG_COLUMN_EVENTS, 9, 2, FIELD(refills), 0 },
	{ "steals", "STEALS", LG_COLUMN_EVENTS, 8, 7, FIELD(steals), 0 },
	{ "reclaimed", "RECLAIMED", LG_COLUMN_EVENT_BYTES, 11, 3, FIELD(reclaimed_bytes), 0 },
	{ "refused", "REFUSED", LG_COLUMN_EVENTS, 9, 7, FIELD(refused), 0 },
#undef FIELD
};

enum { COLUMNS = sizeof(all) / sizeof(all[0]) };

static const struct lg_class_stats none;

double lg_table_seconds(const struct lg_reading *before, const struct lg_reading *now)
{
	return (double)(now->written_ns - before->written_ns) / 1e9;
}

struct lg_columns lg_table_columns(const struct lg_table *table, const struct lg_column *columns,
				   size_t count)
{
	struct lg_columns shown = {
		.all = columns,
		.count = count,
		.mode = table->mode,
		.bold = table->bold,
	};

	if (table->mode == LG_COLUMN_RATES)
		shown.seconds = lg_table_seconds(table->before, table->now);
	lg_columns_choose(&shown, table->width);
	return shown;
}

static bool is_idle(const struct lg_columns *columns, const struct lg_row *row)
{
	const struct lg_class_stats *class = row->now;
	double allocations, frees;

	if (class->in_use + class->cached + class->dirty + class->lazy > 0)
		return false;
	if (!lg_columns_rise(columns, row, offsetof(struct lg_class_stats, allocations),
			     &allocations) ||
	    !lg_columns_rise(columns, row, offsetof(struct lg_class_stats, frees), &frees))
		return true;
	return allocations + frees == 0;
}

static const struct lg_class_stats *class_before(const struct lg_table *table, uint64_t size)
{
	for (unsigned i = 0; table->mode == LG_COLUMN_RATES && i < table->before->class_count; i++)
		if (table->before->classes[i].size == size)
			return &table->before->classes[i];
	return &none;
}

/* By the column, the largest first, sizes the smallest first; what is not known last. Few and stable. */
static void sort_rows(const struct lg_columns *columns, const struct lg_column *column,
		      struct lg_row *rows, unsigned count)
{
	for (unsigned i = 1; column->kind != LG_COLUMN_SIZE && i < count; i++) {
		struct lg_row row = rows[i];
		double value = -1, other = -1;
		unsigned place = i;

		if (!lg_column_value(columns, column, &row, &value))
			value = -1;
		for (; place > 0; place--) {
			if (!lg_column_value(columns, column, &rows[place - 1], &other))
				other = -1;
			if (other >= value)
				break;
			rows[place] = rows[place - 1];
		}
		rows[place] = row;
	}
}

void lg_table_print(FILE *to, const struct lg_table *table)
{
	struct lg_row rows[LG_READING_CLASSES];
	struct lg_row total = { &table->now->totals, &none };
	struct lg_columns columns = lg_table_columns(table, all, COLUMNS);
	unsigned count = 0, lines = table->height, idle = 0;

	if (table->mode == LG_COLUMN_RATES)
		total.before = &table->before->totals;
	for (unsigned i = 0; i < table->now->class_count; i++) {
		const struct lg_class_stats *class = &table->now->classes[i];
		struct lg_row row = { class, class_before(table, class->size) };

		if (table->idle || !is_idle(&columns, &row))
			rows[count++] = row;
		else
			idle++;
	}
	sort_rows(&columns, &all[table->sort], rows, count);
	lg_columns_print_heading(to, &columns);
	lines = lines > 3 ? lines - 3 :
		lines > 0 ? 1 :
			    count; /* heading, total, what is left out */
	for (unsigned i = 0; i < count && i < lines; i++)
		lg_columns_print_row(to, &columns, &rows[i]);
	lg_columns_print_row(to, &columns, &total);
	if (count > lines)
		fprintf(to, "%u more class%s not fit\n", count - lines,
			count - lines == 1 ? " does" : "es do");
	else if (idle > 0)
		fprintf(to, "%u idle class%s not shown (--all)\n", idle,
			idle == 1 ? " is" : "es are");
}

bool lg_table_column(const char *key, size_t *column)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (strcmp(all[i].key, key) == 0) {
			*column = i;
			return true;
		}
	return false;
}

const char *lg_table_keys(void)
{
	static char keys[256];

	if (keys[0] == '\0')
		for (size_t i = 0; i < COLUMNS; i++)
			strcat(strcat(keys, i > 0 ? ", " : ""), all[i].key);
	return keys;
}
