/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/column.h"

#include <string.h>

static uint64_t field(const void *record, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)record + offset, sizeof(value));
	return value;
}

bool lg_columns_rise(const struct lg_columns *columns, const struct lg_row *row, size_t offset,
		     double *by)
{
	uint64_t now = field(row->now, offset);
	uint64_t before = columns->mode == LG_COLUMN_RATES ? field(row->before, offset) : 0;

	*by = (double)(now - before);
	return columns->mode != LG_COLUMN_WAITING && now >= before;
}

bool lg_column_value(const struct lg_columns *columns, const struct lg_column *column,
		     const struct lg_row *row, double *value)
{
	double whole;

	switch (column->kind) {
	case LG_COLUMN_NAME:
		return false;
	case LG_COLUMN_SIZE:
	case LG_COLUMN_COUNT:
	case LG_COLUMN_BYTES:
		*value = (double)field(row->now, column->offset);
		return true;
	case LG_COLUMN_EVENTS:
	case LG_COLUMN_EVENT_BYTES:
		if (!lg_columns_rise(columns, row, column->offset, value))
			return false;
		if (columns->mode == LG_COLUMN_RATES)
			*value /= columns->seconds;
		return true;
	case LG_COLUMN_SHARE:
		if (!lg_columns_rise(columns, row, column->offset, value) ||
		    !lg_columns_rise(columns, row, column->whole, &whole) || whole == 0)
			return false;
		*value *= 100 / whole;
		return true;
	}
	return false;
}

static const char *cell(const struct lg_columns *columns, const struct lg_row *row,
			const struct lg_column *column, char text[LG_FIGURE_BYTES])
{
	bool rates = columns->mode == LG_COLUMN_RATES;
	double value;

	if (column->kind == LG_COLUMN_NAME)
		return (const char *)row->now + column->offset;
	if (!lg_column_value(columns, column, row, &value))
		return "-";
	switch (column->kind) {
	case LG_COLUMN_SIZE:
		return value > 0 ? lg_figure_bytes(value, text) : "total";
	case LG_COLUMN_BYTES:
	case LG_COLUMN_EVENT_BYTES:
		return lg_figure_bytes(value, text);
	case LG_COLUMN_SHARE:
		snprintf(text, LG_FIGURE_BYTES, "%.*f", value > 0 ? 1 : 0,
			 value > 100 ? 100 : value);
		return text;
	default:
		if (rates && column->kind == LG_COLUMN_EVENTS)
			return lg_figure_rate(value, column->width, text);
		return lg_figure_count(field(row->now, column->offset), column->width, text);
	}
}

void lg_columns_choose(struct lg_columns *columns, unsigned width)
{
	unsigned highest = 0;

	for (size_t i = 0; i < columns->count; i++)
		highest = columns->all[i].rank > highest ? columns->all[i].rank : highest;
	for (unsigned rank = highest + 1; rank-- > 0;) {
		unsigned needed = 0;

		columns->shown = 0;
		for (size_t i = 0; i < columns->count; i++)
			if (columns->all[i].rank <= rank) {
				columns->shown |= 1u << i;
				needed += columns->all[i].width + (i > 0);
			}
		if (width == 0 || needed <= width)
			break;
	}
}

static bool is_shown(const struct lg_columns *columns, size_t i)
{
	return (columns->shown >> i & 1) != 0;
}

void lg_columns_print_heading(FILE *to, const struct lg_columns *columns)
{
	fputs(columns->bold ? "\033[7m" : "", to);
	for (size_t i = 0; i < columns->count; i++) {
		const struct lg_column *column = &columns->all[i];
		bool by_second =
			columns->mode != LG_COLUMN_TOTALS &&
			(column->kind == LG_COLUMN_EVENTS || column->kind == LG_COLUMN_EVENT_BYTES);
		char heading[32];

		if (!is_shown(columns, i))
			continue;
		snprintf(heading, sizeof(heading), "%s%s", column->heading, by_second ? "/s" : "");
		fprintf(to, "%s%*s", i > 0 ? " " : "", (int)column->width, heading);
	}
	fputs(columns->bold ? "\033[m\n" : "\n", to);
}

void lg_columns_print_row(FILE *to, const struct lg_columns *columns, const struct lg_row *row)
{
	char text[LG_FIGURE_BYTES];

	for (size_t i = 0; i < columns->count; i++)
		if (is_shown(columns, i))
			fprintf(to, "%s%*.*s", i > 0 ? " " : "", (int)columns->all[i].width,
				columns->all[i].kind == LG_COLUMN_NAME ?
					(int)columns->all[i].width :
					LG_FIGURE_BYTES,
				cell(columns, row, &columns->all[i], text));
	fputc('\n', to);
}
