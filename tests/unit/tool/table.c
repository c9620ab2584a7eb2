/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/table.h"

#include "unit/tool/cells.h"

static struct lg_reading before, now;
static char text[CELLS_TEXT_BYTES];

/* Two classes in use and one idle; two seconds lie between the readings. */
static int prepare(void **state)
{
	(void)state;
	now = (struct lg_reading){
		.written_ns = 5000000000,
		.class_count = 3,
		.totals = { .in_use = 13,
			    .allocations = 3100,
			    .from_magazine = 3000,
			    .area_bytes = 96 << 20 },
		.classes = { { .size = 65536,
			       .in_use = 3,
			       .allocations = 3000,
			       .frees = 2997,
			       .from_magazine = 2925,
			       .steals = 75,
			       .area_bytes = 32 << 20 },
			     { .size = 2 << 20,
			       .in_use = 10,
			       .dirty = 4,
			       .allocations = 100,
			       .frees = 90,
			       .from_magazine = 75,
			       .area_bytes = 32 << 20,
			       .reclaimed_bytes = 8 << 20,
			       .refused = 7 },
			     { .size = 4 << 20,
			       .allocations = 5,
			       .frees = 5,
			       .area_bytes = 32 << 20 } },
	};
	before = now;
	before.written_ns = 3000000000;
	before.classes[0].allocations = 1000;
	before.classes[0].from_magazine = 1000;
	before.classes[0].steals = 0;
	before.classes[1].allocations = 99;
	before.totals.allocations = 1099;
	before.totals.from_magazine = 1099;
	return 0;
}

static struct lg_table table_of(enum lg_column_mode mode)
{
	return (struct lg_table){ .now = &now, .before = &before, .mode = mode };
}

static void print(const struct lg_table *table)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_non_null(to);
	lg_table_print(to, table);
	assert_int_equal(fclose(to), 0);
}

static const char *word(const char *first, unsigned column)
{
	return cells_word(text, first, column);
}

static const char *cell(const char *row, const char *heading)
{
	return cells_get(text, "SIZE", row, heading);
}

static void totals_are_what_the_file_says(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	print(&table);
	assert_string_equal(cell("64K", "IN-USE"), "3");
	assert_string_equal(cell("64K", "ALLOCS"), "3000");
	assert_string_equal(cell("64K", "FREES"), "2997");
	assert_string_equal(cell("64K", "MAG%"), "97.5");
	assert_string_equal(cell("64K", "STOLEN%"), "2.5");
	assert_string_equal(cell("64K", "STEALS"), "75");
	assert_string_equal(cell("64K", "MAPPED"), "32M");
	assert_string_equal(cell("2M", "DIRTY"), "4");
	assert_string_equal(cell("2M", "RECLAIMED"), "8M");
	assert_string_equal(cell("2M", "REFUSED"), "7");
	assert_string_equal(cell("total", "IN-USE"), "13");
	assert_string_equal(cell("total", "ALLOCS"), "3100");
}

static void rates_are_by_second_and_shares_of_what_is_new(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	print(&table);
	assert_string_equal(cell("64K", "ALLOCS/s"), "1000");
	assert_string_equal(cell("64K", "FREES/s"), "0");
	assert_string_equal(cell("64K", "MAG%"), "96.2");
	assert_string_equal(cell("64K", "STEALS/s"), "37.5");
	assert_string_equal(cell("2M", "ALLOCS/s"), "0.50");
	assert_string_equal(cell("2M", "MAG%"), "0");
	assert_string_equal(cell("64K", "IN-USE"), "3");
	before.class_count = 1; /* a class that was not there before began from nothing */
	print(&table);
	assert_string_equal(cell("2M", "ALLOCS/s"), "50.0");
}

static void what_is_not_known_is_a_dash(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_WAITING);

	(void)state;
	print(&table);
	assert_string_equal(cell("64K", "ALLOCS/s"), "-");
	assert_string_equal(cell("64K", "MAG%"), "-");
	assert_string_equal(cell("64K", "IN-USE"), "3");
	table.mode = LG_COLUMN_RATES;
	before.classes[0].allocations = 3001; /* the process was started anew */
	print(&table);
	assert_string_equal(cell("64K", "ALLOCS/s"), "-");
	assert_string_equal(cell("64K", "MAG%"), "-");
	assert_string_equal(cell("2M", "ALLOCS/s"), "0.50");
}

static void idle_classes_are_shown_when_asked_for(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	print(&table);
	assert_string_equal(word("4M", 0), "");
	assert_non_null(strstr(text, "1 idle class is not shown (--all)"));
	table.idle = true;
	print(&table);
	assert_string_equal(cell("4M", "MAPPED"), "32M");
	assert_null(strstr(text, "idle"));
	table = table_of(LG_COLUMN_TOTALS);
	print(&table);
	assert_string_equal(cell("4M", "ALLOCS"), "5"); /* not idle for ever */
}

static void rows_are_sorted_by_any_column(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	print(&table);
	assert_true(strstr(text, " 64K") < strstr(text, " 2M "));
	assert_true(lg_table_column("in-use", &table.sort));
	print(&table);
	assert_true(strstr(text, " 2M ") < strstr(text, " 64K"));
	assert_true(strstr(text, " 64K") < strstr(text, "\ntotal"));
	assert_true(lg_table_column("allocs", &table.sort));
	print(&table);
	assert_true(strstr(text, " 64K") < strstr(text, " 2M "));
	assert_false(lg_table_column("", &table.sort));
	assert_false(lg_table_column("ALLOCS", &table.sort));
	assert_non_null(strstr(lg_table_keys(), "allocs, frees"));
}

static void table_fits_the_window(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	table.idle = true;
	print(&table);
	size_t whole = strcspn(text, "\n");
	for (unsigned width = 80; width <= whole; width++) {
		table.width = width;
		print(&table);
		for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 1, width);
		assert_string_not_equal(cell("64K", "ALLOCS/s"), "");
	}
	assert_string_not_equal(cell("64K", "REFUSED/s"), "");
	for (unsigned height = 4; height < 10; height++) {
		table.height = height;
		print(&table);
		assert_in_range(cells_lines(text), 4, height);
		assert_string_equal(cell("total", "IN-USE"), "13");
	}
	table.height = 4;
	print(&table);
	assert_non_null(strstr(text, "2 more classes do not fit"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, prepare)
	const struct CMUnitTest tests[] = {
		TEST(totals_are_what_the_file_says),
		TEST(rates_are_by_second_and_shares_of_what_is_new),
		TEST(what_is_not_known_is_a_dash),
		TEST(idle_classes_are_shown_when_asked_for),
		TEST(rows_are_sorted_by_any_column),
		TEST(table_fits_the_window),
	};

	return UNIT_RUN(tests);
}
