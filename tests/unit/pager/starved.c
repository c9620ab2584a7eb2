/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* No memory is to be had for a page: a thread whose faults others serve gets SIGBUS as one that serves them itself. */
#include "unit/pager/shelved.h"

#include <setjmp.h>

enum { PAGE = 16384, BYTES = 4 << 20 };

static const char *options;
static sigjmp_buf back;

static void on_sigbus(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static int start(void **state)
{
	(void)state;
	int result = shelved_start(options, &shelf_ops, BYTES);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	atomic_store(&shelf.write_error, -ENOSPC);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	return result;
}

static bool touch_raises(volatile char *at)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	*at = 'w';
	return false;
}

/* Until memory is full of what cannot be written. */
static size_t first_that_raises(void)
{
	for (size_t at = 0; at < BYTES; at += PAGE)
		if (touch_raises(data + at))
			return at;
	return BYTES;
}

static void touch_is_sigbus_until_there_is_memory(void **state)
{
	char byte;

	(void)state;
	size_t raised = first_that_raises();
	assert_true(raised < BYTES - 2 * PAGE);
	assert_true(touch_raises(data + raised + PAGE));
	assert_true(touch_raises(data + raised + 2 * PAGE));
	atomic_store(&shelf.writes_fail, 0);
	/* A call tries again by itself, where touching cannot. */
	assert_int_equal(lg_map_read(map, &byte, 1, raised), 1);
	assert_int_equal(byte, shelf_byte(raised));
	assert_false(touch_raises(data + raised));
	assert_int_equal(lg_map_populate(map, raised + PAGE, PAGE), 0);
	assert_false(touch_raises(data + raised + PAGE));
	assert_in_range(lg_map_retry(map), 0, 1);
	assert_false(touch_raises(data + raised + 2 * PAGE));
	assert_int_equal(lg_map_error(map, data + raised), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -ENOSPC); /* as it was once */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at <= raised + 2 * PAGE; at += PAGE)
		assert_int_equal(shelf.bytes[at], 'w');
}

static void others_say_why(void **state)
{
	(void)state;
	size_t raised = first_that_raises();

	assert_int_equal(lg_map_error(map, data + raised),
			 strstr(options, "inline") != NULL ? 0 : -ENOSPC);
	assert_int_equal(lg_map_error(map, data), 0);
	atomic_store(&shelf.writes_fail, 0);
	(void)lg_map_sync(map, 0, 0);
}

/* That of the program's store is not the pager's own. */
static void whatever_the_store_says(void **state)
{
	(void)state;
	atomic_store(&shelf.write_error, -EBADF);
	assert_true(first_that_raises() < BYTES);
	atomic_store(&shelf.writes_fail, 0);
	(void)lg_map_sync(map, 0, 0);
}

int main(void)
{
	static const char *const ways[] = {
		"memory:1M,page:16K,prefetch:off,faults:threads",
		"memory:1M,page:16K,prefetch:off,faults:threads,without:poison",
		"memory:1M,page:16K,prefetch:off,faults:inline",
	};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(touch_is_sigbus_until_there_is_memory),
		TEST(others_say_why),
		TEST(whatever_the_store_says),
	};
	struct sigaction action = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };
	int failed = 0;

	if (sigaction(SIGBUS, &action, NULL) != 0) /* before the pager's: it is passed on to */
		return 1;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		options = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
