/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Taking clean regions, over a backing that writes down what is reserved and refuses what it is told to. */
#include "region/clean.h"

#include "unit/region/library.h"

#include <errno.h>

enum { CLASS = 4, COUNT_MAX = 512, CALLS_MAX = 64 };

static struct lg_class *class = &lg_classes[CLASS];
static struct lg_backing recorder;

static struct {
	unsigned calls;
	uint64_t first[CALLS_MAX];
	uint64_t count[CALLS_MAX];
	uint64_t count_max; /* more at once is refused */
	int error;
} asked;

static int record_reserve(struct lg_class *of, uint32_t file, uint64_t offset, uint64_t bytes)
{
	(void)file;
	assert_ptr_equal(of, class);
	assert_true(asked.calls < CALLS_MAX);
	asked.first[asked.calls] = offset >> lg_class_shift(CLASS);
	asked.count[asked.calls] = bytes >> lg_class_shift(CLASS);
	return asked.count[asked.calls++] <= asked.count_max ? 0 : asked.error;
}

static int start(void **state)
{
	if (library_start(state) != 0)
		return -1;
	recorder = *lg_backing;
	recorder.reserve = record_reserve;
	lg_backing = &recorder;
	return lg_refill(CLASS);
}

static int forget_calls(void **state)
{
	(void)state;
	memset(&asked, 0, sizeof(asked));
	asked.count_max = UINT64_MAX;
	return 0;
}

static int check(void **state)
{
	(void)state;
	lg_area_check(class);
	assert_int_equal(stats_of(CLASS).clean << lg_class_shift(CLASS),
			 stats_of(CLASS).area_bytes);
	return 0;
}

static void wanted_regions_come_described_and_lowest_last(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count;

	(void)state;
	assert_int_equal(lg_clean_take(CLASS, 5, regions, &count), 0);
	assert_int_equal(count, 5);
	for (unsigned i = 0; i < count; i++) {
		struct lg_region *region = regions[count - 1 - i];

		assert_ptr_equal(region, lg_region_at(CLASS, i));
		assert_ptr_equal(lg_region_data(region), lg_region_address(CLASS, i));
		assert_true(lg_region_size(region) == lg_class_bytes(CLASS));
		assert_int_equal(region->class, CLASS);
		assert_int_equal(region->area, 0);
		assert_int_equal(lg_region_state(region), LG_ZERO);
	}
	assert_int_equal(asked.calls, 1);
	assert_true(asked.first[0] == 0 && asked.count[0] == 5);
	give_from_hand(CLASS, regions, count);
}

static void one_call_reserves_a_run_whatever_its_length(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count;

	(void)state;
	for (unsigned want = 1; want <= LG_CLEAN_RUN; want = want * 2 + 1) {
		asked.calls = 0;
		assert_int_equal(lg_clean_take(CLASS, want, regions, &count), 0);
		assert_int_equal(count, want);
		assert_int_equal(asked.calls, 1);
		assert_true(asked.count[0] == want);
		give_from_hand(CLASS, regions, count);
	}
	assert_int_equal(lg_clean_take(CLASS, 10 * LG_CLEAN_RUN, regions, &count), 0);
	assert_int_equal(count, LG_CLEAN_RUN);
	give_from_hand(CLASS, regions, count);
}

static void scattered_regions_are_reserved_run_by_run(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN], *all[LG_CLEAN_RUN];
	unsigned all_count, count;

	(void)state;
	assert_int_equal(lg_clean_take(CLASS, LG_CLEAN_RUN, all, &all_count), 0);
	/* Numbers 0 1 . 3 4 . 6 7 . …: back again, the third ones stay in hand. */
	for (unsigned i = 0; i < all_count; i++)
		if (lg_region_number(all[i]) % 3 != 2)
			give_from_hand(CLASS, &all[i], 1);
	asked.calls = 0;
	assert_int_equal(lg_clean_take(CLASS, 10, regions, &count), 0);
	assert_int_equal(count, 10);
	assert_int_equal(asked.calls, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_true(asked.first[i] == 3 * i && asked.count[i] == 2);
	for (unsigned i = 0; i < 10; i++)
		assert_true(lg_region_number(regions[9 - i]) == i / 2 * 3 + i % 2);
	give_from_hand(CLASS, regions, count);
	for (unsigned i = 0; i < all_count; i++)
		if (lg_region_number(all[i]) % 3 == 2)
			give_from_hand(CLASS, &all[i], 1);
}

static void run_that_does_not_fit_is_halved_and_the_rest_stays_clean(void **state)
{
	static const int shortages[] = { -ENOSPC, -EDQUOT };
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		asked.calls = 0;
		asked.count_max = 5;
		asked.error = shortages[i];
		assert_int_equal(lg_clean_take(CLASS, 64, regions, &count), 0);
		assert_int_equal(count, 4);
		assert_int_equal(asked.calls, 5); /* 64, 32, 16, 8, 4 */
		for (unsigned k = 0; k < 5; k++)
			assert_true(asked.first[k] == 0 && asked.count[k] == 64u >> k);
		lg_area_check(class);
		for (unsigned k = 0; k < 4; k++)
			assert_true(lg_region_number(regions[3 - k]) == k);
		give_from_hand(CLASS, regions, count);
	}
}

static void nothing_is_taken_when_not_even_one_can_be_reserved(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count = 9;

	(void)state;
	asked.count_max = 0;
	asked.error = -ENOSPC;
	assert_int_equal(lg_clean_take(CLASS, 64, regions, &count), -ENOSPC);
	assert_int_equal(count, 0);
	assert_int_equal(asked.calls, 7); /* down to one */
}

static void other_refusals_are_not_tried_again(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count = 9;

	(void)state;
	asked.count_max = 0;
	asked.error = -EOPNOTSUPP;
	assert_int_equal(lg_clean_take(CLASS, 64, regions, &count), -EOPNOTSUPP);
	assert_int_equal(count, 0);
	assert_int_equal(asked.calls, 1);
	asked.error = -EBADF;
	assert_int_equal(lg_clean_take(CLASS, 64, regions, &count), -EBADF);
	assert_int_equal(asked.calls, 2);
}

static void class_without_areas_has_none(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count = 9;

	(void)state;
	assert_int_equal(lg_clean_take(CLASS + 1, 64, regions, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(asked.calls, 0);
}

/* What a refused run counted is what it took: the area is whole and can be retired. */
static void refusals_leave_the_area_whole(void **state)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned count;

	(void)state;
	for (unsigned limit = 0; limit < 40; limit++) {
		asked.calls = 0;
		asked.count_max = limit;
		asked.error = -ENOSPC;
		(void)lg_clean_take(CLASS, 33, regions, &count);
		lg_area_check(class);
		give_from_hand(CLASS, regions, count);
	}
	assert_int_equal(lg_area_retire_idle(class, 0), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, forget_calls, check)
	const struct CMUnitTest tests[] = {
		TEST(wanted_regions_come_described_and_lowest_last),
		TEST(one_call_reserves_a_run_whatever_its_length),
		TEST(scattered_regions_are_reserved_run_by_run),
		TEST(run_that_does_not_fit_is_halved_and_the_rest_stays_clean),
		TEST(nothing_is_taken_when_not_even_one_can_be_reserved),
		TEST(other_refusals_are_not_tried_again),
		TEST(class_without_areas_has_none),
		TEST(refusals_leave_the_area_whole),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
