/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Servers: none is in the way of who closes another map than the one it is at work on. */
#include "pager/pager.h"
#include "stress/clock.h"
#include "unit/pager/shelved.h"

#include <pthread.h>
#include <unistd.h>

enum { PAGE = 16384, PAGES = 64 };

/* Reads wait for the gate to be open. */
static atomic_bool gate_is_open;
static atomic_uint inside;

static ssize_t read_behind_gate(void *context, void *buffer, size_t length, uint64_t offset)
{
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&gate_is_open))
		clock_breathe();
	return shelf_read(context, buffer, length, offset);
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.read = read_behind_gate;
	atomic_store(&gate_is_open, false);
	atomic_store(&inside, 0);
	int result = shelved_start("memory:2M,page:16K,prefetch:off,faults:threads", &ops,
				   (size_t)PAGES * PAGE);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	return result;
}

struct toucher {
	pthread_t thread;
	size_t page;
};

static void *touch(void *argument)
{
	struct toucher *toucher = argument;
	size_t at = toucher->page * PAGE;

	return data[at] == shelf_byte(at) ? toucher : NULL;
}

static void begin(struct toucher *toucher, size_t page)
{
	toucher->page = page;
	assert_int_equal(pthread_create(&toucher->thread, NULL, touch, toucher), 0);
}

static void end(struct toucher *toucher)
{
	void *result;

	assert_int_equal(pthread_join(toucher->thread, &result), 0);
	assert_ptr_equal(result, toucher);
}

static void closing_a_map_waits_for_no_other_maps_store(void **state)
{
	struct toucher toucher;

	(void)state;
	lg_map *other = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	assert_non_null(other);
	((char *)lg_map_data(other))[0] = 'o';
	begin(&toucher, 0);
	while (atomic_load(&inside) == 0)
		clock_breathe();
	assert_int_equal(lg_map_close(other), 0);
	assert_int_equal(atomic_load(&inside), 1);
	atomic_store(&gate_is_open, true);
	end(&toucher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(closing_a_map_waits_for_no_other_maps_store),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
