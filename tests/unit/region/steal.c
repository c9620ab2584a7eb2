/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/steal.h"

#include "region/dirty.h"
#include "region/pool.h"
#include "unit/region/other.h"

#define KIB ((size_t)1 << 10)

static struct other others[3];
static struct some_regions some;
static unsigned class;

static int start(void **state)
{
	int error = 0;

	if (library_start(state) != 0 || lg_thread_cache(&error) == NULL)
		return -1;
	class = lg_class_of(64 * KIB);
	lg_cache_note_use(lg_self, class); /* as an allocation does */
	return 0;
}

static void flush(void *unused)
{
	(void)unused;
	lg_thread_flush();
}

/* The first has a full deque, the others have used the class and have none. */
static int start_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		some = (struct some_regions){ .bytes = 64 * KIB, .count = i == 0 ? 250 : 1 };
		other_start(&others[i]);
		other_do(&others[i], allocate_and_free_some, &some);
		if (i > 0)
			other_do(&others[i], flush, NULL);
	}
	return 0;
}

static int end_others(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		other_end(&others[i]);
	assert_int_equal(library_trim(state), 0);
	check_all_areas();
	return 0;
}

static void thief_takes_half_and_a_chain_at_most_of_the_oldest(void **state)
{
	struct lg_region *regions[LG_CHAIN];
	struct lg_deque *deque = &others[0].cache->deques[class];
	unsigned got;

	(void)state;
	for (unsigned inside; (inside = lg_deque_count(deque)) > 0;) {
		uint64_t top = deque->top, steals = stats_of(class).steals;
		unsigned half = (inside + 1) / 2;

		got = lg_steal(lg_self, class, regions);
		assert_int_equal(got, half < LG_CHAIN ? half : LG_CHAIN);
		assert_int_equal(lg_deque_count(deque), inside - got);
		assert_true(deque->top == top + got);
		assert_true(stats_of(class).steals == steals + 1);
		for (unsigned i = 0; i < got; i++)
			assert_true(lg_region_state(regions[i]) == LG_FREE ||
				    lg_region_state(regions[i]) == LG_ZERO);
		lg_pool_put(class, regions, got);
		lg_cache_check(others[0].cache);
	}
	assert_int_equal(lg_steal(lg_self, class, regions), 0);
}

static void nobody_steals_from_itself_or_another_class(void **state)
{
	struct lg_region *regions[LG_CHAIN];

	(void)state;
	assert_int_equal(lg_steal(others[0].cache, class, regions), 0);
	assert_int_equal(lg_steal(lg_self, class + 1, regions), 0);
	assert_int_equal(lg_steal(lg_self, class - 1, regions), 0);
}

static void magazines_are_private(void **state)
{
	struct lg_region *regions[LG_CHAIN];
	uint64_t magazines = stats_of(class).in_magazines;
	unsigned got;

	(void)state;
	while ((got = lg_steal(lg_self, class, regions)) > 0)
		lg_pool_put(class, regions, got);
	assert_true(stats_of(class).in_deques == 0);
	assert_true(stats_of(class).in_magazines == magazines);
}

static void thread_without_a_cache_steals_too(void **state)
{
	struct lg_region *regions[LG_CHAIN];

	(void)state;
	unsigned got = lg_steal(&lg_homeless, class, regions);
	assert_true(got > 0);
	lg_pool_put(class, regions, got);
}

static void allocation_steals_when_nothing_else_is_there(void **state)
{
	struct lg_region *regions[LG_CHAIN], *held[2000];
	unsigned count = 0, got;
	uint64_t before = stats_of(class).steals;

	(void)state;
	/* Empty the pools and the areas. */
	while ((got = lg_pool_take(class, regions)) > 0)
		for (unsigned i = 0; i < got; i++)
			held[count++] = regions[i];
	while (lg_clean_take(class, LG_CHAIN, regions, &got) == 0 && got > 0)
		for (unsigned i = 0; i < got; i++)
			held[count++] = regions[i];
	assert_true(count < 2000);
	uint64_t refills = stats_of(class).refills;
	struct lg_region *region = lg_region_new(64 * KIB);
	assert_non_null(region);
	assert_true(stats_of(class).steals == before + 1);
	assert_true(stats_of(class).refills == refills);
	lg_region_free(region);
	give_from_hand(class, held, count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_others, end_others)
	const struct CMUnitTest tests[] = {
		TEST(thief_takes_half_and_a_chain_at_most_of_the_oldest),
		TEST(nobody_steals_from_itself_or_another_class),
		TEST(magazines_are_private),
		TEST(thread_without_a_cache_steals_too),
		TEST(allocation_steals_when_nothing_else_is_there),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
