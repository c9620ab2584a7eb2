/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The option flush: what was stored to a page comes to its store by itself, whichever way the page became writable. */
#include "pager/flush.h"

#include "pager/pager.h"
#include "stress/clock.h"
#include "unit/pager/shelved.h"

enum { BYTES = 4 << 20 };

static const char *how;
static atomic_int arrived; /* the first byte of the store, as it was written last */

/* The kernel lets nobody store meanwhile, which ThreadSanitizer cannot see. */
__attribute__((no_sanitize("thread"))) static char first_of(const volatile char *bytes)
{
	return *bytes;
}

/* Nothing else is kept. */
static ssize_t write_noted(void *context, const void *buffer, size_t length, uint64_t offset)
{
	(void)context;
	if (offset == 0)
		atomic_store(&arrived, first_of(buffer));
	return (ssize_t)length;
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;
	char options[100];

	(void)state;
	ops.write = write_noted;
	atomic_store(&arrived, 0);
	snprintf(options, sizeof(options), "memory:32M,flush:10ms,faults:inline,prefetch:off,%s",
		 how);
	return shelved_start(options, &ops, BYTES);
}

static void store_and_await(char value)
{
	double hang = clock_hang();

	data[0] = value;
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

int main(void)
{
	static const char *const ways[] = { "page:16K", "page:2M", "page:16K,without:wp",
					    "page:2M,without:wp", "page:2M,without:move" };
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(page_that_was_loaded_first_is_written),
		TEST(page_that_was_quiet_for_long_is_written),
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		how = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
