/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pages that cannot be read, and many threads that touch them at the same time: SIGBUS for all, and nobody waits for ever. */
#include "stress/clock.h"
#include "unit/pager/shelved.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { PAGE = 16384, PAGES = 32, THREADS = 8 };

struct way {
	const char *options;
	bool signal_safe;
	unsigned rounds; /* each takes as long as a store is tried again */
};

static const struct way *way;
static atomic_int failures[PAGES]; /* that are to come */
static atomic_uint asked[PAGES];
static _Thread_local sigjmp_buf back;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static ssize_t read_or_fail(void *context, void *buffer, size_t length, uint64_t offset)
{
	size_t page = offset / PAGE;

	atomic_fetch_add(&asked[page], 1);
	return shelf_fails(&failures[page]) ? -EIO : shelf_read(context, buffer, length, offset);
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.read = read_or_fail;
	ops.signal_safe = way->signal_safe;
	for (size_t page = 0; page < PAGES; page++) {
		atomic_store(&failures[page], 0);
		atomic_store(&asked[page], 0);
	}
	int result = shelved_start(way->options, &ops, (size_t)PAGES * PAGE);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	return result;
}

static pthread_barrier_t together;
static atomic_size_t wanted; /* the page of this round; PAGES: there is none any more */
static atomic_uint raised;

static void *touch_together(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_barrier_wait(&together);
		size_t page = atomic_load(&wanted);
		if (page == PAGES)
			return NULL;
		if (sigsetjmp(back, 1) == 0)
			(void)*(volatile char *)(data + page * PAGE);
		else
			atomic_fetch_add(&raised, 1);
		pthread_barrier_wait(&together);
	}
}

/* How often the store is asked for a page before that is given up. */
static unsigned tries_of(size_t page)
{
	char byte;

	atomic_store(&failures[page], SHELF_FOR_EVER);
	assert_int_equal(lg_map_read(map, &byte, 1, page * PAGE), -EIO);
	atomic_store(&failures[page], 0);
	assert_int_equal(lg_map_retry(map), 1);
	return atomic_load(&asked[page]);
}

/* The store fails as often as it is asked before a page is given up: who had it asked again would find it sound. */
static void unreadable_page_is_sigbus_for_all_who_touch_it_together(void **state)
{
	unsigned tries = tries_of(0);
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(pthread_barrier_init(&together, NULL, THREADS + 1), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, touch_together, NULL), 0);
	for (size_t page = 1; page <= way->rounds; page++) {
		atomic_store(&failures[page], (int)tries);
		atomic_store(&wanted, page);
		atomic_store(&raised, 0);
		pthread_barrier_wait(&together);
		pthread_barrier_wait(&together);
		assert_int_equal(atomic_load(&raised), THREADS);
		assert_int_equal(lg_map_error(map, data + page * PAGE), -EIO);
		assert_int_equal(atomic_load(&asked[page]), tries);
		assert_int_equal(lg_map_retry(map), 1);
	}
	atomic_store(&wanted, PAGES);
	pthread_barrier_wait(&together);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	pthread_barrier_destroy(&together);
}

int main(void)
{
#define COMMON "memory:2M,page:16K,prefetch:off,"
	static const struct way ways[] = {
		{ COMMON "faults:inline,readers:1", false, 24 },
		{ COMMON "faults:inline", true, 4 },
		{ COMMON "faults:threads", true, 2 },
		{ COMMON "faults:threads,without:poison", true, 2 },
	};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(unreadable_page_is_sigbus_for_all_who_touch_it_together),
	};
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	int failed = 0;

	if (sigaction(SIGBUS, &action, NULL) != 0) /* before the pager's: it is passed on to */
		return 1;
	alarm((unsigned)clock_hang_seconds());
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		way = &ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
