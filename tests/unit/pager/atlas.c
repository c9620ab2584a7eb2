/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The atlas beside an array that is searched from end to end. Maps here are addresses only: nothing touches them. */
#include "pager/atlas.h"

#include "pager/map.h"
#include "stress/random.h"
#include "unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAPS = 700, SHIFT = 12, GAP = 3, PAGES = 5, STEPS = 4000 };

static struct lg_map maps[MAPS];
static bool is_in[MAPS];

static char *address(size_t page)
{
	return (char *)((uintptr_t)1 << 40) + (page << SHIFT);
}

/* In an order that is not that of their addresses. */
static int start(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAPS; i++) {
		maps[i].base = address(i * 331 % MAPS * (PAGES + GAP));
		maps[i].pages = PAGES;
		maps[i].shift = SHIFT;
		is_in[i] = false;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAPS; i++)
		if (is_in[i])
			lg_atlas_remove(&maps[i]);
	return 0;
}

static void assert_found_by_its_addresses(size_t i)
{
	struct lg_map *map = is_in[i] ? &maps[i] : NULL;

	assert_ptr_equal(lg_atlas_find(maps[i].base), map);
	assert_ptr_equal(lg_atlas_find(maps[i].base + (PAGES << SHIFT) - 1), map);
	assert_null(lg_atlas_find(maps[i].base - 1));
	assert_null(lg_atlas_find(maps[i].base + (PAGES << SHIFT)));
}

static void map_is_found_by_all_of_its_addresses_and_no_others(void **state)
{
	uint64_t random = random_seed();

	(void)state;
	assert_null(lg_atlas_find(NULL));
	assert_null(lg_atlas_find(maps[0].base));
	for (unsigned step = 0; step < STEPS; step++) {
		size_t i = random_below(&random, MAPS);

		if (is_in[i])
			lg_atlas_remove(&maps[i]);
		else
			assert_int_equal(lg_atlas_add(&maps[i]), 0);
		is_in[i] = !is_in[i];
		assert_found_by_its_addresses(i);
		assert_found_by_its_addresses(random_below(&random, MAPS));
	}
}

static void many_maps_are_all_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAPS; i++) {
		assert_int_equal(lg_atlas_add(&maps[i]), 0);
		is_in[i] = true;
	}
	for (size_t i = 0; i < MAPS; i++)
		assert_found_by_its_addresses(i);
}

static atomic_bool stop;

/* Map 0 stays all the time; it must be found all the time. */
static void *look(void *missed)
{
	while (!atomic_load(&stop))
		for (size_t page = 0; page < PAGES; page++)
			if (lg_atlas_find(maps[0].base + (page << SHIFT)) != &maps[0])
				*(bool *)missed = true;
	return NULL;
}

static void map_is_found_while_others_come_and_go(void **state)
{
	bool missed[2] = { false, false };
	pthread_t threads[2];
	uint64_t random = 1;

	(void)state;
	assert_int_equal(lg_atlas_add(&maps[0]), 0);
	is_in[0] = true;
	atomic_store(&stop, false);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, &missed[i]), 0);
	for (unsigned step = 0; step < 20000; step++) {
		size_t i = 1 + random_below(&random, MAPS - 1);

		if (is_in[i])
			lg_atlas_remove(&maps[i]);
		else
			assert_int_equal(lg_atlas_add(&maps[i]), 0);
		is_in[i] = !is_in[i];
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(missed[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(map_is_found_by_all_of_its_addresses_and_no_others,
						start, end),
		cmocka_unit_test_setup_teardown(many_maps_are_all_found, start, end),
		cmocka_unit_test_setup_teardown(map_is_found_while_others_come_and_go, start, end),
	};

	return UNIT_RUN(tests);
}
