/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Runs of write faults, alone; and in a map, where one fault makes several pages writable, and nothing else is. */
#include "pager/around.h"

#include "stress/shelf.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>

enum { MOST = 16, PAGE = 4096, PAGES = 512 };

static struct lg_around around;

static int start(void **state)
{
	(void)state;
	memset(&around, 0, sizeof(around));
	return 0;
}

/* A fault at `page`; the run ends behind what it may have. Returns how many that are. */
static uint64_t fault(uint64_t page)
{
	struct lg_around_run *run = lg_around_step(&around, page, MOST);

	run->end = page + run->pages;
	return run->pages;
}

static void run_doubles_up_to_the_most(void **state)
{
	uint64_t page = 0, faults = 0;

	(void)state;
	for (uint64_t wanted = 1; page < 1000; faults++) {
		uint64_t pages = fault(page);

		assert_int_equal(pages, wanted);
		wanted = wanted * 2 < MOST ? wanted * 2 : MOST;
		page += pages;
	}
	assert_in_range(faults, 1000 / MOST, 1000 / MOST + 5);
}

static void gaps_take_nothing_along(void **state)
{
	(void)state;
	for (uint64_t stride = 2; stride < 5; stride++)
		for (uint64_t page = stride * 1000; page < stride * 1000 + 500; page += stride)
			assert_int_equal(fault(page), 1);
	for (uint64_t page = 1000; page > 0; page--)
		assert_int_equal(fault(page), 1);
}

static void runs_go_side_by_side(void **state)
{
	uint64_t pages[LG_AROUNDS];

	(void)state;
	for (unsigned i = 0; i < LG_AROUNDS; i++)
		pages[i] = i * 1000;
	for (unsigned turn = 0; turn < 8; turn++)
		for (unsigned i = 0; i < LG_AROUNDS; i++) {
			uint64_t wanted = turn < 4 ? UINT64_C(1) << turn : MOST,
				 got = fault(pages[i]);

			assert_int_equal(got, wanted);
			pages[i] += got;
		}
	assert_int_equal(fault(100000), 1); /* and the oldest is forgotten, no other */
	assert_int_equal(fault(pages[0]), 1);
	assert_int_equal(fault(pages[2]), MOST);
}

/* Reads all pages, which are then in memory and protected, and writes each `stride`th: how many faults that took. */
static uint64_t faults_of_writing(size_t stride, uint64_t *dirtied)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:4K,faults:inline,prefetch:off");
	struct lg_pager_stats before, after;
	struct shelf shelf;

	assert_non_null(pager);
	shelf_make(&shelf, (size_t)PAGE * PAGES);
	lg_map *map = lg_map_store(pager, &shelf_ops, &shelf, shelf.length, NULL);
	assert_non_null(map);
	volatile char *data = lg_map_data(map);
	for (size_t page = 0; page < PAGES; page++)
		assert_int_equal(data[page * PAGE], shelf_byte(page * PAGE));
	assert_int_equal(lg_pager_stats_read(pager, &before), 0);
	for (size_t page = 0; page < PAGES; page += stride)
		data[page * PAGE] = 'w';
	assert_int_equal(lg_pager_stats_read(pager, &after), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t page = 0; page < PAGES; page++)
		assert_int_equal(shelf.bytes[page * PAGE],
				 page % stride == 0 ? 'w' : shelf_byte(page * PAGE));
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&shelf);
	*dirtied = after.bytes_dirtied - before.bytes_dirtied;
	return after.protect_faults - before.protect_faults;
}

static void writing_in_order_takes_few_faults(void **state)
{
	uint64_t dirtied;

	(void)state;
	assert_in_range(faults_of_writing(1, &dirtied), 1, PAGES / 16);
	assert_int_equal(dirtied, (uint64_t)PAGE * PAGES);
}

static void writing_here_and_there_makes_nothing_else_dirty(void **state)
{
	uint64_t dirtied;

	(void)state;
	for (size_t stride = 2; stride < 5; stride++) {
		uint64_t pages = (PAGES + stride - 1) / stride;

		assert_int_equal(faults_of_writing(stride, &dirtied), pages);
		assert_int_equal(dirtied, PAGE * pages);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(run_doubles_up_to_the_most, start),
		cmocka_unit_test_setup(gaps_take_nothing_along, start),
		cmocka_unit_test_setup(runs_go_side_by_side, start),
		cmocka_unit_test(writing_in_order_takes_few_faults),
		cmocka_unit_test(writing_here_and_there_makes_nothing_else_dirty),
	};

	return UNIT_RUN(tests);
}
