/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/pagers.h"

#include "unit/tool/cells.h"

static struct lg_reading before, now;
static char text[CELLS_TEXT_BYTES];

/* Two pagers; four seconds lie between the readings. */
static int prepare(void **state)
{
	(void)state;
	now = (struct lg_reading){
		.written_ns = 9000000000,
		.pager_count = 2,
		.pagers = { { .name = "default",
			      .policy = "clock",
			      .page_bytes = 65536,
			      .stats = { .budget = 512 << 20,
					 .resident = 500 << 20,
					 .limbo = 16 << 20,
					 .maps = 3,
					 .map_bytes = (uint64_t)2 << 30,
					 .faults = 10000,
					 .limbo_hits = 2500,
					 .bytes_read = 48 << 20,
					 .bytes_written = 32 << 20,
					 .evictions = 2000,
					 .evictions_direct = 500,
					 .prefetched = 100,
					 .prefetch_useful = 90 } },
			    { .name = "7",
			      .policy = "a-policy-with-a-very-long-name",
			      .page_bytes = 4096,
			      .stats = { .budget = 1 << 20, .pinned = 4096, .errors = 3 } } },
	};
	before = now;
	before.written_ns = 5000000000;
	before.pagers[0].stats.faults = 2000;
	before.pagers[0].stats.limbo_hits = 500;
	before.pagers[0].stats.bytes_read = 8 << 20;
	return 0;
}

static struct lg_table table_of(enum lg_column_mode mode)
{
	return (struct lg_table){ .now = &now, .before = &before, .mode = mode };
}

static void print(struct lg_table *table)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_non_null(to);
	text[0] = '\0';
	lg_pagers_print(to, table);
	assert_int_equal(fclose(to), 0);
}

static const char *cell(const char *row, const char *heading)
{
	return cells_get(text, "PAGER", row, heading);
}

static void totals_are_what_the_file_says(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	print(&table);
	assert_int_equal(cells_lines(text), 3);
	assert_string_equal(cell("default", "POLICY"), "clock");
	assert_string_equal(cell("default", "PAGE"), "64K");
	assert_string_equal(cell("default", "BUDGET"), "512M");
	assert_string_equal(cell("default", "RESIDENT"), "500M");
	assert_string_equal(cell("default", "LIMBO"), "16M");
	assert_string_equal(cell("default", "PINNED"), "0");
	assert_string_equal(cell("default", "MAPS"), "3");
	assert_string_equal(cell("default", "MAPPED"), "2G");
	assert_string_equal(cell("default", "FAULTS"), "10000");
	assert_string_equal(cell("default", "LIMBO%"), "25.0");
	assert_string_equal(cell("default", "READ"), "48M");
	assert_string_equal(cell("default", "WRITTEN"), "32M");
	assert_string_equal(cell("default", "EVICTED"), "2000");
	assert_string_equal(cell("default", "DIRECT%"), "25.0");
	assert_string_equal(cell("default", "AHEAD%"), "90.0");
	assert_string_equal(cell("default", "ERRORS"), "0");
	assert_string_equal(cell("7", "POLICY"), "a-polic");
	assert_string_equal(cell("7", "PINNED"), "4K");
	assert_string_equal(cell("7", "LIMBO%"), "-"); /* of no faults */
	assert_string_equal(cell("7", "ERRORS"), "3");
}

static void rates_are_of_the_pager_of_the_same_name(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	print(&table);
	assert_string_equal(cell("default", "FAULTS/s"), "2000");
	assert_string_equal(cell("default", "LIMBO%"), "25.0");
	assert_string_equal(cell("default", "READ/s"), "10M");
	assert_string_equal(cell("default", "WRITTEN/s"), "0");
	before.pagers[1] = before.pagers[0]; /* another was made before it */
	strcpy(before.pagers[0].name, "1");
	print(&table);
	assert_string_equal(cell("default", "FAULTS/s"), "2000");
	assert_string_equal(cell("7", "ERRORS/s"), "0.75"); /* of one that began between */
	table.mode = LG_COLUMN_WAITING;
	print(&table);
	assert_string_equal(cell("default", "FAULTS/s"), "-");
	assert_string_equal(cell("default", "BUDGET"), "512M");
}

static void process_without_pagers_has_no_lines(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_TOTALS);

	(void)state;
	now.pager_count = 0;
	table.height = 20;
	print(&table);
	assert_string_equal(text, "");
	assert_int_equal(table.height, 20);
}

static void table_leaves_room_for_the_classes(void **state)
{
	(void)state;
	for (now.pager_count = 1; now.pager_count <= LG_READING_PAGERS; now.pager_count++)
		for (unsigned height = 1; height < 120; height++) {
			struct lg_table table = table_of(LG_COLUMN_TOTALS);

			table.height = height;
			print(&table);
			assert_int_equal(table.height + cells_lines(text), height);
			assert_true(cells_lines(text) <= height / 3);
			assert_true(cells_lines(text) == 0 || table.height >= 4);
			if (height >= 3 * LG_READING_PAGERS + 3)
				assert_null(strstr(text, "fit"));
			else if (cells_lines(text) > 0 && cells_lines(text) < now.pager_count + 1)
				assert_non_null(strstr(text, "not fit"));
		}
	now.pager_count = 2;
	now.pagers_left_out = 1;
	struct lg_table table = table_of(LG_COLUMN_TOTALS);
	print(&table);
	assert_non_null(strstr(text, "1 more pager does not fit"));
}

static void table_fits_the_window(void **state)
{
	struct lg_table table = table_of(LG_COLUMN_RATES);

	(void)state;
	print(&table);
	size_t whole = strcspn(text, "\n");
	for (table.width = 80; table.width <= whole; table.width++) {
		print(&table);
		for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 1, table.width);
		assert_string_not_equal(cell("default", "FAULTS/s"), "");
	}
	assert_string_not_equal(cell("default", "POLICY"), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, prepare)
	const struct CMUnitTest tests[] = {
		TEST(totals_are_what_the_file_says),
		TEST(rates_are_of_the_pager_of_the_same_name),
		TEST(process_without_pagers_has_no_lines),
		TEST(table_leaves_room_for_the_classes),
		TEST(table_fits_the_window),
	};

	return UNIT_RUN(tests);
}
