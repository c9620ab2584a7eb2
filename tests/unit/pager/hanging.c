/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store that does not come back: others go on, also in the second before it counts as one that hangs. */
#include "pager/map.h"
#include "pager/transfer.h"
#include "stress/clock.h"
#include "unit/pager/other.h"
#include "unit/pager/second.h"

#include <pthread.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 4096 };

static struct lg_store_ops hanging_ops(void)
{
	struct lg_store_ops ops = shelf_ops;

	ops.signal_safe = false;
	return ops;
}

/* The only writer will be in it. */
static int start_with_one(void **state)
{
	struct lg_store_ops ops = hanging_ops();

	(void)state;
	return shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:1", &ops,
			     8 * MIB);
}

/* One of the two writers will be in it. */
static int start_with_two(void **state)
{
	struct lg_store_ops ops = hanging_ops();

	(void)state;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:2", &ops,
			  4 * MIB) != 0)
		return -1;
	return other_start();
}

static void maps_that_write_nothing_go_on_beside_it(void **state)
{
	struct second read_only;

	(void)state;
	second_make(&read_only, &shelf_ops, 16 * MIB, "readonly:on");
	volatile char *bytes = lg_map_data(read_only.map);
	atomic_store(&shelf.holds_writes, true);
	for (size_t at = 0; at < 4 * MIB; at += PAGE)
		data[at] = 'h';
	for (unsigned round = 0; round < 3; round++)
		for (size_t at = 0; at < 16 * MIB; at += PAGE)
			assert_int_equal(bytes[at], shelf_byte(at));
	assert_true(atomic_load(&shelf.held) > 0);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < 4 * MIB; at += PAGE)
		assert_int_equal(shelf.bytes[at], 'h');
	assert_int_equal(second_end(&read_only), 0);
}

static void store_that_hangs_is_not_tried_with_one_that_fails(void **state)
{
	enum { TRIES = 8 };
	struct lg_store_ops ops = hanging_ops();
	struct second failing;
	double hang = clock_hang();

	(void)state;
	second_make(&failing, &ops, 4 * MIB, NULL);
	atomic_store(&failing.shelf.writes_fail, SHELF_FOR_EVER);
	atomic_store(&shelf.holds_writes, true);
	data[0] = 'h';
	while (!lg_transfer_hangs(map)) {
		assert_false(clock_passed(hang));
		other_go_through('f');
	}
	memset(data + PAGE, 'h', MIB);
	while (lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) < MIB / 2) {
		assert_false(clock_passed(hang));
		other_go_through('g');
	}
	second_fill(&failing, 's', MIB / 4);
	while (atomic_load(&failing.shelf.writes) < TRIES) {
		assert_false(clock_passed(hang));
		assert_int_equal(atomic_load(&shelf.held), 1);
		other_go_through('h');
	}
	assert_int_equal(atomic_load(&shelf.held), 1);
	atomic_store(&shelf.holds_writes, false);
	atomic_store(&failing.shelf.writes_fail, 0);
	assert_int_equal(second_end(&failing), -EIO); /* it failed meanwhile */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(lg_map_close(other), 0);
}

/* Both failed; the writers try them again, and the other may as well not come back. */
static int start_with_touches(void **state)
{
	(void)state;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:2", &shelf_ops,
			  4 * MIB) != 0)
		return -1;
	return other_start();
}

static void store_that_works_again_is_tried_beside_one_that_hangs_when_it_is(void **state)
{
	struct second again;
	double hang = clock_hang();

	(void)state;
	second_make(&again, &shelf_ops, MIB, NULL);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	atomic_store(&again.shelf.writes_fail, SHELF_FOR_EVER);
	second_fill(&again, 's', MIB);
	memset(data, 'h', MIB);
	while (!lg_load_relaxed(&map->refuses) || !lg_load_relaxed(&again.map->refuses)) {
		assert_false(clock_passed(hang));
		other_go_through('m');
	}
	atomic_store(&shelf.holds_writes, true);
	while (atomic_load(&shelf.held) == 0) {
		assert_false(clock_passed(hang));
		other_go_through('n');
	}
	atomic_store(&again.shelf.writes_fail, 0);
	while (lg_load_relaxed(&again.map->refuses)) {
		assert_false(clock_passed(hang));
		other_go_through('o');
	}
	assert_int_equal(atomic_load(&shelf.held), 1);
	atomic_store(&shelf.writes_fail, 0);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(second_end(&again), -EIO); /* they failed meanwhile */
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

enum { SYNCS = 12 };

/* All that is in memory will be of the store that hangs, but for what the syncs leave. */
static int start_for_syncs(void **state)
{
	(void)state;
	if (shelved_start("memory:16M,page:4K,faults:inline,prefetch:off,policy:clock", &shelf_ops,
			  (SYNCS + 1) * MIB) != 0)
		return -1;
	return other_start();
}

static void *sync_a_part(void *at)
{
	return lg_map_sync(map, (size_t)at, MIB) == 0 ? map : NULL;
}

/* The page of a thread that sleeps then is kept for it. */
struct sleeper {
	pthread_t thread;
	atomic_bool sleeps;
	atomic_bool ends;
};

static void *touch_and_sleep(void *argument)
{
	struct sleeper *sleeper = argument;

	((volatile char *)lg_map_data(other))[OTHER_BYTES - OTHER_PAGE] = 's';
	atomic_store(&sleeper->sleeps, true);
	while (!atomic_load(&sleeper->ends))
		clock_breathe();
	return NULL;
}

/* More pages than a search passes over before it ends; and one behind them that stays, in front of those that leave. */
static void syncs_that_hang_hide_no_pages_from_eviction(void **state)
{
	pthread_t syncs[SYNCS];
	struct sleeper sleeper = { .sleeps = false };
	void *result;

	(void)state;
	memset(data, 'h', SYNCS * MIB);
	assert_int_equal(pthread_create(&sleeper.thread, NULL, touch_and_sleep, &sleeper), 0);
	while (!atomic_load(&sleeper.sleeps))
		clock_breathe();
	memset(lg_map_data(other), 'o', 2 * MIB);
	atomic_store(&shelf.holds_writes, true);
	for (size_t i = 0; i < SYNCS; i++)
		assert_int_equal(pthread_create(&syncs[i], NULL, sync_a_part, (void *)(i * MIB)),
				 0);
	while (atomic_load(&shelf.held) < SYNCS)
		clock_breathe();
	other_go_through('c');
	assert_true(atomic_load(&shelf.held) >= SYNCS);
	atomic_store(&shelf.holds_writes, false);
	atomic_store(&sleeper.ends, true);
	assert_int_equal(pthread_join(sleeper.thread, NULL), 0);
	for (size_t i = 0; i < SYNCS; i++) {
		assert_int_equal(pthread_join(syncs[i], &result), 0);
		assert_non_null(result);
	}
	other_go_through('d');
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < SYNCS * MIB; at++)
		assert_int_equal(shelf.bytes[at], 'h');
	assert_int_equal(lg_map_close(other), 0);
}

enum { PARTS = 54, PART = 256 << 10 };

static void *sync_a_quarter(void *at)
{
	return lg_map_sync(map, (size_t)at, PART) == 0 ? map : NULL;
}

static void *write_the_rest(void *unused)
{
	memset(data + (size_t)PARTS * PART, 'r', 4 * MIB);
	return unused;
}

static int start_for_all(void **state)
{
	(void)state;
	return shelved_start("memory:16M,page:4K,faults:inline,prefetch:off,policy:clock",
			     &shelf_ops, 20 * MIB);
}

/* All that is in memory is in their hands: who looks for a victim finds none, and has to stop. */
static void search_ends_where_syncs_that_hang_have_all(void **state)
{
	enum { LOOKS = 500 };
	pthread_t syncs[PARTS], writer;
	struct lg_pager_stats stats;
	void *result;

	(void)state;
	atomic_store(&shelf.holds_writes, true);
	for (size_t i = 0; i < PARTS; i++) {
		memset(data + i * PART, 's', PART);
		assert_int_equal(
			pthread_create(&syncs[i], NULL, sync_a_quarter, (void *)(i * PART)), 0);
		while (atomic_load(&shelf.held) <= i)
			clock_breathe();
	}
	assert_int_equal(pthread_create(&writer, NULL, write_the_rest, NULL), 0);
	for (unsigned i = 0; i < LOOKS; i++) {
		assert_int_equal(lg_pager_stats_read(pager, &stats), 0); /* under the lock */
		clock_breathe();
	}
	atomic_store(&shelf.holds_writes, false);
	for (size_t i = 0; i < PARTS; i++) {
		assert_int_equal(pthread_join(syncs[i], &result), 0);
		assert_non_null(result);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < (size_t)PARTS * PART; at++)
		assert_int_equal(shelf.bytes[at], 's');
}

/* --- from the first moment ---------------------------------------------------------------------- */

/* Writers alone evict and write: there is one, but for those that are spare. */
static int start_with_one_and_other(void **state)
{
	return start_with_one(state) != 0 ? -1 : other_start();
}

static int start_without_move(void **state)
{
	struct lg_store_ops ops = hanging_ops();

	(void)state;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:1,without:move",
			  &ops, 2 * MIB) != 0)
		return -1;
	return other_start();
}

static void await_held(struct shelf *of)
{
	while (atomic_load(&of->held) == 0)
		clock_breathe();
}

/* A writer of its own for each store, as long as there are any, and never two for one. */
static void last_writer_is_left_to_others(void **state)
{
	struct second hung[LG_CREW_SPARE];
	struct lg_store_ops ops = hanging_ops();

	(void)state;
	for (size_t i = 0; i < LG_CREW_SPARE; i++) {
		second_make(&hung[i], &ops, MIB, NULL);
		atomic_store(&hung[i].shelf.holds_writes, true);
		second_fill(&hung[i], 'h', MIB);
	}
	other_go_through('w');
	other_go_through('x');
	for (size_t i = 0; i < LG_CREW_SPARE; i++) {
		assert_int_equal(atomic_load(&hung[i].shelf.held), 1);
		atomic_store(&hung[i].shelf.holds_writes, false);
		assert_int_equal(second_end(&hung[i]), 0);
	}
	assert_int_equal(lg_map_close(other), 0);
}

/* --- from touches that write, before it is seen that it hangs ------------------------------------ */

enum { TOUCHES = 8 };

static atomic_uint touches_ended;
static pthread_barrier_t all_begin;

static int start_touching(const char *options)
{
	atomic_store(&touches_ended, 0);
	if (shelved_start(options, &shelf_ops, 6 * MIB) != 0)
		return -1;
	return other_start();
}

static int start_with_helpers(void **state)
{
	(void)state;
	return start_touching("memory:8M,page:4K,faults:inline,prefetch:off,writers:1");
}

static int start_with_helpers_in_place(void **state)
{
	(void)state;
	return start_touching(
		"memory:8M,page:4K,faults:inline,prefetch:off,writers:1,without:move");
}

static void *touch_a_part(void *part)
{
	enum { MINE = OTHER_BYTES / TOUCHES };
	char *bytes = (char *)lg_map_data(other) + (size_t)part * MINE;

	pthread_barrier_wait(&all_begin);
	for (size_t at = 0; at < MINE; at += PAGE)
		bytes[at] = 't';
	atomic_fetch_add(&touches_ended, 1);
	return NULL;
}

static void one_touch_at_most_writes_to_a_store(void **state)
{
	pthread_t touches[TOUCHES];

	(void)state;
	assert_int_equal(pthread_barrier_init(&all_begin, NULL, TOUCHES), 0);
	for (size_t at = 0; at < 6 * MIB; at += PAGE)
		data[at] = 'h';
	atomic_store(&shelf.holds_writes, true);
	for (size_t i = 0; i < TOUCHES; i++)
		assert_int_equal(pthread_create(&touches[i], NULL, touch_a_part, (void *)i), 0);
	while (atomic_load(&touches_ended) < TOUCHES - 1)
		clock_breathe();
	assert_in_range(atomic_load(&shelf.held), 1, 2); /* the writer's, and one touch's */
	atomic_store(&shelf.holds_writes, false);
	for (size_t i = 0; i < TOUCHES; i++)
		assert_int_equal(pthread_join(touches[i], NULL), 0);
	assert_int_equal(pthread_barrier_destroy(&all_begin), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < 6 * MIB; at += PAGE)
		assert_int_equal(shelf.bytes[at], 'h');
	assert_int_equal(lg_map_close(other), 0);
}

static void *make_cold(void *cold)
{
	return lg_map_advise(cold, 0, 0, LG_COLD) == 0 ? cold : NULL;
}

static void cold_writes_no_pages_of_other_maps(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	memset(data, 'h', MIB);
	memset(lg_map_data(other), 'c', MIB);
	atomic_store(&shelf.holds_writes, true);
	assert_int_equal(pthread_create(&thread, NULL, make_cold, map), 0);
	await_held(&shelf);
	assert_non_null(make_cold(other));
	assert_int_equal(atomic_load(&shelf.held), 1);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_non_null(result);
	assert_int_equal(lg_map_close(other), 0);
}

static void *go_through(void *unused)
{
	other_go_through('b');
	return unused;
}

/* Victims of both are in a batch, and one's are written from where they are. */
static void batch_holds_no_pages_of_other_maps(void **state)
{
	lg_map *beside = lg_map_memory(pager, 2 * MIB, NULL);
	pthread_t thread;

	(void)state;
	assert_non_null(beside);
	for (size_t at = 0; at < 2 * MIB; at += PAGE)
		data[at] = ((char *)lg_map_data(beside))[at] = 'v';
	atomic_store(&shelf.holds_writes, true);
	assert_int_equal(pthread_create(&thread, NULL, go_through, NULL), 0);
	await_held(&shelf);
	assert_int_equal(lg_map_close(beside), 0);
	assert_true(atomic_load(&shelf.held) > 0);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(lg_map_close(other), 0);
}

/* --- from a read -------------------------------------------------------------------------------- */

enum { READS = 96 }; /* more than there are buffers, and than their memory has room for */

static int start_for_reads(void **state)
{
	(void)state;
	if (shelved_start("memory:16M,page:64K,faults:inline,prefetch:off", &shelf_ops, 8 * MIB) !=
	    0)
		return -1;
	return other_start();
}

static void *read_page(void *at)
{
	return data[(size_t)at] == shelf_byte((size_t)at) ? map : NULL;
}

static void reads_that_hang_leave_memory_and_buffers_to_others(void **state)
{
	enum { LARGE = 64 << 10 };
	pthread_t reads[READS];
	struct second works;
	void *result;

	(void)state;
	second_make(&works, &shelf_ops, 8 * MIB, NULL);
	atomic_store(&shelf.holds_reads, true);
	for (size_t i = 0; i < READS; i++)
		assert_int_equal(pthread_create(&reads[i], NULL, read_page, (void *)(i * LARGE)),
				 0);
	while (atomic_load(&shelf.held) < READS / 4) /* the others wait for these */
		clock_breathe();
	const volatile char *bytes = lg_map_data(works.map);
	for (size_t at = 0; at < 8 * MIB; at += PAGE)
		assert_int_equal(bytes[at], shelf_byte(at));
	other_go_through('r');
	assert_true(atomic_load(&shelf.held) >= READS / 4);
	atomic_store(&shelf.holds_reads, false);
	for (size_t i = 0; i < READS; i++) {
		assert_int_equal(pthread_join(reads[i], &result), 0);
		assert_non_null(result);
	}
	assert_int_equal(second_end(&works), 0);
	assert_int_equal(lg_map_close(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name, start) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(maps_that_write_nothing_go_on_beside_it, start_with_one),
		TEST(store_that_hangs_is_not_tried_with_one_that_fails, start_with_two),
		TEST(store_that_works_again_is_tried_beside_one_that_hangs_when_it_is,
		     start_with_touches),
		TEST(syncs_that_hang_hide_no_pages_from_eviction, start_for_syncs),
		TEST(search_ends_where_syncs_that_hang_have_all, start_for_all),
		TEST(last_writer_is_left_to_others, start_with_one_and_other),
		TEST(one_touch_at_most_writes_to_a_store, start_with_helpers),
		TEST(one_touch_at_most_writes_to_a_store, start_with_helpers_in_place),
		TEST(cold_writes_no_pages_of_other_maps, start_with_one_and_other),
		TEST(batch_holds_no_pages_of_other_maps, start_without_move),
		TEST(reads_that_hang_leave_memory_and_buffers_to_others, start_for_reads),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
