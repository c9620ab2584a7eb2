/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/tail.h"

#include "os/map.h"
#include "region/mappings.h"
#include "unit/region/library.h"
#include "unit/smaps.h"

#define MIB ((size_t)1 << 20)

/* What is there and what the kernel would put there, apart from how it is: 'nh' is NOHUGEPAGE. */
static bool is_plain(struct lg_region *region, size_t at)
{
	return smaps_has_flag((char *)lg_region_data(region) + at, " nh");
}

static uint64_t resident(struct lg_region *region)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_os_resident(region->view.data, region->view.bytes, &bytes), 0);
	return bytes;
}

/* A region whose pages are new, fitted to `bytes`. */
static struct lg_region *fitted(size_t bytes)
{
	struct lg_region *region;

	assert_int_equal(lg_trim(), 0);
	region = lg_region_new(bytes);
	assert_non_null(region);
	lg_tail_fit(region, bytes);
	return region;
}

static void huge_pages_stop_where_the_last_would_be_mostly_tail(void **state)
{
	struct lg_region *region = fitted(5 * MIB);

	(void)state;
	assert_false(is_plain(region, 0));
	assert_false(is_plain(region, 4 * MIB - 1));
	assert_true(is_plain(region, 4 * MIB));
	assert_true(is_plain(region, 8 * MIB - 1));
	lg_region_free(region);
	region = fitted(MIB + 1);
	assert_true(is_plain(region, 0));
	lg_region_free(region);
}

static void little_waste_is_no_mapping(void **state)
{
	static const size_t sizes[] = { 2 * MIB, 8 * MIB, 6 * MIB, 4 * MIB - 4096, 63 * MIB, MIB };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct lg_region *region = fitted(sizes[i]);

		assert_false(is_plain(region, region->view.bytes - 1));
		lg_region_free(region);
	}
}

static void touching_what_was_asked_for_takes_no_more_memory(void **state)
{
	static const size_t sizes[] = { MIB + 4096, 3 * MIB, 4 * MIB + 8192, 9 * MIB, 17 * MIB };

	(void)state;
	if (!backing_is_anon())
		skip(); /* how far the kernel reads ahead in a file is the device's setting */
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct lg_region *region = fitted(sizes[i]);

		memset(lg_region_data(region), 1, sizes[i]);
		assert_true(resident(region) <= sizes[i] + sizes[i] / 16 + 128 * 1024);
		lg_region_free(region);
	}
}

static void given_back_region_is_as_its_area_again(void **state)
{
	struct lg_region *region = fitted(5 * MIB);

	(void)state;
	lg_region_free(region);
	assert_true(
		is_plain(region, 5 * MIB)); /* not at the free: the next of this size keeps it */
	assert_int_equal(lg_trim(), 0);
	assert_false(is_plain(region, 5 * MIB));
	assert_int_equal(region->tail, LG_TAIL_UNDECIDED);
	assert_int_equal(region->touched, 0);
}

static void budget_of_mappings_is_kept_and_given_back(void **state)
{
	struct lg_region *region;
	uint32_t left = 0;

	(void)state;
	assert_int_equal(lg_trim(), 0);
	while (lg_mappings_take(1))
		left++;
	region = fitted(5 * MIB);
	assert_false(is_plain(region, 5 * MIB));
	lg_region_free(region);
	lg_mappings_give(left);
	for (unsigned i = 0; i < left; i++) {
		region = fitted(5 * MIB);
		assert_true(is_plain(region, 5 * MIB));
		lg_region_free(region);
		if (i > 20)
			break;
	}
	assert_int_equal(lg_trim(), 0);
	assert_true(lg_mappings_take(left));
	assert_false(lg_mappings_take(1));
	lg_mappings_give(left);
}

static void dirty_pages_far_behind_the_request_are_given_back(void **state)
{
	struct lg_region *region = fitted(32 * MIB), *again;

	(void)state;
	memset(lg_region_data(region), 1, 32 * MIB);
	lg_region_free(region);
	again = lg_region_new(17 * MIB);
	assert_ptr_equal(again, region);
	lg_tail_fit(again, 17 * MIB);
	assert_true(resident(again) <= 18 * MIB);
	assert_int_equal(((char *)lg_region_data(again))[17 * MIB - 1], 1);
	/* In place, as realloc would: what was given back reads zero, what is asked for stays. */
	lg_tail_fit(again, 31 * MIB);
	assert_int_equal(((char *)lg_region_data(again))[31 * MIB - 1], 0);
	memset(lg_region_data(again), 2, 31 * MIB);
	lg_tail_fit(again, 30 * MIB);
	assert_int_equal(((char *)lg_region_data(again))[31 * MIB - 1], 2);
	lg_tail_fit(again, 20 * MIB);
	assert_true(resident(again) <= 20 * MIB);
	assert_int_equal(((char *)lg_region_data(again))[20 * MIB - 1], 2);
	lg_region_free(again);
}

static void moved_region_keeps_its_bytes(void **state)
{
	struct lg_region *region = fitted(5 * MIB);

	(void)state;
	memset(lg_region_data(region), 3, 5 * MIB);
	region = lg_region_resize(region, 11 * MIB);
	assert_non_null(region);
	lg_tail_fit(region, 11 * MIB);
	for (size_t at = 0; at < 5 * MIB; at++)
		assert_int_equal(((char *)lg_region_data(region))[at], 3);
	memset(lg_region_data(region), 4, 11 * MIB);
	region = lg_region_resize(region, 3 * MIB);
	assert_non_null(region);
	lg_tail_fit(region, 3 * MIB);
	for (size_t at = 0; at < 3 * MIB; at++)
		assert_int_equal(((char *)lg_region_data(region))[at], 4);
	lg_region_free(region);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(huge_pages_stop_where_the_last_would_be_mostly_tail),
		TEST(little_waste_is_no_mapping),
		TEST(touching_what_was_asked_for_takes_no_more_memory),
		TEST(given_back_region_is_as_its_area_again),
		TEST(budget_of_mappings_is_kept_and_given_back),
		TEST(dirty_pages_far_behind_the_request_are_given_back),
		TEST(moved_region_keeps_its_bytes),
	};
#undef TEST
	return cmocka_run_group_tests(tests, library_start, NULL);
}
