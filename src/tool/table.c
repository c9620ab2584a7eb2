/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/table.h"

#include "tool/figure.h"

#include <stdlib.h>
#include <string.h>

enum kind {
	SIZE,
	COUNT,       /* a gauge */
	BYTES,       /* a gauge */
	EVENTS,      /* a counter */
	EVENT_BYTES, /* a counter */
	SHARE,       /* a counter, in percent of the allocations */
};

/* What is left out first where the terminal is narrow has the highest rank. */
static const struct column {
	const char *key;
	const char *heading;
	enum kind kind;
	unsigned width;
	unsigned rank;
	size_t offset;
} columns[] = {
#define FIELD(name) offsetof(struct lg_class_stats, name)
	{ "size", "SIZE", SIZE, 5, 0, FIELD(size) },
	{ "in-use", "IN-USE", COUNT, 7, 0, FIELD(in_use) },
	{ "cached", "CACHED", COUNT, 6, 0, FIELD(cached) },
	{ "dirty", "DIRTY", COUNT, 6, 0, FIELD(dirty) },
	{ "lazy", "LAZY", COUNT, 6, 4, FIELD(lazy) },
	{ "clean", "CLEAN", COUNT, 7, 0, FIELD(clean) },
	{ "mapped", "MAPPED", BYTES, 6, 0, FIELD(area_bytes) },
	{ "allocs", "ALLOCS", EVENTS, 8, 0, FIELD(allocations) },
	{ "frees", "FREES", EVENTS, 7, 0, FIELD(frees) },
	{ "magazine", "MAG%", SHARE, 5, 1, FIELD(from_magazine) },
	{ "deque", "DEQUE%", SHARE, 6, 5, FIELD(from_deque) },
	{ "from-dirty", "DIRTY%", SHARE, 6, 5, FIELD(from_dirty) },
	{ "from-lazy", "LAZY%", SHARE, 5, 6, FIELD(from_lazy) },
	{ "from-clean", "CLEAN%", SHARE, 6, 5, FIELD(from_clean) },
	{ "stolen", "STOLEN%", SHARE, 7, 5, FIELD(steals) },
	{ "refills", "REFILLS", EVENTS, 9, 2, FIELD(refills) },
	{ "steals", "STEALS", EVENTS, 8, 7, FIELD(steals) },
	{ "reclaimed", "RECLAIMED", EVENT_BYTES, 11, 3, FIELD(reclaimed_bytes) },
	{ "refused", "REFUSED", EVENTS, 9, 7, FIELD(refused) },
#undef FIELD
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const struct lg_class_stats none;

struct row {
	const struct lg_class_stats *now;
	const struct lg_class_stats *before;
};

static uint64_t field(const struct lg_class_stats *class, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)class + offset, sizeof(value));
	return value;
}

double lg_table_seconds(const struct lg_reading *before, const struct lg_reading *now)
{
	return (double)(now->written_ns - before->written_ns) / 1e9;
}

/* How much a counter rose. False: that is not known, or it fell, as after a restart. */
static bool rise(const struct lg_table *table, const struct row *row, size_t offset, double *by)
{
	uint64_t now = field(row->now, offset);
	uint64_t before = table->mode == LG_TABLE_RATES ? field(row->before, offset) : 0;

	*by = (double)(now - before);
	return table->mode != LG_TABLE_WAITING && now >= before;
}

/* False: not known. */
static bool value_of(const struct lg_table *table, const struct row *row,
		     const struct column *column, double *value)
{
	double allocations;

	switch (column->kind) {
	case SIZE:
	case COUNT:
	case BYTES:
		*value = (double)field(row->now, column->offset);
		return true;
	case EVENTS:
	case EVENT_BYTES:
		if (!rise(table, row, column->offset, value))
			return false;
		if (table->mode == LG_TABLE_RATES)
			*value /= lg_table_seconds(table->before, table->now);
		return true;
	case SHARE:
		if (!rise(table, row, column->offset, value) ||
		    !rise(table, row, offsetof(struct lg_class_stats, allocations), &allocations) ||
		    allocations == 0)
			return false;
		*value *= 100 / allocations;
		return true;
	}
	return false;
}

static const char *cell(const struct lg_table *table, const struct row *row,
			const struct column *column, char text[LG_FIGURE_BYTES])
{
	bool rates = table->mode == LG_TABLE_RATES;
	double value;

	if (!value_of(table, row, column, &value))
		return "-";
	switch (column->kind) {
	case SIZE:
		return value > 0 ? lg_figure_bytes(value, text) : "total";
	case BYTES:
	case EVENT_BYTES:
		return lg_figure_bytes(value, text);
	case SHARE:
		snprintf(text, LG_FIGURE_BYTES, "%.*f", value > 0 ? 1 : 0,
			 value > 100 ? 100 : value);
		return text;
	default:
		if (rates && column->kind == EVENTS)
			return lg_figure_rate(value, column->width, text);
		return lg_figure_count(field(row->now, column->offset), column->width, text);
	}
}

/* Bit i: column i is shown. */
static uint32_t choose(unsigned width)
{
	unsigned shown = 0, highest = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		highest = columns[i].rank > highest ? columns[i].rank : highest;
	for (unsigned rank = highest + 1; rank-- > 0;) {
		unsigned needed = 0;

		shown = 0;
		for (size_t i = 0; i < COLUMNS; i++)
			if (columns[i].rank <= rank) {
				shown |= 1u << i;
				needed += columns[i].width + (i > 0);
			}
		if (width == 0 || needed <= width)
			break;
	}
	return shown;
}

static void print_heading(FILE *to, const struct lg_table *table, uint32_t shown)
{
	fputs(table->bold ? "\033[7m" : "", to);
	for (size_t i = 0; i < COLUMNS; i++) {
		bool by_second = table->mode != LG_TABLE_TOTALS &&
				 (columns[i].kind == EVENTS || columns[i].kind == EVENT_BYTES);
		char heading[32];

		if ((shown >> i & 1) == 0)
			continue;
		snprintf(heading, sizeof(heading), "%s%s", columns[i].heading,
			 by_second ? "/s" : "");
		fprintf(to, "%s%*s", i > 0 ? " " : "", (int)columns[i].width, heading);
	}
	fputs(table->bold ? "\033[m\n" : "\n", to);
}

static void print_row(FILE *to, const struct lg_table *table, uint32_t shown, const struct row *row)
{
	char text[LG_FIGURE_BYTES];

	for (size_t i = 0; i < COLUMNS; i++)
		if ((shown >> i & 1) != 0)
			fprintf(to, "%s%*s", i > 0 ? " " : "", (int)columns[i].width,
				cell(table, row, &columns[i], text));
	fputc('\n', to);
}

static bool is_idle(const struct lg_table *table, const struct row *row)
{
	double allocations, frees;

	if (row->now->in_use + row->now->cached + row->now->dirty + row->now->lazy > 0)
		return false;
	if (!rise(table, row, offsetof(struct lg_class_stats, allocations), &allocations) ||
	    !rise(table, row, offsetof(struct lg_class_stats, frees), &frees))
		return true;
	return allocations + frees == 0;
}

static const struct lg_class_stats *class_before(const struct lg_table *table, uint64_t size)
{
	for (unsigned i = 0; table->mode == LG_TABLE_RATES && i < table->before->class_count; i++)
		if (table->before->classes[i].size == size)
			return &table->before->classes[i];
	return &none;
}

/* By the column, the largest first, sizes the smallest first; what is not known last. Few and stable. */
static void sort_rows(const struct lg_table *table, struct row *rows, unsigned count)
{
	const struct column *column = &columns[table->sort];

	for (unsigned i = 1; column->kind != SIZE && i < count; i++) {
		struct row row = rows[i];
		double value = -1, other = -1;
		unsigned place = i;

		if (!value_of(table, &row, column, &value))
			value = -1;
		for (; place > 0; place--) {
			if (!value_of(table, &rows[place - 1], column, &other))
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
	struct row rows[LG_READING_CLASSES];
	struct row total = { &table->now->totals, &none };
	uint32_t shown = choose(table->width);
	unsigned count = 0, lines = table->height, idle = 0;

	if (table->mode == LG_TABLE_RATES)
		total.before = &table->before->totals;
	for (unsigned i = 0; i < table->now->class_count; i++) {
		const struct lg_class_stats *class = &table->now->classes[i];
		struct row row = { class, class_before(table, class->size) };

		if (table->idle || !is_idle(table, &row))
			rows[count++] = row;
		else
			idle++;
	}
	sort_rows(table, rows, count);
	print_heading(to, table, shown);
	lines = lines > 3 ? lines - 3 :
		lines > 0 ? 1 :
			    count; /* heading, total, what is left out */
	for (unsigned i = 0; i < count && i < lines; i++)
		print_row(to, table, shown, &rows[i]);
	print_row(to, table, shown, &total);
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
		if (strcmp(columns[i].key, key) == 0) {
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
			strcat(strcat(keys, i > 0 ? ", " : ""), columns[i].key);
	return keys;
}
