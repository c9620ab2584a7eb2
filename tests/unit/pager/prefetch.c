/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The readers' queue: who waits for a page is served before what is read ahead, and in his turn. */
#include "pager/prefetch.h"

#include "pager/pager.h"
#include "stress/clock.h"
#include "unit/pager/second.h"

#include <pthread.h>
#include <unistd.h>

enum { PAGE = 16384, PAGES = 64, WAITING = 12, AHEAD = 40 };

/* The page of each read, in their order. */
static uint64_t order[PAGES];
static atomic_uint reads;

static ssize_t read_in_order(void *context, void *buffer, size_t length, uint64_t offset)
{
	order[atomic_load(&reads)] = offset / PAGE; /* by the only reader */
	atomic_fetch_add(&reads, 1);
	return shelf_read(context, buffer, length, offset);
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.read = read_in_order;
	ops.signal_safe = false;
	atomic_store(&reads, 0);
	return shelved_start("memory:2M,page:16K,prefetch:off,faults:inline,readers:1", &ops,
			     (size_t)PAGES * PAGE);
}

static unsigned queued(void)
{
	struct lg_requests *requests = &pager->requests;
	uint64_t signals = lg_os_latch_hold(&requests->lock);
	unsigned count = requests->count;

	lg_os_latch_let_go(&requests->lock, signals);
	return count;
}

static void *touch(void *argument)
{
	size_t at = *(const size_t *)argument * PAGE;

	return data[at] == shelf_byte(at) ? argument : NULL;
}

/* Page 0 keeps the only reader busy; then what is to be read ahead, and the others one after the other. */
static void begin(pthread_t *threads, size_t *pages, bool ahead)
{
	atomic_store(&shelf.holds_reads, true);
	for (size_t i = 0; i <= WAITING; i++) {
		pages[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, touch, &pages[i]), 0);
		while (i == 0 && atomic_load(&shelf.held) == 0)
			clock_breathe();
		if (i == 0 && ahead)
			assert_int_equal(lg_map_advise(map, AHEAD * PAGE, PAGE, LG_WILLNEED), 0);
		while (queued() < i + ahead)
			clock_breathe();
	}
}

static void end(const pthread_t *threads, const size_t *pages)
{
	void *result;

	atomic_store(&shelf.holds_reads, false);
	for (size_t i = 0; i <= WAITING; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &pages[i]);
	}
	for (uint64_t i = 0; i <= WAITING; i++)
		assert_int_equal(order[i], i);
}

static void who_waits_longest_is_served_first(void **state)
{
	pthread_t threads[WAITING + 1];
	size_t pages[WAITING + 1];

	(void)state;
	begin(threads, pages, false);
	end(threads, pages);
	assert_int_equal(atomic_load(&reads), WAITING + 1);
}

static void what_is_read_ahead_is_behind_all_who_wait(void **state)
{
	pthread_t threads[WAITING + 1];
	size_t pages[WAITING + 1];

	(void)state;
	begin(threads, pages, true);
	end(threads, pages);
	while (atomic_load(&reads) <= WAITING + 1)
		clock_breathe();
	assert_int_equal(order[WAITING + 1], AHEAD);
}

/* Which would be served when the other store comes back, and not before. */
static void map_is_closed_whatever_was_to_be_read_ahead(void **state)
{
	struct shelf aside;
	pthread_t toucher;
	size_t page = 0;
	void *result;

	(void)state;
	shelf_make(&aside, (size_t)PAGES * PAGE);
	lg_map *closed = lg_map_store(pager, &shelf_ops, &aside, aside.length, NULL);
	assert_non_null(closed);
	atomic_store(&shelf.holds_reads, true);
	assert_int_equal(pthread_create(&toucher, NULL, touch, &page), 0);
	while (atomic_load(&shelf.held) == 0)
		clock_breathe();
	assert_int_equal(lg_map_advise(map, AHEAD * PAGE, PAGE, LG_WILLNEED), 0);
	assert_int_equal(lg_map_advise(closed, 0, 0, LG_WILLNEED), 0);
	assert_true(queued() > 1);
	assert_int_equal(lg_map_close(closed), 0);
	assert_int_equal(atomic_load(&aside.reads), 0);
	assert_int_equal(queued(), 1); /* the other's */
	atomic_store(&shelf.holds_reads, false);
	assert_int_equal(pthread_join(toucher, &result), 0);
	assert_ptr_equal(result, &page);
	shelf_end(&aside);
}

/* --- stores that do not come back --------------------------------------------------------------- */

enum { TOUCHERS = 8 };

struct toucher {
	pthread_t thread;
	const volatile char *bytes;
	size_t page;
};

static int start_with_readers(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.signal_safe = false;
	return shelved_start("memory:2M,page:16K,faults:inline", &ops, (size_t)PAGES * PAGE);
}

static void *touch_of(void *argument)
{
	struct toucher *toucher = argument;
	size_t at = toucher->page * PAGE;

	return toucher->bytes[at] == shelf_byte(at) ? toucher : NULL;
}

static void hang(struct toucher *touchers, struct shelf *of, lg_map *from)
{
	atomic_store(&of->holds_reads, true);
	for (size_t i = 0; i < TOUCHERS; i++) {
		touchers[i] = (struct toucher){ .bytes = lg_map_data(from), .page = i };
		assert_int_equal(pthread_create(&touchers[i].thread, NULL, touch_of, &touchers[i]),
				 0);
	}
	while (atomic_load(&of->held) == 0)
		clock_breathe();
}

static void let_go_on(struct toucher *touchers, struct shelf *of)
{
	void *result;

	atomic_store(&of->holds_reads, false);
	for (size_t i = 0; i < TOUCHERS; i++) {
		assert_int_equal(pthread_join(touchers[i].thread, &result), 0);
		assert_ptr_equal(result, &touchers[i]);
	}
}

static void last_reader_is_left_to_others(void **state)
{
	struct toucher first[TOUCHERS], next[TOUCHERS];
	struct lg_store_ops ops = shelf_ops;
	struct second hung, works;

	(void)state;
	ops.signal_safe = false;
	second_make(&hung, &ops, shelf.length, NULL);
	second_make(&works, &ops, shelf.length, NULL);
	hang(first, &shelf, map);
	hang(next, &hung.shelf, hung.map);
	const volatile char *bytes = lg_map_data(works.map);
	for (size_t at = 0; at < shelf.length; at += PAGE)
		assert_int_equal(bytes[at], shelf_byte(at));
	assert_true(atomic_load(&shelf.held) > 0);
	assert_true(atomic_load(&hung.shelf.held) > 0);
	let_go_on(first, &shelf);
	let_go_on(next, &hung.shelf);
	assert_int_equal(second_end(&works), 0);
	assert_int_equal(second_end(&hung), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(who_waits_longest_is_served_first),
		TEST(what_is_read_ahead_is_behind_all_who_wait),
		TEST(map_is_closed_whatever_was_to_be_read_ahead),
		cmocka_unit_test_setup_teardown(last_reader_is_left_to_others, start_with_readers,
						shelved_end),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
