/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/advise.h"

#include "os/map.h"
#include "region/mappings.h"
#include "stress/clock.h"
#include "unit/region/library.h"

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static const enum lg_advice all_advice[] = {
	LG_WILLNEED, LG_COLD, LG_DEAD, LG_SEQUENTIAL, LG_RANDOM, LG_NORMAL,
};

enum { ADVICE = sizeof(all_advice) / sizeof(all_advice[0]) };

/* What advice goes by. */
static size_t page_bytes(void)
{
	return backing_is_paged() ? lg_option(paged_page) : lg_os_page_bytes();
}

static bool reads(struct lg_region *region, size_t from, size_t to, int value)
{
	const unsigned char *data = lg_region_data(region);

	for (size_t at = from; at < to; at++)
		if (data[at] != value)
			return false;
	return true;
}

static void every_advice_on_every_size_is_taken(void **state)
{
	(void)state;
	for (size_t bytes = 4 * KIB; bytes <= 16 * MIB; bytes *= 4) {
		struct lg_region *region = lg_region_new(bytes);

		memset(lg_region_data(region), 'a', lg_region_size(region));
		for (unsigned i = 0; i < ADVICE; i++) {
			assert_int_equal(lg_region_advise(region, 0, 0, all_advice[i]), 0);
			assert_int_equal(lg_region_advise(region, 0, bytes, all_advice[i]), 0);
			assert_int_equal(lg_region_advise(region, bytes, 0, all_advice[i]), 0);
			assert_int_equal(lg_region_advise(region, 1, 0, all_advice[i]), 0);
			assert_int_equal(lg_region_advise(region, 1, 1, all_advice[i]), 0);
		}
		lg_region_free(region);
	}
}

static void only_dead_changes_bytes(void **state)
{
	struct lg_region *region = lg_region_new(4 * MIB);

	(void)state;
	memset(lg_region_data(region), 'k', 4 * MIB);
	for (unsigned i = 0; i < ADVICE; i++)
		if (all_advice[i] != LG_DEAD)
			assert_int_equal(lg_region_advise(region, 0, 0, all_advice[i]), 0);
	assert_true(reads(region, 0, 4 * MIB, 'k'));
	lg_region_free(region);
}

static void dead_bytes_read_zero_and_their_neighbours_stay(void **state)
{
	struct lg_region *region = lg_region_new(2 * MIB);
	size_t page = page_bytes();

	(void)state;
	memset(lg_region_data(region), 'd', 2 * MIB);
	assert_int_equal(lg_region_advise(region, 4 * page, 8 * page, LG_DEAD), 0);
	assert_true(reads(region, 0, 4 * page, 'd'));
	assert_true(reads(region, 4 * page, 12 * page, 0));
	assert_true(reads(region, 12 * page, 2 * MIB, 'd'));
	memset((char *)lg_region_data(region) + 4 * page, 'e', 8 * page); /* and can be written */
	assert_true(reads(region, 4 * page, 12 * page, 'e'));
	assert_int_equal(lg_region_advise(region, MIB, 0, LG_DEAD), 0);
	assert_true(reads(region, 12 * page, MIB, 'd'));
	assert_true(reads(region, MIB, 2 * MIB, 0));
	lg_region_free(region);
}

static void parts_of_pages_are_left_alone(void **state)
{
	size_t page = page_bytes();
	struct lg_region *region = lg_region_new(16 * page);

	(void)state;
	memset(lg_region_data(region), 'p', 16 * page);
	assert_int_equal(lg_region_advise(region, 1, page - 1, LG_DEAD), 0);
	assert_int_equal(lg_region_advise(region, page - 1, 2, LG_DEAD), 0);
	assert_int_equal(lg_region_advise(region, page / 2, page, LG_DEAD), 0);
	assert_true(reads(region, 0, 16 * page, 'p'));
	assert_int_equal(lg_region_advise(region, 1, 2 * page, LG_DEAD), 0);
	assert_true(reads(region, 0, page, 'p'));
	assert_true(reads(region, page, 2 * page, 0));
	assert_true(reads(region, 2 * page, 16 * page, 'p'));
	lg_region_free(region);
}

static void dead_pages_leave_memory(void **state)
{
	struct lg_region *region = lg_region_new(32 * MIB);
	struct lg_usage before, after;

	(void)state;
	memset(lg_region_data(region), 'r', 32 * MIB);
	assert_int_equal(lg_usage_read(&before), 0);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_DEAD), 0);
	assert_int_equal(lg_usage_read(&after), 0);
	assert_true(before.resident_bytes >= after.resident_bytes + 31 * MIB);
	if (!backing_is_anon() && before.disk_bytes > 0)
		assert_true(after.disk_bytes >= before.disk_bytes); /* the blocks stay: no SIGBUS */
	lg_region_free(region);
}

/* By the usage of all: what a pager reads ahead is partly beside its map. */
static bool usage_is(uint64_t bytes)
{
	struct lg_usage usage;

	assert_int_equal(lg_usage_read(&usage), 0);
	return usage.resident_bytes >= bytes;
}

static bool is_resident(struct lg_region *region)
{
	size_t bytes = lg_region_size(region);
	uint64_t resident = 0;

	assert_int_equal(lg_os_resident(lg_region_data(region), bytes, &resident), 0);
	return resident == bytes;
}

/* Reading in goes on after the call; asked for again, as the kernel may skip pages, and reclaim them at any time. */
static bool becomes_resident(struct lg_region *region, uint64_t usage)
{
	double hang = clock_hang();

	do {
		assert_int_equal(lg_region_advise(region, 0, 0, LG_WILLNEED), 0);
		if (backing_is_paged() ? usage_is(usage) : is_resident(region))
			return true;
		clock_breathe();
	} while (!clock_passed(hang));
	return false;
}

static void cold_pages_leave_memory_and_needed_ones_all_come_back(void **state)
{
	struct lg_region *region = lg_region_new(32 * MIB);
	struct lg_usage before, cold;

	(void)state;
	memset(lg_region_data(region), 'c', 32 * MIB);
	assert_int_equal(lg_usage_read(&before), 0);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_COLD), 0);
	assert_int_equal(lg_usage_read(&cold), 0);
	/* Anonymous pages stay where there is no swap, those of a tmpfs as well. */
	if (backing_is_anon() || cold.resident_bytes == before.resident_bytes) {
		lg_region_free(region);
		skip();
	}
	assert_true(cold.resident_bytes + 16 * MIB < before.resident_bytes);
	assert_true(becomes_resident(region, before.resident_bytes));
	lg_region_free(region);
}

static void ranges_outside_are_refused(void **state)
{
	struct lg_region *region = lg_region_new(64 * KIB);

	(void)state;
	memset(lg_region_data(region), 'o', 64 * KIB);
	for (unsigned i = 0; i < ADVICE; i++) {
		enum lg_advice advice = all_advice[i];

		assert_int_equal(lg_region_advise(region, 64 * KIB + 1, 0, advice), -EINVAL);
		assert_int_equal(lg_region_advise(region, 0, 64 * KIB + 1, advice), -EINVAL);
		assert_int_equal(lg_region_advise(region, 64 * KIB, 1, advice), -EINVAL);
		assert_int_equal(lg_region_advise(region, 4 * KIB, SIZE_MAX, advice), -EINVAL);
		assert_int_equal(lg_region_advise(region, SIZE_MAX, 4 * KIB, advice), -EINVAL);
		assert_int_equal(lg_region_advise(region, SIZE_MAX, 0, advice), -EINVAL);
	}
	assert_true(reads(region, 0, 64 * KIB, 'o'));
	lg_region_free(region);
}

static void unknown_advice_is_refused_in_words(void **state)
{
	struct lg_region *region = lg_region_new(4 * MIB);

	(void)state;
	assert_int_equal(lg_region_advise(region, 0, 0, (enum lg_advice)77), -EINVAL);
	assert_non_null(strstr(lg_error(), "77"));
	assert_int_equal(lg_region_advise(region, 0, 1, (enum lg_advice) - 1), -EINVAL);
	lg_region_free(region);
}

static void what_is_no_live_region_is_refused(void **state)
{
	struct lg_region *region = lg_region_new(4 * MIB);

	(void)state;
	assert_int_equal(lg_region_advise(NULL, 0, 0, LG_DEAD), -EINVAL);
	assert_int_equal(lg_region_advise((lg_region *)(void *)&region, 0, 0, LG_DEAD), -EINVAL);
	assert_int_equal(lg_region_advise((lg_region *)((char *)region + 8), 0, 0, LG_DEAD),
			 -EINVAL);
	lg_region_free(region);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_DEAD), -EINVAL);
}

static uint32_t mappings_left(void)
{
	uint32_t left = 0;

	while (lg_mappings_take(1))
		left++;
	lg_mappings_give(left);
	return left;
}

static void access_advice_is_undone_at_the_free(void **state)
{
	static const enum lg_advice access[] = { LG_SEQUENTIAL, LG_RANDOM };
	uint32_t all = mappings_left();

	(void)state;
	if (backing_is_paged())
		skip(); /* which finds the order itself */
	for (unsigned i = 0; i < 2; i++) {
		struct lg_region *region = lg_region_new(2 * MIB);

		assert_int_equal(lg_region_state(region), LG_LIVE);
		assert_int_equal(lg_region_advise(region, 0, 0, access[i]), 0);
		assert_int_equal(lg_region_state(region), LG_TAGGED);
		assert_true(mappings_left() < all);
		assert_int_equal(lg_region_advise(region, 0, 0, access[1 - i]), 0);
		assert_ptr_equal(lg_region_of(lg_region_data(region)), region);
		lg_region_free(region);
		assert_int_equal(lg_region_state(region), LG_FREE);
		assert_int_equal(mappings_left(), all);
		struct lg_region *again = lg_region_new(2 * MIB);
		assert_int_equal(lg_region_state(again), LG_LIVE);
		lg_region_free(again);
	}
}

static void normal_takes_access_advice_back(void **state)
{
	struct lg_region *region = lg_region_new(2 * MIB);
	uint32_t all = mappings_left();

	(void)state;
	assert_int_equal(lg_region_advise(region, 0, 0, LG_NORMAL), 0);
	assert_int_equal(lg_region_state(region), LG_LIVE);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_RANDOM), 0);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_NORMAL), 0);
	assert_int_equal(lg_region_state(region), LG_LIVE);
	assert_int_equal(mappings_left(), all);
	lg_region_free(region);
}

static void access_advice_on_small_regions_costs_no_mapping(void **state)
{
	struct lg_region *region = lg_region_new(MIB);
	uint32_t all = mappings_left();

	(void)state;
	assert_int_equal(lg_region_advise(region, 0, 0, LG_SEQUENTIAL), 0);
	assert_int_equal(lg_region_state(region), LG_LIVE);
	assert_int_equal(mappings_left(), all);
	lg_region_free(region);
}

static void without_mappings_access_advice_is_an_answer(void **state)
{
	struct lg_region *region = lg_region_new(2 * MIB);
	uint32_t all = 0;

	(void)state;
	if (backing_is_paged()) {
		lg_region_free(region);
		skip();
	}
	while (lg_mappings_take(1))
		all++;
	assert_int_equal(lg_region_advise(region, 0, 0, LG_SEQUENTIAL), -ENOMEM);
	assert_true(lg_error()[0] != '\0');
	assert_int_equal(lg_region_state(region), LG_LIVE);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_WILLNEED), 0);
	lg_mappings_give(all);
	lg_region_free(region);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(every_advice_on_every_size_is_taken),
		TEST(only_dead_changes_bytes),
		TEST(dead_bytes_read_zero_and_their_neighbours_stay),
		TEST(parts_of_pages_are_left_alone),
		TEST(dead_pages_leave_memory),
		TEST(cold_pages_leave_memory_and_needed_ones_all_come_back),
		TEST(ranges_outside_are_refused),
		TEST(unknown_advice_is_refused_in_words),
		TEST(what_is_no_live_region_is_refused),
		TEST(access_advice_is_undone_at_the_free),
		TEST(normal_takes_access_advice_back),
		TEST(access_advice_on_small_regions_costs_no_mapping),
		TEST(without_mappings_access_advice_is_an_answer),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
