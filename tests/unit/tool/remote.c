/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/remote.h"

#include "unit/tool/cells.h"

static struct lg_reading before, now;
static char text[CELLS_TEXT_BYTES];

/* Four seconds lie between the readings. */
static int prepare(void **state)
{
	(void)state;
	now = (struct lg_reading){
		.written_ns = 9000000000,
		.remote = { .gets = 100,
			    .bytes_fetched = 48 << 20,
			    .bytes_used = 40 << 20,
			    .retries = 7,
			    .prefetched = 200,
			    .prefetch_hits = 150,
			    .failures = 1 },
	};
	before = now;
	before.written_ns = 5000000000;
	before.remote.gets = 60;
	before.remote.bytes_fetched = 8 << 20;
	return 0;
}

static void print(struct lg_table *table)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_non_null(to);
	text[0] = '\0';
	lg_remote_print(to, table);
	assert_int_equal(fclose(to), 0);
}

static struct lg_table table_of(enum lg_column_mode mode)
{
	return (struct lg_table){ .now = &now, .before = &before, .mode = mode };
}

static void totals_are_what_the_file_says(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	print(&table);
	assert_int_equal(cells_lines(text), 2);
	assert_string_equal(cells_get(text, "GETS", "100", "GETS"), "100");
	assert_string_equal(cells_get(text, "GETS", "100", "FETCHED"), "48M");
	assert_string_equal(cells_get(text, "GETS", "100", "USED"), "40M");
	assert_string_equal(cells_get(text, "GETS", "100", "RETRIES"), "7");
	assert_string_equal(cells_get(text, "GETS", "100", "HEDGES"), "0");
	assert_string_equal(cells_get(text, "GETS", "100", "AHEAD%"), "75.0");
	assert_string_equal(cells_get(text, "GETS", "100", "FAILURES"), "1");
}

static void rates_are_between_the_readings(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	print(&table);
	assert_string_equal(cells_get(text, "GETS/s", "10.0", "GETS/s"), "10.0");
	assert_string_equal(cells_get(text, "GETS/s", "10.0", "FETCHED/s"), "10M");
}

static void a_process_that_asked_for_none_has_no_line(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	now.remote.gets = 0;
	print(&table);
	assert_string_equal(text, "");
}

static void classes_keep_their_lines(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	table.height = 6;
	print(&table);
	assert_int_equal(cells_lines(text), 2);
	assert_int_equal(table.height, 4);
	table.height = 5;
	print(&table);
	assert_string_equal(text, "");
	assert_int_equal(table.height, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, prepare)
	const struct CMUnitTest tests[] = {
		TEST(totals_are_what_the_file_says),
		TEST(rates_are_between_the_readings),
		TEST(a_process_that_asked_for_none_has_no_line),
		TEST(classes_keep_their_lines),
	};

	return UNIT_RUN(tests);
}
