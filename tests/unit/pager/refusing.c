/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store that refuses every write, with most of the budget dirty for it, beside one that works. */
#include "os/clock.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/evict.h"
#include "pager/map.h"
#include "pager/transfer.h"
#include "pager/writeback.h"
#include "stress/clock.h"
#include "stress/strict_policy.h"
#include "unit/pager/other.h"
#include "unit/pager/second.h"

#include <pthread.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 4096 };

static void fill_refused(size_t bytes)
{
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	memset(data, 'r', bytes);
}

static int start_on(const struct lg_store_ops *ops)
{
	if (shelved_start("memory:64M,page:4K,faults:inline,prefetch:off", ops, 48 * MIB) != 0 ||
	    other_start() != 0)
		return -1;
	fill_refused(48 * MIB);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_on(&shelf_ops);
}

static void await_refusal(void)
{
	double hang = clock_hang();

	while (lg_budget_failure(pager) == 0) {
		assert_false(clock_passed(hang));
		(void)lg_map_advise(map, 0, 0, LG_COLD);
	}
}

/* Its store failed meanwhile. */
static void end_failed(void)
{
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

static void other_maps_go_on_and_nothing_is_lost(void **state)
{
	(void)state;
	other_go_through('a');
	other_go_through('A');
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed meanwhile */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < 48 * MIB; at += PAGE)
		assert_int_equal(shelf.bytes[at], 'r');
	assert_int_equal(lg_map_close(other), 0);
}

/* By the writers, with no sync: its memory is wanted. */
static void store_that_works_again_is_written_to(void **state)
{
	double hang = clock_hang();

	(void)state;
	await_refusal();
	atomic_store(&shelf.writes_fail, 0);
	while (shelf.bytes[0] != 'r') {
		assert_false(clock_passed(hang));
		other_go_through('b');
	}
	end_failed();
}

static void failure_ends_with_its_pages(void **state)
{
	(void)state;
	await_refusal();
	assert_int_equal(lg_budget_failure(pager), -EIO);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	assert_int_equal(lg_budget_failure(pager), 0);
	other_go_through('c');
	end_failed();
}

/* Both failed, and the one that works again has less. */
static void store_that_works_again_has_its_turn_beside_one_that_fails(void **state)
{
	struct second aside;
	double hang = clock_hang();

	(void)state;
	second_make(&aside, &shelf_ops, 8 * MIB, NULL);
	atomic_store(&aside.shelf.writes_fail, SHELF_FOR_EVER);
	second_fill(&aside, 's', 8 * MIB);
	await_refusal();
	while (atomic_load(&aside.shelf.writes) == 0) {
		assert_false(clock_passed(hang));
		other_go_through('d');
	}
	atomic_store(&aside.shelf.writes_fail, 0);
	while (atomic_load(&aside.shelf.written_bytes) < 4 * MIB) {
		assert_false(clock_passed(hang));
		other_go_through('e');
	}
	(void)second_end(&aside); /* it failed meanwhile */
	atomic_store(&shelf.writes_fail, 0);
	end_failed();
}

/* One of another page size, that is tried as well, does not take its turns. */
static void pages_of_another_size_take_no_turns(void **state)
{
	enum { TRIES_MOST = 16 };
	struct second aside, large;
	double hang = clock_hang();

	(void)state;
	second_make(&aside, &shelf_ops, MIB, NULL);
	second_make(&large, &shelf_ops, 4 * MIB, "page:64K");
	atomic_store(&aside.shelf.writes_fail, SHELF_FOR_EVER);
	atomic_store(&large.shelf.writes_fail, SHELF_FOR_EVER);
	second_fill(&aside, 's', MIB);
	second_fill(&large, 't', 4 * MIB);
	while (atomic_load(&aside.shelf.writes) == 0 || atomic_load(&large.shelf.writes) == 0) {
		assert_false(clock_passed(hang));
		other_go_through('i');
	}
	unsigned tries = atomic_load(&shelf.writes), seen = atomic_load(&aside.shelf.writes);
	atomic_store(&aside.shelf.writes_fail, 0);
	while (atomic_load(&aside.shelf.writes) == seen) {
		assert_false(clock_passed(hang));
		assert_true(atomic_load(&shelf.writes) - tries <= TRIES_MOST);
		other_go_through('j');
	}
	atomic_store(&large.shelf.writes_fail, 0);
	(void)second_end(&aside); /* they failed meanwhile */
	(void)second_end(&large);
	atomic_store(&shelf.writes_fail, 0);
	end_failed();
}

/* A writer tries it again, and it takes long to fail. */
static void fail_slowly(void)
{
	double hang = clock_hang();

	await_refusal();
	atomic_store(&shelf.holds_writes, true);
	while (!lg_transfer_hangs(map)) {
		assert_false(clock_passed(hang));
		lg_add_ordered(&pager->work, 1);
		lg_os_wake_all(&pager->work);
		clock_breathe();
	}
	atomic_store(&shelf.holds_writes, false);
	while (lg_load_relaxed(&pager->retrying) != 0)
		clock_breathe();
}

/* Of one whose pages are gone, not even closed. A touch of the other's that finds no memory is SIGBUS. */
static void pause_is_of_the_map_that_was_slow_to_fail(void **state)
{
	struct second brief;

	(void)state;
	fail_slowly();
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	second_make(&brief, &shelf_ops, 128 * MIB, NULL);
	atomic_store(&brief.shelf.writes_fail, 1);
	second_fill(&brief, 'p', 128 * MIB);
	assert_int_equal(second_end(&brief), -EIO); /* it failed once */
	end_failed();
}

static pthread_t toucher;
static atomic_uint toucher_writes, others_writes;

static ssize_t write_counted(void *context, const void *buffer, size_t length, uint64_t offset)
{
	atomic_fetch_add(pthread_equal(pthread_self(), toucher) ? &toucher_writes : &others_writes,
			 1);
	return shelf_write(context, buffer, length, offset);
}

static int start_counted(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	toucher = pthread_self();
	ops.write = write_counted;
	return start_on(&ops);
}

/* It may take long to fail, and the touches' own map works. */
static void store_that_refused_is_tried_by_no_touch_of_another(void **state)
{
	enum { TRIES = 16 };
	double hang = clock_hang();

	(void)state;
	await_refusal();
	unsigned mine = atomic_load(&toucher_writes), theirs = atomic_load(&others_writes);
	struct lg_budget_wait touch = { .bytes = PAGE };
	while (atomic_load(&others_writes) - theirs < TRIES) {
		assert_false(clock_passed(hang));
		other_go_through('k');
		while (lg_os_now_ms() < lg_load_relaxed(&map->retry_at))
			clock_breathe();
		for (unsigned i = 0; i < 4; i++)
			(void)lg_budget_reclaim(pager, &touch);
	}
	assert_int_equal(atomic_load(&toucher_writes), mine);
	atomic_store(&shelf.writes_fail, 0);
	end_failed();
}

static int start_alone(void **state)
{
	(void)state;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off", &shelf_ops, 32 * MIB) !=
	    0)
		return -1;
	fill_refused(6 * MIB);
	return 0;
}

/* It was slow to fail, and may be left alone for longer than a touch waits in vain. */
static void store_that_works_again_is_asked_before_a_touch_gives_up(void **state)
{
	(void)state;
	fail_slowly();
	atomic_store(&shelf.writes_fail, 0);
	memset(data, 'w', shelf.length);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(shelf.bytes[at], 'w');
}

/* Frames are few, as under vm.overcommit_memory=2 or RLIMIT_AS: what is refused has all of them. */
static int start_with_few(const char *options, size_t memory, size_t refused)
{
	pager = lg_pager_new(options);
	if (pager == NULL)
		return -1;
	pager->memory_most = memory;
	shelf_make(&shelf, refused);
	map = lg_map_store(pager, &shelf_ops, &shelf, shelf.length, NULL);
	data = lg_map_data(map);
	if (map == NULL || other_start() != 0)
		return -1;
	fill_refused(shelf.length);
	return 0;
}

static int start_with_few_frames(void **state)
{
	(void)state;
	return start_with_few("memory:16M,page:4K,faults:inline,prefetch:off,writers:4", 16 * MIB,
			      12 * MIB);
}

/* Each huge page that is filled needs one. */
static int start_with_few_huge_frames(void **state)
{
	(void)state;
	return start_with_few("memory:32M,page:2M,faults:inline,prefetch:off,writers:2", 32 * MIB,
			      24 * MIB);
}

static void end_with_few_frames(void)
{
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed meanwhile */
	for (size_t at = 0; at < shelf.length; at += PAGE)
		assert_int_equal(shelf.bytes[at], 'r');
	assert_int_equal(lg_map_close(other), 0);
}

static void other_maps_go_on_though_limbo_is_full(void **state)
{
	(void)state;
	other_go_through('l');
	other_go_through('L');
	end_with_few_frames();
}

static int start_with_few_frames_strictly(void **state)
{
	(void)state;
	return start_with_few("memory:16M,page:4K,faults:inline,prefetch:off,writers:4,without:wp,"
			      "policy:strict",
			      16 * MIB, 12 * MIB);
}

/* They cannot leave: no victims, they are the policy's as if they came. */
static void pages_that_a_call_took_are_their_policys_again(void **state)
{
	(void)state;
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), -EIO);
	end_with_few_frames();
}

static void other_huge_pages_are_filled_though_limbo_is_full(void **state)
{
	(void)state;
	other_go_through('h');
	other_go_through('H');
	end_with_few_frames();
}

/* A third, of a store that touches do not write to. */
static void stores_of_the_writers_go_on_though_limbo_is_full(void **state)
{
	struct lg_store_ops ops = shelf_ops;
	struct second slow;

	(void)state;
	ops.signal_safe = false;
	second_make(&slow, &ops, 32 * MIB, NULL);
	second_fill(&slow, 's', 32 * MIB);
	other_go_through('s');
	assert_int_equal(lg_map_sync(slow.map, 0, 0), 0);
	assert_int_equal(second_end(&slow), 0);
	end_with_few_frames();
}

/* They would come writable, and limbo has no room to compare them. */
static void pages_that_are_only_read_leave_though_limbo_is_full(void **state)
{
	struct second read;

	(void)state;
	second_make(&read, &shelf_ops, 32 * MIB, NULL);
	lg_map_set_refuses(read.map, true);
	lg_store_relaxed(&read.map->forecast, LG_FORECAST_MOST);
	const volatile char *bytes = lg_map_data(read.map);
	for (size_t at = 0; at < 32 * MIB; at += PAGE)
		assert_int_equal(bytes[at], shelf_byte(at));
	assert_int_equal(second_end(&read), 0);
	end_with_few_frames();
}

static unsigned held_most;

/* Until one has been in the store for long: who else came in? */
static void *watch_hold(void *unused)
{
	do {
		unsigned held = atomic_load(&shelf.held);

		held_most = held > held_most ? held : held_most;
		clock_breathe();
	} while (!lg_transfer_hangs(map));
	atomic_store(&shelf.holds_writes, false);
	return unused;
}

/* Pages of its are met in limbo, and where they are mapped. */
static void store_that_hangs_has_one_writer_though_limbo_is_full(void **state)
{
	double hang = clock_hang();
	pthread_t watcher;

	(void)state;
	while (!lg_load_relaxed(&map->refuses)) {
		assert_false(clock_passed(hang));
		other_go_through('g');
	}
	held_most = 0;
	atomic_store(&shelf.holds_writes, true);
	assert_int_equal(pthread_create(&watcher, NULL, watch_hold, NULL), 0);
	while (atomic_load(&shelf.holds_writes)) {
		assert_false(clock_passed(hang));
		other_go_through('h');
	}
	assert_int_equal(pthread_join(watcher, NULL), 0);
	assert_int_equal(held_most, 1);
	end_with_few_frames();
}

/* A write in place failed, and the store works again: nothing of it is in limbo, where it would be met. */
static void store_that_works_again_is_tried_though_limbo_is_full(void **state)
{
	struct second brief;

	(void)state;
	second_make(&brief, &shelf_ops, 32 * MIB, NULL);
	atomic_store(&brief.shelf.writes_fail, 1);
	second_fill(&brief, 'b', 32 * MIB);
	assert_true(atomic_load(&brief.shelf.writes) > 1);
	assert_int_equal(second_end(&brief), -EIO); /* it failed once */
	end_with_few_frames();
}

static int start_empty(void **state)
{
	(void)state;
	if (shelved_start("memory:64M,page:4K,faults:inline,prefetch:off", &shelf_ops, MIB) != 0)
		return -1;
	return other_start();
}

/* Dirty, and UNWRITTEN in limbo. */
static void put_in_limbo(lg_map *whose, uint64_t page)
{
	uint64_t seen, signals = lg_os_signals_hold();
	int error;

	((volatile char *)lg_map_data(whose))[page * PAGE] = 'u';
	seen = lg_load_relaxed(&whose->words[page]);
	assert_true(lg_word_claim(&whose->words[page], &seen));
	assert_int_equal(lg_evict_claimed(whose, page, 1, &error), 1);
	lg_os_signals_release(signals);
}

/* What is in front is in somebody's hands. */
static void store_that_refuses_is_not_tried_behind_a_page_in_use(void **state)
{
	uint64_t seen;

	(void)state;
	put_in_limbo(other, 0);
	put_in_limbo(map, 0);
	seen = lg_load_relaxed(&other->words[0]);
	assert_true(lg_word_claim(&other->words[0], &seen));
	lg_map_set_refuses(map, true);
	assert_int_equal(lg_writeback(pager), 0);
	unsigned writes = atomic_load(&shelf.writes);
	lg_word_release(&other->words[0], seen);
	assert_int_equal(writes, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], 'u');
	assert_int_equal(lg_map_close(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name, start) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(other_maps_go_on_and_nothing_is_lost, start),
		TEST(store_that_works_again_is_written_to, start),
		TEST(failure_ends_with_its_pages, start),
		TEST(store_that_works_again_has_its_turn_beside_one_that_fails, start),
		TEST(pages_of_another_size_take_no_turns, start),
		TEST(pause_is_of_the_map_that_was_slow_to_fail, start),
		TEST(store_that_refused_is_tried_by_no_touch_of_another, start_counted),
		TEST(store_that_works_again_is_asked_before_a_touch_gives_up, start_alone),
		TEST(other_maps_go_on_though_limbo_is_full, start_with_few_frames),
		TEST(pages_that_a_call_took_are_their_policys_again,
		     start_with_few_frames_strictly),
		TEST(other_huge_pages_are_filled_though_limbo_is_full, start_with_few_huge_frames),
		TEST(stores_of_the_writers_go_on_though_limbo_is_full, start_with_few_frames),
		TEST(store_that_works_again_is_tried_though_limbo_is_full, start_with_few_frames),
		TEST(pages_that_are_only_read_leave_though_limbo_is_full, start_with_few_frames),
		TEST(store_that_hangs_has_one_writer_though_limbo_is_full, start_with_few_frames),
		TEST(store_that_refuses_is_not_tried_behind_a_page_in_use, start_empty),
	};

	alarm((unsigned)clock_hang_seconds());
	strict_policy_register();
	return UNIT_RUN(tests);
}
