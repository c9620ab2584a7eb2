/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pages that the kernel did not let go: the test plays who evicts, and the kernel. */
#include "pager/refused.h"

#include "pager/map.h"
#include "stress/clock.h"
#include "stress/shelf.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>
#include <pthread.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 4096, PAGES = 2048 };

static lg_pager *pager;
static lg_map *map;

static int start(void **state)
{
	(void)state;
	pager = lg_pager_new("memory:64M,page:4K");
	map = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	if (map == NULL)
		return -1;
	memset(lg_map_data(map), 'r', (size_t)PAGES * PAGE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	return lg_map_close(map) != 0 || lg_pager_free(pager) != 0;
}

/* Claimed, and taken from its policy. */
static void choose(uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	assert_int_equal(lg_word_state(seen), LG_PAGE_DIRTY);
	assert_true(lg_word_claim(&map->words[page], &seen));
	uint64_t signals = lg_pager_lock(pager);
	lg_resident_leave(map, lg_word_handle(seen));
	lg_pager_unlock(pager, signals);
}

static void refuse(uint64_t page)
{
	uint64_t signals = lg_pager_lock(pager);

	lg_refused_add(map, lg_word_handle(lg_load_relaxed(&map->words[page])));
	lg_word_release(&map->words[page], lg_load_relaxed(&map->words[page]));
	lg_pager_unlock(pager, signals);
}

static bool is_aside(uint64_t page)
{
	return (lg_load_relaxed(&map->words[page]) & LG_WORD_ASIDE) != 0;
}

static bool join_oldest(void)
{
	uint64_t signals = lg_pager_lock(pager);
	bool joined = lg_refused_join_oldest(pager);

	lg_pager_unlock(pager, signals);
	return joined;
}

static void oldest_joins_first(void **state)
{
	(void)state;
	for (uint64_t page = 0; page < PAGES; page++) {
		choose(page);
		refuse(page);
	}
	for (uint64_t page = 0; page < PAGES; page++) {
		assert_true(is_aside(page));
		assert_true(join_oldest());
		assert_false(is_aside(page));
	}
	assert_false(join_oldest());
}

/* It left and came back by another way, or is pinned: unpinning gives it to the policy. */
static void page_that_changed_meanwhile_is_left_alone(void **state)
{
	(void)state;
	choose(0);
	refuse(0);
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_DEAD), 0);
	assert_int_equal(lg_map_write(map, "again", 5, 0), 5);
	assert_false(is_aside(0));
	choose(1);
	refuse(1);
	assert_int_equal(lg_map_pin(map, PAGE, PAGE), 0);
	assert_false(join_oldest());
	assert_true(is_aside(1));
	assert_int_equal(lg_map_unpin(map, PAGE, PAGE), 0);
	assert_false(is_aside(1));
	assert_false(join_oldest());
}

static void *close_other(void *other)
{
	return lg_map_close(other) == 0 ? other : NULL;
}

/* One that is refused again and again is one. */
static void page_is_refused_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		choose(0);
		refuse(0);
	}
	assert_true(join_oldest());
	assert_false(join_oldest());
}

/* Whoever evicts may have a page of it in hand, and the kernel refuse that, when the closing forgets what it knows. */
static void map_that_ends_is_forgotten_with_its_last_page(void **state)
{
	lg_map *kept = map, *other = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	pthread_t closer;
	void *result;

	(void)state;
	assert_non_null(other);
	map = other;
	assert_int_equal(lg_map_write(map, "x", 1, 0), 1);
	choose(0);
	assert_int_equal(pthread_create(&closer, NULL, close_other, other), 0);
	while ((lg_load_relaxed(&map->words[0]) & LG_WORD_WAITED) == 0)
		clock_breathe();
	refuse(0);
	assert_int_equal(pthread_join(closer, &result), 0);
	assert_ptr_equal(result, other);
	map = kept;
	assert_false(join_oldest());
}

/* What came last may not leave either, and is no more than there is room for beside them. */
static void half_of_a_budget_may_be_protected(void **state)
{
	enum { BUDGET = 1 << 20, BYTES = 3 << 20 };
	lg_pager *small = lg_pager_new("memory:1M,page:16K,faults:inline");
	lg_map *many = lg_map_memory(small, BYTES, NULL);
	volatile char *data = lg_map_data(many);

	(void)state;
	assert_non_null(data);
	for (size_t at = 0; at < BYTES; at += PAGE)
		data[at] = 'h';
	assert_int_equal(mprotect((void *)(uintptr_t)data, BUDGET / 2, PROT_READ), 0);
	for (unsigned round = 0; round < 2; round++)
		for (size_t at = 0; at < BYTES; at += PAGE)
			assert_int_equal(data[at], 'h');
	assert_int_equal(lg_map_close(many), 0);
	assert_int_equal(lg_pager_free(small), 0);
}

static size_t pages_in_memory(char *at, size_t pages)
{
	unsigned char seen[PAGES];
	size_t count = 0;

	assert_int_equal(mincore(at, pages * PAGE, seen), 0);
	for (size_t page = 0; page < pages; page++)
		count += seen[page] & 1;
	return count;
}

/*
 * Every other page is read, and all of them go through memory: no neighbours leave together, none comes back soon, and
 * limbo does not pay.
 */
static void claim_locked_pages_stay(const char *options)
{
	enum { LOCKED = 16, ROUNDS = 8 };
	lg_pager *small = lg_pager_new("memory:1M,page:4K,policy:fifo,faults:inline,prefetch:off");
	struct shelf shelf;

	assert_non_null(small);
	shelf_make(&shelf, (size_t)PAGES * PAGE);
	lg_map *many = lg_map_store(small, &shelf_ops, &shelf, shelf.length, options);
	char *data = lg_map_data(many);
	assert_non_null(data);
	for (size_t page = 0; page < 2 * LOCKED; page += 2)
		assert_int_equal(data[page * PAGE], shelf_byte(page * PAGE));
	bool locked = small->userfault.can_move && /* or they leave, locked or not */
		      mlock2(data, (size_t)2 * LOCKED * PAGE, MLOCK_ONFAULT) == 0;
	for (unsigned round = 0; locked && round < ROUNDS; round++)
		for (size_t page = 2 * LOCKED; page < PAGES; page += 2)
			assert_int_equal(data[page * PAGE], shelf_byte(page * PAGE));
	if (locked)
		assert_int_equal(pages_in_memory(data, 2 * LOCKED), LOCKED);
	assert_int_equal(lg_map_close(many), 0);
	assert_int_equal(lg_pager_free(small), 0);
	shelf_end(&shelf);
	if (!locked)
		skip();
}

static void locked_clean_pages_stay(void **state)
{
	(void)state;
	claim_locked_pages_stay(NULL);
}

static void locked_pages_of_a_readonly_map_stay(void **state)
{
	(void)state;
	claim_locked_pages_stay("readonly:on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(oldest_joins_first, start, end),
		cmocka_unit_test_setup_teardown(page_is_refused_once, start, end),
		cmocka_unit_test_setup_teardown(page_that_changed_meanwhile_is_left_alone, start,
						end),
		cmocka_unit_test_setup_teardown(map_that_ends_is_forgotten_with_its_last_page,
						start, end),
		cmocka_unit_test(half_of_a_budget_may_be_protected),
		cmocka_unit_test(locked_clean_pages_stay),
		cmocka_unit_test(locked_pages_of_a_readonly_map_stay),
	};

	return UNIT_RUN(tests);
}
