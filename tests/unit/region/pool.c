/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The pools, with regions that are nobody's. The bound is that of the option dirty_bytes. */
#include "region/pool.h"

#include "region/reclaim.h"
#include "unit/region/library.h"

#include <errno.h>

#define MIB ((uint64_t)1 << 20)

enum { REGIONS_MAX = 200 };

static struct lg_region *hand[REGIONS_MAX];

static int attach(void **state)
{
	int error = 0;

	return library_start(state) == 0 && lg_thread_cache(&error) != NULL ? 0 : -1;
}

static int empty_pools(void **state)
{
	assert_int_equal(library_trim(state), 0);
	assert_int_equal(lg_configure("dirty_bytes:64T,cache_bytes:64M"), 0);
	assert_true(lg_pool_dirty_bytes() == 0);
	check_all_areas();
	return 0;
}

static unsigned take_all(unsigned class, struct lg_region **regions)
{
	unsigned count = 0, got;

	while ((got = lg_pool_take(class, regions + count)) > 0)
		count += got;
	return count;
}

static void put_regions_are_counted_until_they_are_taken(void **state)
{
	unsigned class = lg_class_of(64 << 10);
	struct lg_region *back[REGIONS_MAX + LG_CHAIN];

	(void)state;
	for (unsigned count = 1; count <= 50; count++) {
		take_in_hand(class, hand, count);
		lg_pool_put(class, hand, count);
		assert_true(lg_pool_dirty_bytes() == (uint64_t)count << lg_class_shift(class));
		assert_int_equal(stats_of(class).dirty, count);
		assert_int_equal(take_all(class, back), count);
		assert_true(lg_pool_dirty_bytes() == 0);
		assert_int_equal(stats_of(class).dirty, 0);
		for (unsigned i = 0; i < count; i++)
			for (unsigned k = 0; k < i; k++)
				assert_ptr_not_equal(back[i], back[k]);
		give_from_hand(class, back, count);
	}
	lg_pool_put(class, hand, 0);
	assert_int_equal(lg_pool_take(class, back), 0);
}

static void default_bound_follows_the_machine(void **state)
{
	(void)state;
	assert_true(lg_pool_dirty_bytes_max() == (uint64_t)64 << 40);
	lg_store_relaxed(&lg_options.dirty_bytes, LG_AUTO);
	assert_true(lg_pool_dirty_bytes_max() > 0);
	assert_true(lg_pool_dirty_bytes_max() < (uint64_t)64 << 40);
}

/* Whoever goes beyond gives back: older ones of any class, or its own. */
static void bound_holds_after_every_put(void **state)
{
	static const uint64_t sizes[] = { 64 << 10, 1 << 20, 2 << 20, 8 << 20, 32 << 20 };

	(void)state;
	assert_int_equal(lg_configure("dirty_bytes:20M"), 0);
	for (unsigned round = 0; round < 40; round++) {
		unsigned class = lg_class_of(sizes[round % 5]), count = 1 + round % 3;

		take_in_hand(class, hand, count);
		lg_pool_put(class, hand, count);
		assert_true(lg_pool_dirty_bytes() <= 20 * MIB);
		struct lg_stats stats;
		assert_int_equal(lg_stats_read(&stats), 0);
		assert_true(stats.dirty_bytes <= 20 * MIB);
	}
}

static void large_regions_beyond_the_bound_go_back_at_once(void **state)
{
	unsigned class = lg_class_of(128 * MIB);

	(void)state;
	assert_int_equal(lg_configure("dirty_bytes:1M"), 0);
	take_in_hand(class, hand, 1);
	lg_pool_put(class, hand, 1);
	assert_true(lg_pool_dirty_bytes() == 0);
	assert_int_equal(stats_of(class).dirty, 0);
	assert_int_equal(stats_of(class).lazy, backing_is_anon());
	assert_int_equal(lg_region_state(hand[0]), backing_is_anon() ? LG_LAZY : LG_CLEAN);
}

static void bound_of_zero_keeps_nothing(void **state)
{
	unsigned class = lg_class_of(64 << 10);

	(void)state;
	assert_int_equal(lg_configure("dirty_bytes:0"), 0);
	take_in_hand(class, hand, 40);
	lg_pool_put(class, hand, 40);
	assert_true(lg_pool_dirty_bytes() == 0);
	assert_int_equal(stats_of(class).dirty, 0);
}

static void older_regions_go_before_the_new_ones(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	assert_int_equal(lg_configure("dirty_bytes:8M"), 0);
	take_in_hand(class, hand, 10);
	for (unsigned i = 0; i < 4; i++)
		lg_pool_put(class, &hand[i], 1);
	lg_dirty_turn(&lg_classes[class].dirty);
	for (unsigned i = 4; i < 10; i++) /* the last two are beyond */
		lg_pool_put(class, &hand[i], 1);
	for (unsigned i = 4; i < 10; i++)
		assert_int_equal(lg_region_state(hand[i]), LG_ZERO);
	unsigned gone = 0;
	for (unsigned i = 0; i < 4; i++)
		gone += lg_region_state(hand[i]) != LG_ZERO;
	assert_int_equal(gone, 2);
}

static void allocation_takes_dirty_before_lazy(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	struct lg_region *back[LG_CHAIN];

	(void)state;
	take_in_hand(class, hand, 2);
	lg_pool_put_lazy(class, &hand[0], 1);
	lg_pool_put(class, &hand[1], 1);
	assert_int_equal(stats_of(class).lazy, 1);
	assert_true(lg_pool_dirty_bytes() == MIB); /* lazy ones are not counted */
	uint64_t dirty = stats_of(class).from_dirty, lazy = stats_of(class).from_lazy;
	assert_int_equal(lg_pool_take(class, back), 1);
	assert_ptr_equal(back[0], hand[1]);
	assert_int_equal(lg_pool_take(class, back), 1);
	assert_ptr_equal(back[0], hand[0]);
	assert_true(stats_of(class).from_dirty == dirty + 1);
	assert_true(stats_of(class).from_lazy == lazy + 1);
	assert_int_equal(lg_pool_take(class, back), 0);
	give_from_hand(class, hand, 2);
}

static void reclaim_takes_old_ones_and_young_if_told(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	struct lg_region *back[LG_CHAIN];

	(void)state;
	take_in_hand(class, hand, 4);
	lg_pool_put(class, &hand[0], 1);
	lg_pool_put_lazy(class, &hand[1], 1);
	assert_int_equal(lg_pool_take_dirty(class, back, false), 0);
	assert_int_equal(lg_pool_take_lazy(class, back, false), 0);
	lg_dirty_turn(&lg_classes[class].dirty);
	lg_dirty_turn(&lg_classes[class].lazy);
	lg_pool_put(class, &hand[2], 1);
	lg_pool_put_lazy(class, &hand[3], 1);
	assert_int_equal(lg_pool_take_dirty(class, back, false), 1);
	assert_ptr_equal(back[0], hand[0]);
	assert_int_equal(lg_pool_take_lazy(class, back, false), 1);
	assert_ptr_equal(back[0], hand[1]);
	assert_int_equal(lg_pool_take_dirty(class, back, false), 0);
	assert_int_equal(lg_pool_take_dirty(class, back, true), 1);
	assert_ptr_equal(back[0], hand[2]);
	assert_int_equal(lg_pool_take_lazy(class, back, true), 1);
	assert_ptr_equal(back[0], hand[3]);
	assert_true(lg_pool_dirty_bytes() == 0);
	assert_int_equal(stats_of(class).dirty, 0);
	assert_int_equal(stats_of(class).lazy, 0);
	give_from_hand(class, hand, 4);
}

/* Regions the kernel would not take have nowhere else to go. */
static void refused_regions_are_kept_past_the_bound(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	assert_int_equal(lg_configure("dirty_bytes:0"), 0);
	take_in_hand(class, hand, 40);
	lg_pool_put_back(class, hand, 40);
	assert_true(lg_pool_dirty_bytes() == 40 * MIB);
	assert_int_equal(stats_of(class).dirty, 40);
}

/* The counter never shows less than the pools hold: a thread's credit only makes it show more. */
static void credit_keeps_the_counter_at_or_above_the_truth(void **state)
{
	unsigned class = lg_class_of(256 * MIB); /* too large for caches */
	struct lg_region *back[LG_CHAIN];

	(void)state;
	take_in_hand(class, hand, 3);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 3; i++) {
			lg_pool_put(class, &hand[i], 1);
			assert_true(lg_pool_dirty_bytes() >= stats_of(class).dirty
								     << lg_class_shift(class));
		}
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(lg_pool_take(class, back), 1);
			assert_true(lg_pool_dirty_bytes() >= stats_of(class).dirty
								     << lg_class_shift(class));
		}
	}
	lg_thread_flush();
	assert_true(lg_pool_dirty_bytes() == 0);
	give_from_hand(class, hand, 3);
}

static void forgotten_pools_are_empty(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	struct lg_region *back[LG_CHAIN];

	(void)state;
	take_in_hand(class, hand, 2);
	lg_pool_put(class, &hand[0], 1);
	lg_pool_put_lazy(class, &hand[1], 1);
	lg_pool_forget();
	assert_int_equal(lg_pool_take(class, back), 0);
	assert_true(lg_pool_dirty_bytes() == 0);
	give_from_hand(class, hand, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_pools, empty_pools)
	const struct CMUnitTest tests[] = {
		TEST(put_regions_are_counted_until_they_are_taken),
		TEST(default_bound_follows_the_machine),
		TEST(bound_holds_after_every_put),
		TEST(large_regions_beyond_the_bound_go_back_at_once),
		TEST(bound_of_zero_keeps_nothing),
		TEST(older_regions_go_before_the_new_ones),
		TEST(allocation_takes_dirty_before_lazy),
		TEST(reclaim_takes_old_ones_and_young_if_told),
		TEST(refused_regions_are_kept_past_the_bound),
		TEST(credit_keeps_the_counter_at_or_above_the_truth),
		TEST(forgotten_pools_are_empty),
	};

	return cmocka_run_group_tests(tests, attach, NULL);
}
