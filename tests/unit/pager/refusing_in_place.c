/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store that refuses writes, where the kernel cannot move pages: they leave from where they are. */
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/evict.h"
#include "pager/map.h"
#include "stress/clock.h"
#include "unit/pager/second.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static int start(void **state)
{
	(void)state;
	return shelved_start(
		"memory:2M,page:4K,faults:inline,prefetch:off,without:move,policy:clock",
		&shelf_ops, 4 * MIB);
}

static int start_with_write(ssize_t (*write)(void *, const void *, size_t, uint64_t))
{
	struct lg_store_ops ops = shelf_ops;

	ops.write = write;
	return shelved_start("memory:2M,page:4K,faults:inline,prefetch:off,without:move", &ops,
			     4 * MIB);
}

/* The policy has them in front. */
static void pages_that_a_store_refuses_do_not_hide_others(void **state)
{
	struct second failing;

	(void)state;
	second_make(&failing, &shelf_ops, MIB, NULL);
	atomic_store(&failing.shelf.writes_fail, SHELF_FOR_EVER);
	second_fill(&failing, 's', MIB);
	for (unsigned round = 0; round < 2; round++)
		memset(data, 'a' + (int)round, shelf.length);
	assert_true(atomic_load(&failing.shelf.writes) > 0);
	atomic_store(&failing.shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(failing.map, 0, 0), -EIO); /* it failed meanwhile */
	second_claim_stored(&failing);
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(data[at], 'b');
	assert_int_equal(second_end(&failing), 0);
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

/* Not of the last write alone, which went well. */
static void cold_tells_of_each_write_that_failed(void **state)
{
	enum { SOME = 256 << 10 };

	(void)state;
	memset(data, 'c', SOME);
	atomic_store(&shelf.writes_fail, 1);
	assert_int_equal(lg_map_advise(map, 0, SOME, LG_COLD), -EIO);
	assert_int_equal(lg_map_advise(map, 0, SOME, LG_COLD), 0);
	for (size_t at = 0; at < SOME; at++)
		assert_int_equal(shelf.bytes[at], 'c');
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed once */
}

/* Dirty, and the policy has them in front: they cannot be written before the program makes them readable again. */
static void pages_that_cannot_be_read_do_not_hide_others(void **state)
{
	enum { FEW = 128 << 10 };

	(void)state;
	memset(data, 'n', FEW);
	assert_int_equal(mprotect(data, FEW, PROT_NONE), 0);
	for (unsigned round = 0; round < 2; round++)
		memset(data + FEW, 'a' + (int)round, shelf.length - FEW);
	assert_int_equal(mprotect(data, FEW, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(shelf.bytes[at], at < FEW ? 'n' : 'b');
}

static void *sync_map(void *synced)
{
	return lg_map_sync(synced, 0, 0) == 0 ? synced : NULL;
}

/* Touches that find no memory meanwhile wait for it. */
static void write_under_way_is_no_failure(void **state)
{
	struct second failing;
	double hang = clock_hang();
	pthread_t syncer;
	void *result;

	(void)state;
	second_make(&failing, &shelf_ops, MIB, NULL);
	second_fill(&failing, 's', 1);
	data[0] = 'p';
	atomic_store(&failing.shelf.writes_fail, 1);
	assert_int_equal(lg_map_sync(failing.map, 0, 0), -EIO);
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
	assert_int_equal(second_end(&failing), 0);
}

static atomic_bool fails_halfway;

static ssize_t write_half(void *context, const void *buffer, size_t length, uint64_t offset)
{
	ssize_t written = shelf_write(context, buffer,
				      atomic_load(&fails_halfway) ? length / 2 : length, offset);

	return atomic_load(&fails_halfway) ? -ENOSPC : written;
}

static int start_halfway(void **state)
{
	(void)state;
	return start_with_write(write_half);
}

/* As one that was read ahead and found no room for a copy. */
static void page_that_was_written_in_part_is_not_what_the_store_has(void **state)
{
	char first = data[0];

	(void)state;
	((volatile char *)data)[0] = first;
	lg_map_set_hash(map, lg_load_relaxed(&map->words[0]), lg_content_hash(data, 4096));
	data[0] = (char)(first + 1);
	atomic_store(&fails_halfway, true);
	assert_int_equal(lg_map_advise(map, 0, 1, LG_COLD), -ENOSPC);
	atomic_store(&fails_halfway, false);
	data[0] = first;
	(void)lg_map_sync(map, 0, 0); /* it failed meanwhile */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], first);
}

static _Atomic(pthread_t) waiter; /* 0: nobody */
static _Atomic(volatile char *) under_way;
static atomic_uint signals_sent;

static void touch_what_is_written(int signal)
{
	volatile char *at = atomic_load(&under_way);

	(void)signal;
	*at = *at;
}

/* Amid it a signal comes whose handler writes to the page. */
static ssize_t refuse_amid_a_signal(void *context, const void *buffer, size_t length,
				    uint64_t offset)
{
	if (pthread_equal(pthread_self(), atomic_load(&waiter))) {
		atomic_store(&under_way, data + offset);
		atomic_fetch_add(&signals_sent, 1);
		assert_int_equal(pthread_kill(pthread_self(), SIGUSR1), 0);
	}
	return shelf_write(context, buffer, length, offset);
}

static int start_amid_signals(void **state)
{
	(void)state;
	return start_with_write(refuse_amid_a_signal);
}

/* Who waits in vain for memory tries the stores himself. */
static void handler_may_touch_what_a_waiter_writes(void **state)
{
	enum { LATE = 25 };
	double hang = clock_hang();
	struct lg_budget_wait wait;

	(void)state;
	assert_ptr_not_equal(signal(SIGUSR1, touch_what_is_written), SIG_ERR);
	memset(data, 'w', MIB);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), -EIO);
	atomic_store(&waiter, pthread_self());
	while (atomic_load(&signals_sent) == 0) {
		assert_false(clock_passed(hang));
		wait = (struct lg_budget_wait){ .bytes = 4096, .turns = LATE };
		assert_int_equal(lg_budget_sleep(pager, &wait), 0);
	}
	atomic_store(&waiter, (pthread_t)0);
	atomic_store(&shelf.writes_fail, 0);
	(void)lg_map_sync(map, 0, 0); /* it failed meanwhile */
	assert_int_equal(shelf.bytes[MIB - 1], 'w');
	assert_ptr_not_equal(signal(SIGUSR1, SIG_DFL), SIG_ERR);
}

static int start_large(void **state)
{
	(void)state;
	return shelved_start("memory:64M,page:4K,faults:inline,prefetch:off,without:move",
			     &shelf_ops, 48 * MIB);
}

/* However many of them the policy has in front. */
static void many_pages_that_a_store_refuses_do_not_hide_others(void **state)
{
	struct second clean;

	(void)state;
	memset(data, 'm', shelf.length);
	second_make(&clean, &shelf_ops, MIB, NULL);
	assert_int_equal(lg_map_populate(clean.map, 0, MIB), 0);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_sync(map, 0, 1), -EIO);
	assert_true(lg_evict(pager, true) > 0);
	atomic_store(&shelf.writes_fail, 0);
	(void)lg_map_sync(map, 0, 0); /* it failed meanwhile */
	assert_int_equal(second_end(&clean), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(pages_that_a_store_refuses_do_not_hide_others),
		TEST(cold_tells_of_each_write_that_failed),
		TEST(store_that_works_again_has_its_pages_in_place),
		TEST(pages_that_cannot_be_read_do_not_hide_others),
		TEST(write_under_way_is_no_failure),
		cmocka_unit_test_setup_teardown(
			page_that_was_written_in_part_is_not_what_the_store_has, start_halfway,
			shelved_end),
		cmocka_unit_test_setup_teardown(handler_may_touch_what_a_waiter_writes,
						start_amid_signals, shelved_end),
		cmocka_unit_test_setup_teardown(many_pages_that_a_store_refuses_do_not_hide_others,
						start_large, shelved_end),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
