/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The worker, seen through /proc: when it lives, what it does by itself, and that it sleeps without a
 * timer when there is nothing to do. Nothing here depends on how long anything takes: what is waited for
 * has to come, however late.
 */
#include "region/worker.h"

#include "os/thread.h"
#include "unit/region/background.h"
#include "unit/region/library.h"

#include <signal.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static unsigned long long wakeups(long task)
{
	char text[TEXT_BYTES], *line;

	assert_true(read_task(task, "status", text));
	line = strstr(text, "\nvoluntary_ctxt_switches:");
	assert_non_null(line);
	return strtoull(strchr(line, ':') + 1, NULL, 10);
}

static void use_some_memory(void)
{
	struct lg_region *regions[40];

	for (unsigned i = 0; i < 40; i++) {
		regions[i] = lg_region_new(i % 2 == 0 ? 64 * KIB : 2 * MIB);
		assert_non_null(regions[i]);
		memset(lg_region_data(regions[i]), 1, 64 * KIB);
	}
	for (unsigned i = 0; i < 40; i++)
		lg_region_free(regions[i]);
}

static void there_is_none_before_the_first_region(void **state)
{
	struct lg_stats stats;

	(void)state;
	assert_int_equal(lg_configure("interval:2ms,retire_delay:0,second_decay:2ms"), 0);
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(workers(), 0);
}

static void switched_off_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(lg_configure("background:off"), 0);
	use_some_memory();
	assert_int_equal(workers(), 0);
}

/* A thread that blocks what its own fault raises is killed by it. */
static bool is_raised_by_faults(int number)
{
	return number == SIGBUS || number == SIGSEGV || number == SIGFPE || number == SIGILL;
}

static void switched_on_there_is_one_that_blocks_what_is_sent(void **state)
{
	char text[TEXT_BYTES], *line;
	long task;

	(void)state;
	assert_int_equal(lg_configure("background:on"), 0);
	WAIT_FOR(find_worker(&task) == 1);
	assert_true(read_task(task, "status", text));
	line = strstr(text, "\nSigBlk:");
	assert_non_null(line);
	unsigned long long blocked = strtoull(strchr(line, ':') + 1, NULL, 16);
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			assert_true((blocked >> (number - 1) & 1) == !is_raised_by_faults(number));
}

static void free_memory_goes_back_by_itself(void **state)
{
	uint64_t revoked;
	struct lg_usage usage;

	(void)state;
	use_some_memory();
	WAIT_FOR(everything_went_back());
	revoked = stats_of(lg_class_of(64 * KIB)).revoked;
	assert_true(revoked > 0); /* this thread's magazine, too */
	assert_int_equal(lg_usage_read(&usage), 0);
	assert_true(usage.resident_bytes == 0 && usage.disk_bytes == 0);
	assert_int_equal(workers(), 1);
}

static void with_nothing_to_do_it_is_never_awake(void **state)
{
	char text[TEXT_BYTES];
	long task;
	struct timespec many_ticks = { 0, 100000000 };

	(void)state;
	WAIT_FOR(everything_went_back());
	assert_int_equal(find_worker(&task), 1);
	if (!read_task(task, "syscall", text))
		skip(); /* a kernel or a container that does not show it */
	WAIT_FOR(sleeps_without_timer(task));
	unsigned long long before = wakeups(task);
	nanosleep(&many_ticks, NULL);
	assert_true(wakeups(task) == before);
	assert_true(sleeps_without_timer(task));
}

static void new_work_wakes_it_each_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 25; i++) {
		use_some_memory();
		WAIT_FOR(everything_went_back());
	}
	assert_int_equal(workers(), 1);
}

/* One region is enough, whichever way it comes back. */
static void the_least_work_wakes_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct lg_region *region = lg_region_new(i % 2 == 0 ? 4 * KIB : 128 * MIB);

		assert_non_null(region);
		lg_region_free(region);
		WAIT_FOR(everything_went_back());
	}
}

static void what_is_in_use_is_left_alone(void **state)
{
	struct lg_region *region = lg_region_new(1 * MIB);

	(void)state;
	memset(lg_region_data(region), 'u', 1 * MIB);
	use_some_memory();
	WAIT_FOR(stats_of(lg_class_of(64 * KIB)).area_bytes == 0);
	const char *data = lg_region_data(region);
	for (size_t i = 0; i < 1 * MIB; i++)
		assert_int_equal(data[i], 'u');
	assert_int_equal(workers(), 1);
	lg_region_free(region);
	WAIT_FOR(everything_went_back());
}

static void switched_off_it_ends_and_on_it_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(lg_configure("background:off"), 0);
		WAIT_FOR(workers() == 0);
		use_some_memory();
		assert_int_equal(workers(), 0);
		assert_false(everything_went_back());
		assert_int_equal(lg_configure("background:on"), 0);
		WAIT_FOR(everything_went_back());
		assert_int_equal(workers(), 1);
	}
}

static void shorter_interval_counts_at_once(void **state)
{
	(void)state;
	assert_int_equal(lg_configure("interval:3600s"), 0);
	use_some_memory();
	assert_int_equal(lg_configure("interval:2ms"), 0); /* else this test would take two hours */
	WAIT_FOR(everything_went_back());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_none_before_the_first_region),
		cmocka_unit_test(switched_off_there_is_none),
		cmocka_unit_test(switched_on_there_is_one_that_blocks_what_is_sent),
		cmocka_unit_test(free_memory_goes_back_by_itself),
		cmocka_unit_test(with_nothing_to_do_it_is_never_awake),
		cmocka_unit_test(new_work_wakes_it_each_time),
		cmocka_unit_test(the_least_work_wakes_it),
		cmocka_unit_test(what_is_in_use_is_left_alone),
		cmocka_unit_test(switched_off_it_ends_and_on_it_comes_back),
		cmocka_unit_test(shorter_interval_counts_at_once),
	};

	if (!lg_os_barrier_make()) {
		fprintf(stderr, "skipped: no membarrier here, and no worker sleeps without\n");
		return UNIT_SKIPPED;
	}
	return UNIT_RUN(tests);
}
