/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pages that cannot be read: SIGBUS for who touches them, -EIO from calls, and as good as new once healed. */
#include "unit/pager/shelved.h"

#include <signal.h>

enum { PAGE = 16384, PAGES = 64, BAD = 5 };

static const char *how;

static sigjmp_buf back;
static void *volatile raised_at;

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	raised_at = info->si_addr;
	siglongjmp(back, 1);
}

static int start(void **state)
{
	char options[100];

	(void)state;
	snprintf(options, sizeof(options), "memory:2M,page:16K,prefetch:off%s", how);
	int result = shelved_start(options, &shelf_ops, (size_t)PAGES * PAGE);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	atomic_store(&shelf.bad_from, (size_t)BAD * PAGE);
	atomic_store(&shelf.bad_to, (size_t)(BAD + 1) * PAGE);
	return result;
}

static struct lg_pager_stats stats_now(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats;
}

static bool touch_raises(volatile char *at, bool writes)
{
	raised_at = NULL;
	if (sigsetjmp(back, 1) == 0) {
		if (writes)
			*at = 'w';
		else
			(void)*at;
		return false;
	}
	return raised_at != NULL;
}

static void unreadable_page_is_sigbus_at_its_address_and_the_others_are_fine(void **state)
{
	char *at = data + (size_t)BAD * PAGE + 123;

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) { /* again, without asking the store again */
		assert_true(touch_raises(at, turn == 1));
		assert_ptr_equal((char *)((uintptr_t)raised_at & ~(uintptr_t)4095),
				 (char *)((uintptr_t)at & ~(uintptr_t)4095));
	}
	assert_int_equal(lg_map_error(map, at), -EIO);
	assert_int_equal(lg_map_error(map, at - PAGE), 0);
	assert_false(touch_raises(at - PAGE, false));
	assert_false(touch_raises(at + PAGE, true));
	assert_int_equal(data[(size_t)BAD * PAGE - 1], shelf_byte((size_t)BAD * PAGE - 1));
	struct lg_pager_stats stats = stats_now();
	assert_int_equal(stats.poisoned, 1);
	assert_true(stats.read_errors > 1); /* it was tried again before it was given up */
	assert_int_equal(stats.errors, stats.read_errors);
}

static void calls_return_the_error(void **state)
{
	char bytes[100];

	(void)state;
	assert_int_equal(lg_map_read(map, bytes, 100, (size_t)BAD * PAGE - 50), -EIO);
	assert_int_equal(lg_map_write(map, bytes, 100, (size_t)BAD * PAGE + 50), -EIO);
	assert_int_equal(lg_map_read(map, bytes, 50, (size_t)BAD * PAGE - 50), 50);
	assert_int_equal(lg_map_populate(map, 0, 0), -EIO);
	assert_int_equal(lg_map_pin(map, 0, 0), -EIO);
	assert_int_equal(stats_now().pinned, 0);
	assert_non_null(strstr(lg_error(), "EIO"));
	assert_int_equal(lg_map_sync(map, 0, 0), 0); /* there is nothing to be written */
	assert_int_equal(lg_map_advise(map, 0, 0, LG_WILLNEED), 0);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
}

/* From the first call on: of a pin ENOMEM means something else. */
static void calls_say_eio_and_error_what_the_store_said(void **state)
{
	char byte;

	(void)state;
	atomic_store(&shelf.read_error, -ENOMEM);
	atomic_store(&shelf.reads_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_pin(map, 0, 1), -EIO);
	assert_int_equal(lg_map_error(map, data), -ENOMEM);
	assert_int_equal(lg_map_read(map, &byte, 1, PAGE), -EIO);
	assert_int_equal(lg_map_populate(map, 2 * PAGE, 1), -EIO);
	assert_int_equal(lg_map_populate(map, 2 * PAGE, 1), -EIO);
	assert_int_equal(lg_map_error(map, data + 2 * PAGE), -ENOMEM);
	atomic_store(&shelf.reads_fail, 0);
	assert_int_equal(lg_map_retry(map), 3);
	assert_int_equal(lg_map_read(map, &byte, 1, PAGE), 1);
}

static void each_page_has_an_error_of_its_own(void **state)
{
	char byte;

	(void)state;
	atomic_store(&shelf.reads_fail, SHELF_FOR_EVER);
	atomic_store(&shelf.read_error, -ENXIO);
	assert_int_equal(lg_map_read(map, &byte, 1, 0), -EIO);
	atomic_store(&shelf.read_error, -EACCES);
	assert_true(touch_raises(data + PAGE, false));
	assert_int_equal(lg_map_error(map, data), -ENXIO);
	assert_int_equal(lg_map_error(map, data + PAGE), -EACCES);
	assert_int_equal(lg_map_error(map, data + 2 * PAGE), 0);
	assert_int_equal(lg_map_retry(map), 2);
	assert_int_equal(lg_map_error(map, data), 0);
	assert_true(touch_raises(data, true)); /* and fails otherwise than it did */
	assert_int_equal(lg_map_error(map, data), -EACCES);
	assert_int_equal(lg_map_error(map, data + PAGE), 0);
	atomic_store(&shelf.reads_fail, 0);
	assert_int_equal(lg_map_retry(map), 1);
	for (size_t i = 0; i < 2 * PAGE; i++)
		assert_int_equal(data[i], shelf_byte(i));
	memset(data, 'w', 2 * PAGE);
	assert_int_equal(lg_map_advise(map, 0, 2 * PAGE, LG_COLD), 0);
	assert_int_equal(shelf.bytes[PAGE], 'w');
}

static void passing_failures_are_retried(void **state)
{
	(void)state;
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	atomic_store(&shelf.reads_fail, 3);
	assert_int_equal(data[(size_t)BAD * PAGE], shelf_byte((size_t)BAD * PAGE));
	assert_int_equal(stats_now().read_errors, 3);
	assert_int_equal(stats_now().poisoned, 0);
}

static void retry_heals_what_can_be_read_again(void **state)
{
	char *at = data + (size_t)BAD * PAGE;

	(void)state;
	assert_int_equal(lg_map_retry(map), 0);
	assert_true(touch_raises(at, false));
	assert_int_equal(lg_map_retry(map), 1);
	assert_int_equal(lg_map_error(map, at), 0);
	assert_true(touch_raises(at, false)); /* it was healed too early */
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	assert_true(touch_raises(at, false)); /* nobody asked for it to be tried */
	assert_int_equal(lg_map_retry(map), 1);
	assert_false(touch_raises(at, true));
	assert_int_equal(at[0], 'w');
	for (size_t i = 1; i < PAGE; i++)
		assert_int_equal(at[i], shelf_byte((size_t)BAD * PAGE + i));
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[(size_t)BAD * PAGE], 'w');
}

static void dead_heals_a_page_too(void **state)
{
	char *at = data + (size_t)BAD * PAGE;

	(void)state;
	assert_true(touch_raises(at, false));
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	assert_int_equal(lg_map_advise(map, (size_t)BAD * PAGE, PAGE, LG_DEAD), 0);
	assert_false(touch_raises(at, false));
	assert_int_equal(at[1], shelf_byte((size_t)BAD * PAGE + 1));
	assert_int_equal(lg_map_retry(map), 0);
}

static void closing_with_poisoned_pages_is_no_error(void **state)
{
	(void)state;
	assert_true(touch_raises(data + (size_t)BAD * PAGE, true));
	data[0] = 'c';
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(shelf.bytes[0], 'c');
	map = NULL;
}

int main(void)
{
	static const char *const ways[] = { ",faults:inline", ",faults:threads",
					    ",faults:threads,without:poison",
					    ",faults:inline,without:move" };
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(unreadable_page_is_sigbus_at_its_address_and_the_others_are_fine),
		TEST(calls_return_the_error),
		TEST(calls_say_eio_and_error_what_the_store_said),
		TEST(each_page_has_an_error_of_its_own),
		TEST(passing_failures_are_retried),
		TEST(retry_heals_what_can_be_read_again),
		TEST(dead_heals_a_page_too),
		TEST(closing_with_poisoned_pages_is_no_error),
	};
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER };
	int failed = 0;

	action.sa_sigaction = on_sigbus; /* before the pager's: it is passed on to */
	if (sigaction(SIGBUS, &action, NULL) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		how = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
