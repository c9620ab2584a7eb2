/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Memory that the program throws away behind the pager's back: what was there is zeros or as it was, and everything else is right. */
#include "unit/pager/shelved.h"

#include <sys/mman.h>

enum { BYTES = 8 << 20, CELL = 4096, CELLS = BYTES / CELL, RARE = 7 };

static const char *options;

static int start(void **state)
{
	(void)state;
	int result = shelved_start(options, &shelf_ops, BYTES);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	return result;
}

static bool is_thrown_away(size_t cell)
{
	return cell % RARE == 3 || (cell >= 600 && cell < 1200);
}

static void write_all(char what)
{
	for (size_t cell = 0; cell < CELLS; cell++)
		data[cell * CELL] = (char)(what + (char)cell);
}

static void throw_away(void)
{
	for (size_t cell = 0; cell < CELLS; cell++)
		if (is_thrown_away(cell))
			assert_int_equal(madvise(data + cell * CELL, CELL, MADV_DONTNEED), 0);
}

/* What the store has first is of no pattern that is written. */
static void check(size_t cell, char got, char what)
{
	if (got != (char)(what + (char)cell) && !is_thrown_away(cell))
		fail_msg("cell %zu is %d", cell, got);
	if (got != (char)(what + (char)cell) && got != 0 && got != shelf_byte(cell * CELL))
		fail_msg("cell %zu, which was thrown away, is %d", cell, got);
}

static void touches_go_on(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		write_all('a');
		throw_away();
		for (size_t cell = 0; cell < CELLS; cell++)
			check(cell, *(volatile char *)&data[cell * CELL], 'a');
		throw_away();
		write_all('b');
		for (size_t cell = 0; cell < CELLS; cell++)
			assert_int_equal(data[cell * CELL], (char)('b' + (char)cell));
	}
}

static void calls_go_on(void **state)
{
	(void)state;
	write_all('a');
	throw_away();
	for (size_t cell = 0; cell < CELLS; cell++) {
		char got;

		assert_int_equal(lg_map_read(map, &got, 1, cell * CELL), 1);
		check(cell, got, 'a');
	}
	throw_away();
	assert_int_equal(lg_map_pin(map, 600 * CELL, 4 * CELL), 0);
	data[601 * CELL] = 'p';
	assert_int_equal(lg_map_unpin(map, 600 * CELL, 4 * CELL), 0);
	assert_int_equal(data[601 * CELL], 'p');
}

static void pages_leave_and_are_written(void **state)
{
	(void)state;
	write_all('a');
	throw_away();
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t cell = 0; cell < CELLS; cell++)
		check(cell, shelf.bytes[cell * CELL], 'a');
	write_all('b');
	throw_away();
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	for (size_t cell = 0; cell < CELLS; cell++)
		if (!is_thrown_away(cell))
			assert_int_equal(shelf.bytes[cell * CELL], (char)('b' + (char)cell));
}

int main(void)
{
	static const char *const ways[] = {
		"memory:2M,page:4K,faults:inline",
		"memory:2M,page:64K,faults:inline",
		"memory:16M,page:2M,faults:inline",
		"memory:16M,page:64K,faults:inline",
		"memory:16M,page:64K,faults:inline,without:move", /* as pages that are written in place leave */
		"memory:2M,page:64K,faults:inline,without:wp",
		"memory:2M,page:64K,faults:threads",
		"memory:16M,page:2M,faults:threads",
	};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(touches_go_on),
		TEST(calls_go_on),
		TEST(pages_leave_and_are_written),
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		options = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
