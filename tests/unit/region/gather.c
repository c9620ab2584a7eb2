/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/gather.h"

#include "os/map.h"
#include "region/mappings.h"
#include "region/pool.h"
#include "region/split.h"
#include "region/tail.h"
#include "unit/region/library.h"

#define MIB ((size_t)1 << 20)

static uint64_t resident(struct lg_region *region)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_os_resident(region->view.data, region->view.bytes, &bytes), 0);
	return bytes;
}

/* As the shim's malloc makes a block. */
static struct lg_region *made(size_t bytes)
{
	struct lg_region *region = lg_region_new(bytes);

	assert_non_null(region);
	assert_true(lg_gather(region, bytes));
	lg_tail_fit(region, bytes);
	return region;
}

/* Dirty regions, that many, all of whose `bytes` were written, in the pool. */
static void leave_dirty(size_t bytes, unsigned count)
{
	struct lg_region *regions[8];

	assert_true(count <= 8);
	for (unsigned i = 0; i < count; i++) {
		regions[i] = lg_region_new(bytes);
		assert_non_null(regions[i]);
		lg_tail_fit(regions[i], bytes);
		memset(lg_region_data(regions[i]), 1, bytes);
	}
	for (unsigned i = 0; i < count; i++)
		lg_region_free(regions[i]);
}

static uint64_t dirty_of(size_t bytes)
{
	return stats_of(lg_class_of(bytes)).dirty;
}

static void part_of_a_larger_region_is_taken_and_the_rest_stays(void **state)
{
	struct lg_region *region, *rest;

	(void)state;
	leave_dirty(16 * MIB, 1);
	region = made(4 * MIB);
	assert_int_equal(resident(region), 4 * MIB);
	assert_int_equal(((char *)lg_region_data(region))[4 * MIB - 1], 1);
	assert_int_equal(dirty_of(16 * MIB), 1);
	rest = lg_region_new(16 * MIB);
	assert_int_equal(resident(rest), 12 * MIB);
	assert_int_equal(lg_tail_end(rest), 12 * MIB);
	lg_region_free(rest);
	lg_region_free(region);
}

static void smaller_regions_are_joined_and_then_read_zero(void **state)
{
	struct lg_region *region, *zero;

	(void)state;
	leave_dirty(4 * MIB, 3);
	region = made(8 * MIB);
	assert_int_equal(resident(region), 8 * MIB);
	assert_int_equal(dirty_of(4 * MIB), 1);
	zero = lg_region_new_zeroed(4 * MIB);
	for (size_t at = 0; at < 4 * MIB; at++)
		assert_int_equal(((char *)lg_region_data(zero))[at], 0);
	lg_region_free(zero);
	lg_region_free(region);
}

static void no_more_is_gathered_than_was_asked_for(void **state)
{
	struct lg_region *region;

	(void)state;
	leave_dirty(16 * MIB, 1);
	region = made(5 * MIB); /* the last huge page would be half waste */
	assert_int_equal(resident(region), 4 * MIB);
	lg_region_free(region);
	assert_int_equal(lg_trim(), 0);
	leave_dirty(16 * MIB, 1);
	region = made(6 * MIB - 4096);
	assert_int_equal(resident(region), 6 * MIB);
	lg_region_free(region);
}

static void only_what_has_no_pages_is_gathered_to(void **state)
{
	struct lg_region *region, *again;

	(void)state;
	leave_dirty(6 * MIB, 1);
	region = lg_region_new(8 * MIB);
	((char *)lg_region_data(region))[0] = 7;
	leave_dirty(32 * MIB, 1);
	assert_true(lg_gather(region, 8 * MIB));
	lg_tail_fit(region, 8 * MIB);
	assert_int_equal(resident(region), 8 * MIB);
	assert_int_equal(((char *)lg_region_data(region))[0], 7);
	again = lg_region_new(32 * MIB);
	assert_int_equal(resident(again), 30 * MIB);
	lg_region_free(again);
	lg_region_free(region);
}

static void gathered_region_moves_with_its_bytes(void **state)
{
	struct lg_region *region;
	char *data;

	(void)state;
	leave_dirty(4 * MIB, 3);
	region = made(14 * MIB);
	assert_true(lg_split_is_gathered(region));
	data = lg_region_data(region);
	for (size_t at = 0; at < 14 * MIB; at += 4096)
		data[at] = (char)(at / MIB + 1);
	region = lg_region_resize(region, 40 * MIB);
	assert_non_null(region);
	assert_int_equal(stats_of(lg_class_of(40 * MIB)).copied, 0);
	lg_tail_fit(region, 40 * MIB);
	data = lg_region_data(region);
	for (size_t at = 0; at < 14 * MIB; at += 4096)
		assert_int_equal(data[at], at / MIB + 1);
	memset(data, 2, 40 * MIB);
	/* And gives its pages again, piece by piece. */
	lg_region_free(region);
	region = made(32 * MIB);
	assert_int_equal(resident(region), 32 * MIB);
	memset(lg_region_data(region), 3, 32 * MIB);
	lg_region_free(region);
	assert_int_equal(lg_trim(), 0);
	check_all_areas();
}

static void without_mappings_left_nothing_is_gathered(void **state)
{
	struct lg_region *region;
	uint32_t left = 0;

	(void)state;
	leave_dirty(64 * MIB, 1);
	while (lg_mappings_take(1))
		left++;
	region = made(128 * MIB);
	assert_int_equal(resident(region), 0);
	assert_int_equal(dirty_of(64 * MIB), 1);
	lg_region_free(region);
	lg_mappings_give(left);
}

static void budget_is_charged_once_and_given_back_with_the_area(void **state)
{
	uint32_t left = 0, then = 0;

	(void)state;
	assert_int_equal(lg_trim(), 0);
	while (lg_mappings_take(1))
		left++;
	lg_mappings_give(left);
	for (unsigned i = 0; i < 3; i++) {
		leave_dirty(4 * MIB, 2);
		lg_region_free(made(8 * MIB));
		assert_int_equal(lg_trim(), 0); /* unmaps */
		while (lg_mappings_take(1))
			then++;
		lg_mappings_give(then);
		assert_int_equal(then, left);
		then = 0;
	}
}

static void memory_in_a_file_stays_where_it_is(void **state)
{
	struct lg_region *region;

	(void)state;
	leave_dirty(16 * MIB, 1);
	region = made(4 * MIB);
	assert_int_equal(dirty_of(16 * MIB), 1);
	memset(lg_region_data(region), 1, 4 * MIB);
	assert_false(lg_split_is(region));
	lg_region_free(region);
}

/* No cache: what is free is in the pool, and nothing comes with it. */
static int start(void **state)
{
	int error = library_start(state);

	return error != 0 ? error : lg_configure("cache_bytes:0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest anon[] = {
		TEST(part_of_a_larger_region_is_taken_and_the_rest_stays),
		TEST(smaller_regions_are_joined_and_then_read_zero),
		TEST(no_more_is_gathered_than_was_asked_for),
		TEST(only_what_has_no_pages_is_gathered_to),
		TEST(gathered_region_moves_with_its_bytes),
		TEST(without_mappings_left_nothing_is_gathered),
		TEST(budget_is_charged_once_and_given_back_with_the_area),
	};
	const struct CMUnitTest file[] = { TEST(memory_in_a_file_stays_where_it_is) };
#undef TEST
	lg_start_read_environment();
	return backing_is_anon() ? cmocka_run_group_tests(anon, start, NULL) :
				   cmocka_run_group_tests(file, start, NULL);
}
