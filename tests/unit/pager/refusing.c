/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store that refuses every write, with most of the budget dirty for it, beside one that works. */
#include "os/clock.h"
#include "pager/budget.h"
#include "pager/map.h"
#include "pager/transfer.h"
#include "stress/clock.h"
#include "unit/pager/shelved.h"

#include <pthread.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 4096 };

static lg_map *other;

static int start(void **state)
{
	(void)state;
	if (shelved_start("memory:64M,page:4K,faults:inline,prefetch:off", &shelf_ops, 48 * MIB) !=
	    0)
		return -1;
	other = lg_map_memory(pager, 32 * MIB, NULL);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	for (size_t at = 0; at < 48 * MIB; at += PAGE)
		data[at] = 'r';
	return other != NULL ? 0 : -1;
}

/* A touch of it that finds no memory is SIGBUS. */
static void go_through_other(char value)
{
	volatile char *bytes = lg_map_data(other);

	for (size_t at = 0; at < 32 * MIB; at += PAGE)
		bytes[at] = (char)(value + (char)(at / PAGE % 20));
	for (size_t at = 0; at < 32 * MIB; at += PAGE)
		assert_int_equal(bytes[at], (char)(value + (char)(at / PAGE % 20)));
}

static void await_refusal(void)
{
	double hang = clock_hang();

	while (lg_budget_failure(pager) == 0) {
		assert_false(clock_passed(hang));
		(void)lg_map_advise(map, 0, 0, LG_COLD);
	}
}

static void other_maps_go_on_and_nothing_is_lost(void **state)
{
	(void)state;
	go_through_other('a');
	go_through_other('A');
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
		go_through_other('b');
	}
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

static void failure_ends_with_its_pages(void **state)
{
	(void)state;
	await_refusal();
	assert_int_equal(lg_budget_failure(pager), -EIO);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	assert_int_equal(lg_budget_failure(pager), 0);
	go_through_other('c');
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

/* Both failed, and the one that works again has less. */
static void store_that_works_again_has_its_turn_beside_one_that_fails(void **state)
{
	struct shelf aside;
	double hang = clock_hang();

	(void)state;
	shelf_make(&aside, 8 * MIB);
	lg_map *second = lg_map_store(pager, &shelf_ops, &aside, aside.length, NULL);
	assert_non_null(second);
	atomic_store(&aside.writes_fail, SHELF_FOR_EVER);
	memset(lg_map_data(second), 's', 8 * MIB);
	await_refusal();
	while (atomic_load(&aside.writes) == 0) {
		assert_false(clock_passed(hang));
		go_through_other('d');
	}
	atomic_store(&aside.writes_fail, 0);
	while (atomic_load(&aside.written_bytes) < 4 * MIB) {
		assert_false(clock_passed(hang));
		go_through_other('e');
	}
	(void)lg_map_close(second); /* it failed meanwhile */
	for (size_t at = 0; at < 8 * MIB; at++)
		assert_int_equal(aside.bytes[at], 's');
	shelf_end(&aside);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

/* One of another page size, that is tried as well, does not take its turns. */
static void pages_of_another_size_take_no_turns(void **state)
{
	enum { TRIES_MOST = 16 };
	struct shelf aside, large;
	double hang = clock_hang();

	(void)state;
	shelf_make(&aside, MIB);
	shelf_make(&large, 4 * MIB);
	lg_map *second = lg_map_store(pager, &shelf_ops, &aside, aside.length, NULL);
	lg_map *third = lg_map_store(pager, &shelf_ops, &large, large.length, "page:64K");
	assert_non_null(second);
	assert_non_null(third);
	atomic_store(&aside.writes_fail, SHELF_FOR_EVER);
	atomic_store(&large.writes_fail, SHELF_FOR_EVER);
	memset(lg_map_data(second), 's', MIB);
	memset(lg_map_data(third), 't', 4 * MIB);
	while (atomic_load(&aside.writes) == 0 || atomic_load(&large.writes) == 0) {
		assert_false(clock_passed(hang));
		go_through_other('i');
	}
	unsigned tries = atomic_load(&shelf.writes), seen = atomic_load(&aside.writes);
	atomic_store(&aside.writes_fail, 0);
	while (atomic_load(&aside.writes) == seen) {
		assert_false(clock_passed(hang));
		assert_true(atomic_load(&shelf.writes) - tries <= TRIES_MOST);
		go_through_other('j');
	}
	atomic_store(&large.writes_fail, 0);
	(void)lg_map_close(second); /* they failed meanwhile */
	(void)lg_map_close(third);
	for (size_t at = 0; at < MIB; at++)
		assert_int_equal(aside.bytes[at], 's');
	shelf_end(&aside);
	shelf_end(&large);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
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
	struct shelf brief;

	(void)state;
	fail_slowly();
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	shelf_make(&brief, 128 * MIB);
	lg_map *second = lg_map_store(pager, &shelf_ops, &brief, brief.length, NULL);
	assert_non_null(second);
	atomic_store(&brief.writes_fail, 1);
	memset(lg_map_data(second), 'p', brief.length);
	assert_int_equal(lg_map_close(second), -EIO); /* it failed once */
	for (size_t at = 0; at < brief.length; at++)
		assert_int_equal(brief.bytes[at], 'p');
	shelf_end(&brief);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
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
	if (shelved_start("memory:64M,page:4K,faults:inline,prefetch:off", &ops, 48 * MIB) != 0)
		return -1;
	other = lg_map_memory(pager, 32 * MIB, NULL);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	memset(data, 'r', shelf.length);
	return other != NULL ? 0 : -1;
}

/* It may take long to fail, and the touches' own map works. */
static void store_that_refused_is_tried_by_no_touch_of_another(void **state)
{
	enum { TRIES = 16 };
	double hang = clock_hang();

	(void)state;
	await_refusal();
	unsigned mine = atomic_load(&toucher_writes), theirs = atomic_load(&others_writes);
	while (atomic_load(&others_writes) - theirs < TRIES) {
		assert_false(clock_passed(hang));
		go_through_other('k');
		while (lg_os_now_ms() < lg_load_relaxed(&map->retry_at))
			clock_breathe();
		for (unsigned i = 0; i < 4; i++)
			(void)lg_budget_reclaim(pager, true); /* as a touch does */
	}
	assert_int_equal(atomic_load(&toucher_writes), mine);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_close(other), 0);
}

static int start_alone(void **state)
{
	(void)state;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off", &shelf_ops, 32 * MIB) !=
	    0)
		return -1;
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	memset(data, 'r', 6 * MIB);
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

/* --- a kernel that cannot move ------------------------------------------------------------------ */

static int start_in_place(void **state)
{
	(void)state;
	other = NULL;
	return shelved_start(
		"memory:2M,page:4K,faults:inline,prefetch:off,without:move,policy:clock",
		&shelf_ops, 4 * MIB);
}

/* The policy has them in front. */
static void pages_that_a_store_refuses_do_not_hide_others(void **state)
{
	struct shelf failing;

	(void)state;
	shelf_make(&failing, MIB);
	lg_map *second = lg_map_store(pager, &shelf_ops, &failing, failing.length, NULL);
	assert_non_null(second);
	atomic_store(&failing.writes_fail, SHELF_FOR_EVER);
	memset(lg_map_data(second), 's', MIB);
	for (unsigned round = 0; round < 2; round++)
		memset(data, 'a' + (int)round, shelf.length);
	assert_true(atomic_load(&failing.writes) > 0);
	atomic_store(&failing.writes_fail, 0);
	assert_int_equal(lg_map_sync(second, 0, 0), -EIO); /* it failed meanwhile */
	for (size_t at = 0; at < MIB; at++)
		assert_int_equal(failing.bytes[at], 's');
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(data[at], 'b');
	assert_int_equal(lg_map_close(second), 0);
	shelf_end(&failing);
}

/* Of those that were set aside. */
static void store_that_works_again_has_its_pages_in_place(void **state)
{
	(void)state;
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	memset(data, 'p', MIB);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), -EIO);
	assert_int_equal(lg_budget_failure(pager), -EIO);
	atomic_store(&shelf.writes_fail, 0);
	memset(data, 'q', shelf.length);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed meanwhile */
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(shelf.bytes[at], 'q');
	assert_int_equal(lg_budget_failure(pager), 0);
}

static void *sync_map(void *synced)
{
	return lg_map_sync(synced, 0, 0) == 0 ? synced : NULL;
}

/* Touches that find no memory meanwhile wait for it. */
static void write_under_way_is_no_failure(void **state)
{
	struct shelf failing;
	double hang = clock_hang();
	pthread_t syncer;
	void *result;

	(void)state;
	shelf_make(&failing, MIB);
	lg_map *second = lg_map_store(pager, &shelf_ops, &failing, failing.length, NULL);
	assert_non_null(second);
	*(char *)lg_map_data(second) = 's';
	data[0] = 'p';
	atomic_store(&failing.writes_fail, 1);
	assert_int_equal(lg_map_sync(second, 0, 0), -EIO);
	atomic_store(&shelf.holds_writes, true);
	assert_int_equal(pthread_create(&syncer, NULL, sync_map, map), 0);
	while (atomic_load(&shelf.held) == 0) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	int failure = lg_budget_failure(pager);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(failure, 0);
	assert_int_equal(pthread_join(syncer, &result), 0);
	assert_ptr_equal(result, map);
	assert_int_equal(lg_map_close(second), 0);
	shelf_end(&failing);
}

/* --- a store that hangs ------------------------------------------------------------------------- */

static struct shelf read_only;

/* The only writer will be in it. */
static int start_to_hang(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.signal_safe = false;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:1", &ops,
			  8 * MIB) != 0)
		return -1;
	shelf_make(&read_only, 16 * MIB);
	other = lg_map_store(pager, &shelf_ops, &read_only, read_only.length, "readonly:on");
	return other != NULL ? 0 : -1;
}

static int end_to_hang(void **state)
{
	int result = shelved_end(state);

	shelf_end(&read_only);
	return result;
}

static void maps_that_write_nothing_go_on_beside_it(void **state)
{
	volatile char *bytes = lg_map_data(other);

	(void)state;
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
	assert_int_equal(lg_map_close(other), 0);
}

/* One of the two writers will be in it. */
static int start_to_hang_beside_one(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.signal_safe = false;
	if (shelved_start("memory:8M,page:4K,faults:inline,prefetch:off,writers:2", &ops,
			  4 * MIB) != 0)
		return -1;
	other = lg_map_memory(pager, 32 * MIB, NULL);
	return other != NULL ? 0 : -1;
}

static void store_that_hangs_is_not_tried_with_one_that_fails(void **state)
{
	enum { TRIES = 8 };
	struct lg_store_ops ops = shelf_ops;
	struct shelf failing;
	double hang = clock_hang();

	(void)state;
	ops.signal_safe = false;
	shelf_make(&failing, 4 * MIB);
	lg_map *second = lg_map_store(pager, &ops, &failing, failing.length, NULL);
	assert_non_null(second);
	atomic_store(&failing.writes_fail, SHELF_FOR_EVER);
	atomic_store(&shelf.holds_writes, true);
	data[0] = 'h';
	while (!lg_transfer_hangs(map)) {
		assert_false(clock_passed(hang));
		go_through_other('f');
	}
	memset(data + PAGE, 'h', MIB);
	while (lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) < MIB / 2) {
		assert_false(clock_passed(hang));
		go_through_other('g');
	}
	memset(lg_map_data(second), 's', MIB / 4);
	while (atomic_load(&failing.writes) < TRIES) {
		assert_false(clock_passed(hang));
		assert_int_equal(atomic_load(&shelf.held), 1);
		go_through_other('h');
	}
	assert_int_equal(atomic_load(&shelf.held), 1);
	atomic_store(&shelf.holds_writes, false);
	atomic_store(&failing.writes_fail, 0);
	assert_int_equal(lg_map_close(second), -EIO); /* it failed meanwhile */
	for (size_t at = 0; at < MIB / 4; at++)
		assert_int_equal(failing.bytes[at], 's');
	shelf_end(&failing);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(lg_map_close(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(other_maps_go_on_and_nothing_is_lost),
		TEST(store_that_works_again_is_written_to),
		TEST(failure_ends_with_its_pages),
		TEST(store_that_works_again_has_its_turn_beside_one_that_fails),
		TEST(pages_of_another_size_take_no_turns),
		TEST(pause_is_of_the_map_that_was_slow_to_fail),
		cmocka_unit_test_setup_teardown(store_that_refused_is_tried_by_no_touch_of_another,
						start_counted, shelved_end),
		cmocka_unit_test_setup_teardown(
			store_that_works_again_is_asked_before_a_touch_gives_up, start_alone,
			shelved_end),
		cmocka_unit_test_setup_teardown(pages_that_a_store_refuses_do_not_hide_others,
						start_in_place, shelved_end),
		cmocka_unit_test_setup_teardown(store_that_works_again_has_its_pages_in_place,
						start_in_place, shelved_end),
		cmocka_unit_test_setup_teardown(write_under_way_is_no_failure, start_in_place,
						shelved_end),
		cmocka_unit_test_setup_teardown(maps_that_write_nothing_go_on_beside_it,
						start_to_hang, end_to_hang),
		cmocka_unit_test_setup_teardown(store_that_hangs_is_not_tried_with_one_that_fails,
						start_to_hang_beside_one, shelved_end),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
