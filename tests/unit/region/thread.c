/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Threads get a cache at their first miss and leave nothing behind at their end. */
#include "region/thread.h"

#include "unit/region/other.h"

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static struct other other;
static struct some_regions some;

static int start_without_a_region(void **state)
{
	return library_start(state);
}

static int clean_up(void **state)
{
	assert_int_equal(library_trim(state), 0);
	check_all_areas();
	struct lg_stats stats;
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_true(stats.totals.in_use == 0 && stats.area_bytes == 0);
	return 0;
}

static void thread_has_no_cache_before_its_first_miss(void **state)
{
	int error = 0;

	(void)state;
	assert_int_equal(lg_thread_count(), 0);
	assert_ptr_equal(lg_self, &lg_unattached);
	struct lg_cache *cache = lg_thread_cache(&error);
	assert_non_null(cache);
	assert_ptr_equal(lg_self, cache);
	assert_ptr_equal(lg_thread_cache(&error), cache);
	assert_int_equal(lg_load_relaxed(&cache->gate), LG_GATE_OPEN);
	assert_int_equal(lg_thread_count(), 1);
	assert_int_equal(lg_thread_records(), 1);
}

static void thread_that_only_frees_gets_one_too(void **state)
{
	(void)state;
	some = (struct some_regions){ .bytes = 64 * KIB, .count = 1 };
	some.regions[0] = lg_region_new(64 * KIB);
	other_start(&other);
	other_do(&other, free_some, &some);
	assert_int_equal(lg_thread_count(), 2);
	assert_ptr_not_equal(other.cache, lg_self);
	assert_ptr_not_equal(other.cache, &lg_homeless);
	other_end(&other);
	assert_int_equal(lg_thread_count(), 1);
}

static void ending_thread_hands_everything_to_the_pools(void **state)
{
	unsigned class = lg_class_of(64 * KIB);

	(void)state;
	some = (struct some_regions){ .bytes = 64 * KIB, .count = 200 };
	other_start(&other);
	other_do(&other, allocate_and_free_some, &some);
	lg_cache_check(other.cache);
	struct lg_class_stats is = stats_of(class);
	assert_true(is.in_magazines > 0 && is.in_deques > 0);
	uint64_t all = is.cached + is.dirty;
	other_end(&other);
	is = stats_of(class);
	assert_true(is.cached == 0);
	assert_true(is.dirty == all);
	assert_true(is.in_use == 0);
	lg_cache_check(other.cache);
	assert_int_equal(lg_load_relaxed(&other.cache->gate), LG_GATE_ENDED);
}

static void what_a_thread_counted_stays_counted(void **state)
{
	unsigned class = lg_class_of(128 * KIB);
	struct lg_class_stats was = stats_of(class), is;

	(void)state;
	some = (struct some_regions){ .bytes = 128 * KIB, .count = 50 };
	for (unsigned i = 1; i <= 5; i++) {
		other_start(&other);
		other_do(&other, allocate_and_free_some, &some);
		other_end(&other);
		is = stats_of(class);
		assert_true(is.allocations == was.allocations + 50 * i);
		assert_true(is.frees == was.frees + 50 * i);
	}
}

static void records_are_used_again_and_not_more_than_threads_lived_at_once(void **state)
{
	struct lg_cache *cache = NULL;
	uint32_t records = 0;

	(void)state;
	some = (struct some_regions){ .bytes = 64 * KIB, .count = 3 };
	for (unsigned i = 0; i < 50; i++) {
		other_start(&other);
		other_do(&other, allocate_and_free_some, &some);
		if (i > 0) {
			assert_int_equal(lg_thread_records(), records);
			assert_ptr_equal(other.cache, cache);
		}
		records = lg_thread_records();
		cache = other.cache;
		other_end(&other);
	}
}

static void regions_outlive_the_thread_that_made_them(void **state)
{
	(void)state;
	some = (struct some_regions){ .bytes = 1 * MIB, .count = 10 };
	other_start(&other);
	other_do(&other, allocate_some, &some);
	other_end(&other);
	for (unsigned i = 0; i < 10; i++) {
		memset(lg_region_data(some.regions[i]), 1, 1 * MIB);
		assert_ptr_equal(lg_region_of(lg_region_data(some.regions[i])), some.regions[i]);
		lg_region_free(some.regions[i]);
	}
}

static pthread_key_t keys[4];
static _Atomic(unsigned) destroyed, failed;

/* Destructors run in no order one may count on: some of these run after the library's exit hook. */
static void allocate_late(void *region)
{
	for (unsigned i = 0; i < 20; i++) {
		struct lg_region *late = lg_region_new(64 * KIB);
		struct lg_region *zero = lg_region_new_zeroed(64 * KIB);

		if (late == NULL || zero == NULL || *(char *)lg_region_data(zero) != 0)
			lg_add_relaxed(&failed, 1u);
		lg_region_free(late);
		lg_region_free(zero);
	}
	lg_thread_flush();
	lg_region_free(region);
	lg_add_relaxed(&destroyed, 1u);
}

static void set_keys(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		pthread_setspecific(keys[i], lg_region_new(1 * MIB));
}

static void destructors_allocate_and_free_after_the_exit_hook(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_key_create(&keys[i], allocate_late), 0);
	for (unsigned i = 0; i < 10; i++) {
		other_start(&other);
		other_do(&other, set_keys, NULL);
		other_end(&other);
	}
	assert_int_equal(lg_load_relaxed(&destroyed), 40);
	assert_int_equal(lg_load_relaxed(&failed), 0);
	assert_int_equal(lg_thread_count(), 1);
	assert_int_equal(stats_of(lg_class_of(64 * KIB)).in_use, 0);
	assert_int_equal(stats_of(lg_class_of(1 * MIB)).in_use, 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_key_delete(keys[i]);
}

static void flush_gives_all_of_the_cache_to_the_pools(void **state)
{
	unsigned class = lg_class_of(64 * KIB);

	(void)state;
	some = (struct some_regions){ .bytes = 64 * KIB, .count = 150 };
	allocate_and_free_some(&some);
	struct lg_class_stats is = stats_of(class);
	assert_true(is.cached > 0);
	uint64_t all = is.cached + is.dirty;
	lg_thread_flush();
	is = stats_of(class);
	assert_true(is.cached == 0 && is.dirty == all);
	lg_thread_flush();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
	const struct CMUnitTest tests[] = {
		TEST(thread_has_no_cache_before_its_first_miss),
		TEST(thread_that_only_frees_gets_one_too),
		TEST(ending_thread_hands_everything_to_the_pools),
		TEST(what_a_thread_counted_stays_counted),
		TEST(records_are_used_again_and_not_more_than_threads_lived_at_once),
		TEST(regions_outlive_the_thread_that_made_them),
		TEST(destructors_allocate_and_free_after_the_exit_hook),
		TEST(flush_gives_all_of_the_cache_to_the_pools),
	};

	return cmocka_run_group_tests(tests, start_without_a_region, NULL);
}
