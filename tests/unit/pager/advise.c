/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Advice, and populating: what they leave in memory, and what they cost the store. */
#include "pager/map.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "stress/clock.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>
#include <pthread.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { PAGE = 16384 };

static lg_pager *pager;
static struct shelf shelf;
static lg_map *map, *memory;
static char *data, *plain;

static int start(void **state)
{
	(void)state;
	pager = lg_pager_new("memory:4M,page:16K,faults:inline");
	shelf_make(&shelf, 8 * MIB + 100);
	map = lg_map_store(pager, &shelf_ops, &shelf, shelf.length, NULL);
	memory = lg_map_memory(pager, 8 * MIB + 100, NULL);
	if (map == NULL || memory == NULL)
		return -1;
	data = lg_map_data(map);
	plain = lg_map_data(memory);
	return 0;
}

static int end(void **state)
{
	int closed = lg_map_close(map) | lg_map_close(memory), freed = lg_pager_free(pager);

	(void)state;
	shelf_end(&shelf);
	return closed != 0 || freed != 0;
}

static struct lg_pager_stats stats_now(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_true(stats.resident <= stats.budget);
	return stats;
}

static void cold_leaves_memory_and_is_written_first(void **state)
{
	(void)state;
	assert_int_equal(lg_map_advise(map, 0, 0, LG_RANDOM), 0); /* nothing is read ahead */
	memset(data, 'c', 8 * PAGE);
	uint64_t before = stats_now().resident;
	assert_int_equal(lg_map_advise(map, 0, 8 * PAGE, LG_COLD), 0);
	assert_true(stats_now().resident <= before - 8 * PAGE);
	assert_int_equal(stats_now().limbo, 0);
	assert_int_equal(shelf.bytes[0], 'c');
	assert_int_equal(shelf.bytes[8 * PAGE - 1], 'c');
	unsigned reads = atomic_load(&shelf.reads);
	assert_int_equal(data[100], 'c');
	assert_true(atomic_load(&shelf.reads) > reads);
}

static void cold_pages_that_are_clean_are_not_written(void **state)
{
	(void)state;
	assert_int_equal(lg_map_populate(map, 0, MIB), 0);
	assert_int_equal(lg_map_advise(map, 0, MIB, LG_COLD), 0);
	assert_int_equal(atomic_load(&shelf.writes), 0);
	assert_int_equal(data[7], shelf_byte(7));
}

static void zeros_of_memory_cost_no_io(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8 * MIB; i += 4096)
		assert_int_equal(plain[i], 0);
	memset(plain, 0, 8 * MIB); /* written to, and still zeros */
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	struct lg_pager_stats stats = stats_now();
	assert_int_equal(stats.bytes_written, 0);
	assert_int_equal(stats.bytes_read, 0);
	assert_true(stats.zero_fills > 0);
	assert_true(stats.evictions_zero > 0);
}

static void dead_reads_zero_without_io(void **state)
{
	(void)state;
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_RANDOM), 0); /* nobody reads behind us */
	memset(plain, 'd', 8 * MIB);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0); /* nor writes */
	memset(plain, 'e', MIB);
	uint64_t written = stats_now().bytes_written, read = stats_now().bytes_read;
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_DEAD), 0);
	assert_true(stats_now().discarded > 0);
	for (size_t i = 0; i < 8 * MIB + 100; i += 100)
		assert_int_equal(plain[i], 0);
	assert_true(stats_now().bytes_read == read);
	assert_true(stats_now().bytes_written == written);
}

/* Readers bring in whole pieces, and a touch may ask for what follows. */
static uint64_t await_prefetched(uint64_t pages)
{
	double hang = clock_hang();

	while (stats_now().prefetched < pages || lg_load_relaxed(&map->requests) > 0) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	return stats_now().prefetched;
}

/* A writer may still be giving back what it took before. */
static void await_resident(uint64_t most)
{
	double hang = clock_hang();

	while (stats_now().resident > most) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
}

/* Also of what was in limbo. */
static void memory_of_what_is_dead_goes_back(void **state)
{
	uint64_t before = stats_now().resident;

	(void)state;
	memset(plain, 'd', 8 * MIB); /* some of it is on its way out */
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_DEAD), 0);
	assert_int_equal(stats_now().limbo, 0);
	await_resident(before);
}

static void memory_of_what_is_cold_goes_back_however_much_it_is(void **state)
{
	uint64_t before = stats_now().resident;

	(void)state;
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_RANDOM), 0);
	memset(plain, 'c', 7 * MIB / 2);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	assert_int_equal(stats_now().limbo, 0);
	await_resident(before);
}

static void dead_is_for_whole_pages_inside_the_range(void **state)
{
	(void)state;
	memset(plain, 'e', 4 * PAGE);
	assert_int_equal(lg_map_advise(memory, 1, 3 * PAGE, LG_DEAD), 0);
	for (size_t i = 0; i < 4 * PAGE; i++)
		assert_int_equal(plain[i], i < PAGE || i >= 3 * PAGE ? 'e' : 0);
	plain[8 * MIB + 99] = 'f'; /* the last page ends with the map */
	assert_int_equal(lg_map_advise(memory, 8 * MIB, 100, LG_DEAD), 0);
	assert_int_equal(plain[8 * MIB + 99], 0);
}

static void dead_page_of_a_store_is_as_the_store_has_it(void **state)
{
	(void)state;
	data[10] = 'g';
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_DEAD), 0);
	assert_int_equal(data[10], shelf_byte(10));
	data[10] = 'h';
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	data[10] = 'i';
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_DEAD), 0);
	assert_int_equal(data[10], 'h');
}

static void populate_brings_in_and_stops_at_the_budget(void **state)
{
	(void)state;
	assert_int_equal(lg_map_populate(map, 0, 2 * MIB), 0);
	uint64_t faults = stats_now().faults;
	for (size_t i = 0; i < 2 * MIB; i += 4096)
		assert_int_equal(data[i], shelf_byte(i));
	assert_true(stats_now().faults == faults);
	assert_int_equal(lg_map_populate(map, 0, 0), 0); /* twice the budget */
}

/* Not before the readers are done with it: what is asked for is read once, by nobody who waits. */
static void willneed_reads_before_it_is_touched(void **state)
{
	(void)state;
	assert_int_equal(lg_map_advise(map, 0, MIB, LG_WILLNEED), 0);
	(void)await_prefetched(MIB / PAGE);
	assert_int_equal(atomic_load(&shelf.read_bytes),
			 MIB); /* a touch may ask for what follows */
	for (size_t i = 0; i < MIB; i += 4096)
		assert_int_equal(data[i], shelf_byte(i));
	assert_true(stats_now().prefetch_useful > 0);
}

/* Whatever makes it leave. */
static void what_was_read_ahead_was_of_use_or_not(void **state)
{
	static const enum lg_advice ends[] = { LG_COLD, LG_DEAD };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct lg_pager_stats before = stats_now();

		assert_int_equal(lg_map_advise(map, 0, MIB, LG_WILLNEED), 0);
		uint64_t ahead = await_prefetched(before.prefetched + MIB / PAGE);
		assert_int_equal(ahead, before.prefetched + MIB / PAGE);
		assert_int_equal(lg_map_advise(map, 0, 0, ends[i]), 0);
		assert_int_equal(stats_now().prefetch_useful, 0);
		assert_int_equal(stats_now().prefetch_useless, ahead);
	}
	assert_int_equal(lg_map_advise(map, 0, MIB, LG_WILLNEED), 0);
	(void)await_prefetched(3 * MIB / PAGE);
	assert_int_equal(data[0], shelf_byte(0)); /* the first of a piece tells of its touch */
	uint64_t ahead = await_prefetched(3 * MIB / PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	struct lg_pager_stats stats = stats_now();
	assert_true(stats.prefetch_useful > 0);
	assert_int_equal(stats.prefetch_useful + stats.prefetch_useless, ahead);
}

static void random_asks_for_nothing_ahead(void **state)
{
	(void)state;
	assert_int_equal(lg_map_advise(map, 0, 0, LG_RANDOM), 0);
	for (size_t i = 0; i < MIB; i += PAGE)
		assert_int_equal(data[i], shelf_byte(i));
	assert_int_equal(stats_now().prefetched, 0);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_NORMAL), 0);
}

static atomic_bool done;

static void *make_cold(void *argument)
{
	(void)argument;
	while (!atomic_load(&done))
		if (lg_map_advise(map, 0, PAGE, LG_COLD) != 0)
			return argument;
	return NULL;
}

/* By a reader, since the store is not for signal handlers; and the touch finds it gone more often than not. */
static void page_that_leaves_at_once_is_brought_again(void **state)
{
	enum { TOUCHES = 10000, THREADS = 6 };
	struct lg_store_ops ops = shelf_ops;
	pthread_t threads[THREADS];
	void *failed;

	(void)state;
	ops.signal_safe = false;
	assert_int_equal(lg_map_close(map), 0);
	map = lg_map_store(pager, &ops, &shelf, shelf.length, NULL);
	assert_non_null(map);
	volatile char *at = lg_map_data(map);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_RANDOM), 0);
	atomic_store(&done, false);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_cold, &ops), 0);
	for (unsigned i = 0; i < TOUCHES; i++)
		assert_int_equal(at[0], shelf_byte(0));
	atomic_store(&done, true);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(cold_leaves_memory_and_is_written_first),
		TEST(cold_pages_that_are_clean_are_not_written),
		TEST(zeros_of_memory_cost_no_io),
		TEST(dead_reads_zero_without_io),
		TEST(memory_of_what_is_dead_goes_back),
		TEST(memory_of_what_is_cold_goes_back_however_much_it_is),
		TEST(dead_is_for_whole_pages_inside_the_range),
		TEST(dead_page_of_a_store_is_as_the_store_has_it),
		TEST(populate_brings_in_and_stops_at_the_budget),
		TEST(willneed_reads_before_it_is_touched),
		TEST(what_was_read_ahead_was_of_use_or_not),
		TEST(random_asks_for_nothing_ahead),
		TEST(page_that_leaves_at_once_is_brought_again),
	};

	return UNIT_RUN(tests);
}
