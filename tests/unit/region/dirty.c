/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/dirty.h"

#include "unit/unit.h"

enum { REGIONS = 200 };

static struct lg_dirty pool;
static struct lg_region regions[REGIONS];

static int empty_pool(void **state)
{
	(void)state;
	lg_dirty_init(&pool);
	return 0;
}

static void put(unsigned first, unsigned count)
{
	struct lg_region *chain[LG_CHAIN];

	for (unsigned i = 0; i < count; i++)
		chain[i] = &regions[first + i];
	lg_dirty_put(&pool, chain, count);
}

static void assert_chain(struct lg_region **chain, unsigned got, unsigned first, unsigned count)
{
	assert_int_equal(got, count);
	for (unsigned i = 0; i < count; i++)
		assert_ptr_equal(chain[i], &regions[first + i]);
}

static void new_pool_is_empty(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	assert_true(lg_dirty_is_empty(&pool));
	assert_int_equal(lg_dirty_take(&pool, chain), 0);
	assert_int_equal(lg_dirty_take_old(&pool, chain), 0);
	lg_dirty_turn(&pool);
	assert_true(lg_dirty_is_empty(&pool));
	assert_int_equal(lg_dirty_take(&pool, chain), 0);
}

static void chains_of_every_length_come_back_whole(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	for (unsigned count = 1; count <= LG_CHAIN; count++) {
		put(0, count);
		assert_false(lg_dirty_is_empty(&pool));
		assert_chain(chain, lg_dirty_take(&pool, chain), 0, count);
		assert_true(lg_dirty_is_empty(&pool));
	}
	/* And of lengths mixed, in any member's role. */
	for (unsigned count = LG_CHAIN; count >= 1; count--)
		put((unsigned)(count * (count - 1) / 2), count);
	for (unsigned count = 1; count <= LG_CHAIN; count++)
		assert_chain(chain, lg_dirty_take(&pool, chain), count * (count - 1) / 2, count);
	assert_true(lg_dirty_is_empty(&pool));
}

static void nobody_touches_a_regions_own_bytes(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	/* A view that is no address at all: a touch would be a fault. */
	for (unsigned i = 0; i < LG_CHAIN; i++)
		regions[i].view = (struct lg_region_view){ (void *)(uintptr_t)8, 4096 };
	put(0, LG_CHAIN);
	lg_dirty_turn(&pool);
	assert_chain(chain, lg_dirty_take_old(&pool, chain), 0, LG_CHAIN);
	for (unsigned i = 0; i < LG_CHAIN; i++)
		assert_ptr_equal(regions[i].view.data, (void *)(uintptr_t)8);
}

static void young_is_not_old_before_the_turn(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	put(0, 3);
	assert_int_equal(lg_dirty_take_old(&pool, chain), 0);
	lg_dirty_turn(&pool);
	put(3, 4);
	assert_chain(chain, lg_dirty_take_old(&pool, chain), 0, 3);
	assert_int_equal(lg_dirty_take_old(&pool, chain), 0);
	lg_dirty_turn(&pool);
	assert_chain(chain, lg_dirty_take_old(&pool, chain), 3, 4);
	assert_true(lg_dirty_is_empty(&pool));
}

static void allocation_takes_young_before_old(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	put(0, 1);
	lg_dirty_turn(&pool);
	put(1, 1);
	put(2, 1);
	assert_chain(chain, lg_dirty_take(&pool, chain), 2, 1);
	assert_chain(chain, lg_dirty_take(&pool, chain), 1, 1);
	assert_chain(chain, lg_dirty_take(&pool, chain), 0, 1);
	assert_int_equal(lg_dirty_take(&pool, chain), 0);
}

/* Turned too early nothing is lost; it is only given back a turn later. */
static void turning_while_old_is_not_empty_loses_nothing(void **state)
{
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	put(0, 2);
	lg_dirty_turn(&pool);
	put(2, 2);
	lg_dirty_turn(&pool);
	assert_chain(chain, lg_dirty_take_old(&pool, chain), 2, 2);
	assert_int_equal(lg_dirty_take_old(&pool, chain), 0);
	assert_false(lg_dirty_is_empty(&pool));
	assert_chain(chain, lg_dirty_take(&pool, chain), 0, 2);
	assert_true(lg_dirty_is_empty(&pool));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty_pool)
	const struct CMUnitTest tests[] = {
		TEST(new_pool_is_empty),
		TEST(chains_of_every_length_come_back_whole),
		TEST(nobody_touches_a_regions_own_bytes),
		TEST(young_is_not_old_before_the_turn),
		TEST(allocation_takes_young_before_old),
		TEST(turning_while_old_is_not_empty_loses_nothing),
	};

	return UNIT_RUN(tests);
}
