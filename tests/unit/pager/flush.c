/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The option flush: what was stored to a page comes to its store by itself, whichever way the page became writable. */
#include "pager/flush.h"

#include "pager/pager.h"
#include "unit/pager/held.h"

#include <pthread.h>

enum { BYTES = 4 << 20 };

static const char *how;
static size_t watched;     /* a byte of the store */
static atomic_int arrived; /* the same, as it was written last */

/* The kernel lets nobody store meanwhile, which ThreadSanitizer cannot see. */
__attribute__((no_sanitize("thread"))) static char byte_of(const volatile char *bytes, size_t at)
{
	return bytes[at];
}

/* Nothing else is kept. */
static ssize_t write_noted(void *context, const void *buffer, size_t length, uint64_t offset)
{
	(void)context;
	if (watched - offset < length)
		atomic_store(&arrived, byte_of(buffer, watched - offset));
	return (ssize_t)length;
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;
	char options[100];

	(void)state;
	ops.write = write_noted;
	watched = 0;
	atomic_store(&arrived, 0);
	snprintf(options, sizeof(options), "memory:32M,flush:10ms,faults:inline,prefetch:off,%s",
		 how);
	return shelved_start(options, &ops, BYTES);
}

static void store_and_await(char value)
{
	double hang = clock_hang();

	data[watched] = value;
	while (atomic_load(&arrived) != value) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
}

/* No page is dirty, nor taken for it. */
static void await_quiet(void)
{
	double hang = clock_hang();

	while (lg_load_relaxed(&pager->flush_at) != 0) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
}

static void page_that_was_loaded_first_is_written(void **state)
{
	(void)state;
	assert_int_equal(data[0], shelf_byte(0));
	for (char value = 'A'; value < 'E'; value++)
		store_and_await(value);
}

static void page_that_was_quiet_for_long_is_written(void **state)
{
	(void)state;
	assert_int_equal(data[0], shelf_byte(0));
	for (char value = 'P'; value < 'S'; value++) {
		await_quiet();
		store_and_await(value);
	}
}

/* Nobody is told when it is touched. The first of what is read ahead is, and is none of them. */
static void page_that_was_read_ahead_is_written(void **state)
{
	struct lg_pager_stats stats;
	double hang = clock_hang();

	(void)state;
	watched = (size_t)5 * 16384;
	assert_int_equal(lg_map_advise(map, 0, 0, LG_WILLNEED), 0);
	do {
		assert_false(clock_passed(hang));
		clock_breathe();
		assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	} while (stats.prefetched < 2);
	store_and_await('U');
}

/* --- one writer ---------------------------------------------------------------------------- */

enum { PAGE = 4096, PAGES = 1024, FILLED = 480, DEAD = 700 };

static lg_map *memory;

static int start_with_one_writer(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.signal_safe = false;
	int result = shelved_start(
		"memory:1M,page:4K,flush:50ms,writers:1,faults:inline,prefetch:off", &ops, BYTES);
	memory = result == 0 ? lg_map_memory(pager, (size_t)PAGES * PAGE, NULL) : NULL;
	return memory != NULL ? 0 : -1;
}

static int end_with_one_writer(void **state)
{
	int closed = lg_map_close(memory);

	return shelved_end(state) != 0 || closed != 0;
}

static void *fill_more_than_there_is(void *unused)
{
	volatile char *bytes = lg_map_data(memory);

	(void)unused;
	for (size_t page = 0; page < FILLED; page++)
		bytes[page * PAGE] = 'f';
	return NULL;
}

static void *touch_the_dead_one(void *unused)
{
	(void)unused;
	((volatile char *)lg_map_data(memory))[DEAD * PAGE] = 't';
	return NULL;
}

static void begin_to_wait(pthread_t *thread, void *(*run)(void *), uint32_t waiting)
{
	double hang = clock_hang();

	assert_int_equal(pthread_create(thread, NULL, run, NULL), 0);
	while (lg_load_relaxed(&pager->waiting) < waiting) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
}

/*
 * The only writer that is left takes two pages to flush, and the store does not come back with the first. Meanwhile the second dies, and
 * is touched when there is no memory but what the writer will give.
 */
static void page_that_waits_for_the_writer_is_not_waited_for(void **state)
{
	volatile char *bytes = lg_map_data(memory);
	pthread_t filler, toucher;

	(void)state;
	hold_writers_but(1);
	atomic_store(&shelf.holds_writes, true);
	data[0] = 's';
	bytes[DEAD * PAGE] = 'd';
	while (atomic_load(&shelf.held) == 0)
		clock_breathe();
	assert_int_equal(lg_map_advise(memory, DEAD * PAGE, PAGE, LG_DEAD), 0);
	begin_to_wait(&filler, fill_more_than_there_is, 1);
	begin_to_wait(&toucher, touch_the_dead_one, 2);
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(pthread_join(filler, NULL), 0);
	assert_int_equal(pthread_join(toucher, NULL), 0);
	assert_int_equal(bytes[DEAD * PAGE], 't');
	for (size_t page = 0; page < FILLED; page++)
		assert_int_equal(bytes[page * PAGE], 'f');
	let_writers_go();
}

/* --- others --------------------------------------------------------------------------------------- */

static struct shelf aside;
static lg_map *second;

static int start_with_two_stores(void **state)
{
	(void)state;
	if (shelved_start("memory:8M,page:4K,flush:10ms,writers:1,faults:inline,prefetch:off",
			  &shelf_ops, BYTES) != 0)
		return -1;
	shelf_make(&aside, BYTES);
	second = lg_map_store(pager, &shelf_ops, &aside, BYTES, NULL);
	return second != NULL ? 0 : -1;
}

static int end_with_two_stores(void **state)
{
	shelf_end(&aside);
	return shelved_end(state);
}

/* Nothing else is written to: there is a tick for the second all the same. */
static void store_that_hangs_keeps_no_other_from_being_flushed(void **state)
{
	double hang = clock_hang();

	(void)state;
	atomic_store(&shelf.holds_writes, true);
	data[0] = 'f';
	*(char *)lg_map_data(second) = 's';
	while (atomic_load(&aside.writes) == 0) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	atomic_store(&shelf.holds_writes, false);
	assert_int_equal(lg_map_close(second), 0);
	assert_int_equal(aside.bytes[0], 's');
}

/* The writer has both to flush, and the first store does not come back. */
static void map_is_closed_while_another_is_flushed(void **state)
{
	double hang = clock_hang();

	(void)state;
	atomic_store(&shelf.holds_writes, true);
	for (size_t page = 0; page < 8; page++) {
		data[page * PAGE] = 'f';
		((char *)lg_map_data(second))[page * PAGE] = 's';
	}
	while (atomic_load(&shelf.held) == 0) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	assert_int_equal(lg_map_close(second), 0);
	assert_int_equal(aside.bytes[0], 's');
	atomic_store(&shelf.holds_writes, false);
}

/* The write of the file's page finds the next tick due: memory's, which nobody else can find, are left to it. */
static ssize_t write_and_be_due(void *context, const void *buffer, size_t length, uint64_t offset)
{
	lg_store_relaxed(&pager->flush_at, 1);
	return shelf_write(context, buffer, length, offset);
}

static int start_with_memory(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.write = write_and_be_due;
	if (shelved_start("memory:8M,page:4K,flush:1000s,writers:1,faults:inline,prefetch:off",
			  &ops, BYTES) != 0)
		return -1;
	memory = lg_map_memory(pager, BYTES, NULL);
	return memory != NULL ? 0 : -1;
}

static int end_with_memory(void **state)
{
	let_writers_go();
	int closed = lg_map_close(memory);

	return shelved_end(state) != 0 || closed != 0;
}

static uint64_t bytes_written(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats.bytes_written;
}

static void look_twice(void)
{
	for (unsigned tick = 0; tick < 2; tick++) {
		lg_store_relaxed(&pager->flush_at, 1);
		lg_flush_look(pager);
	}
}

static void memory_is_flushed_after_what_others_may_find(void **state)
{
	(void)state;
	hold_writers_but(0); /* or one might find a tick due before the test does */
	uint64_t before = bytes_written();
	for (size_t page = 0; page < 100; page++)
		((char *)lg_map_data(memory))[page * PAGE] = 'm';
	data[0] = 'f';
	look_twice();
	assert_int_equal(shelf.bytes[0], 'f');
	assert_int_equal(bytes_written(), before + PAGE);
	look_twice();
	assert_int_equal(bytes_written(), before + 101 * (uint64_t)PAGE);
}

static int start_never_due(void **state)
{
	(void)state;
	return shelved_start("memory:8M,page:4K,flush:1000s,faults:inline,prefetch:off", &shelf_ops,
			     BYTES);
}

/* Each page would be a write of its own, and the writer is wanted elsewhere. */
static void store_that_refuses_is_flushed_another_time(void **state)
{
	enum { TRIES_MOST = 8 };

	(void)state;
	for (size_t page = 0; page < PAGES; page += 2)
		data[page * PAGE] = 'f';
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	look_twice();
	assert_in_range(atomic_load(&shelf.writes), 1, TRIES_MOST);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed meanwhile */
	for (size_t page = 0; page < PAGES; page += 2)
		assert_int_equal(shelf.bytes[page * PAGE], 'f');
}

int main(void)
{
	static const char *const ways[] = { "page:16K", "page:2M", "page:16K,without:wp",
					    "page:2M,without:wp", "page:2M,without:move" };
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(page_that_was_loaded_first_is_written),
		TEST(page_that_was_quiet_for_long_is_written),
		TEST(page_that_was_read_ahead_is_written),
	};
	const struct CMUnitTest alone[] = {
		cmocka_unit_test_setup_teardown(page_that_waits_for_the_writer_is_not_waited_for,
						start_with_one_writer, end_with_one_writer),
		cmocka_unit_test_setup_teardown(map_is_closed_while_another_is_flushed,
						start_with_two_stores, end_with_two_stores),
		cmocka_unit_test_setup_teardown(memory_is_flushed_after_what_others_may_find,
						start_with_memory, end_with_memory),
		cmocka_unit_test_setup_teardown(store_that_hangs_keeps_no_other_from_being_flushed,
						start_with_two_stores, end_with_two_stores),
		cmocka_unit_test_setup_teardown(store_that_refuses_is_flushed_another_time,
						start_never_due, shelved_end),
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		how = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed + UNIT_RUN(alone);
}
