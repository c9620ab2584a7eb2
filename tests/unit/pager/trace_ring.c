/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The ring of a trace, by one thread. Threads that race are in tests/stress/sync. */
#include "unit/unit.h"

#include "pager/trace_ring.h"

enum { SLOTS = 8 };

static struct lg_trace_ring ring;

static int make(void **state)
{
	(void)state;
	return lg_trace_ring_make(&ring, SLOTS);
}

static int end(void **state)
{
	(void)state;
	lg_trace_ring_end(&ring);
	return 0;
}

static bool put(uint64_t page)
{
	return lg_trace_ring_put(&ring, &(struct lg_trace_record){ .page = page, .kind = 1 });
}

static void records_come_out_in_the_order_they_went_in(void **state)
{
	struct lg_trace_record record;
	uint64_t in = 0, out = 0;

	(void)state;
	assert_false(lg_trace_ring_take(&ring, &record));
	for (unsigned round = 1; round < 1000; round++) {
		for (unsigned i = 0; i < round % SLOTS + 1; i++)
			if (in - out < SLOTS)
				assert_true(put(in++));
		for (unsigned i = 0; i < round % 5; i++)
			if (lg_trace_ring_take(&ring, &record))
				assert_true(record.page == out++);
	}
	while (lg_trace_ring_take(&ring, &record))
		assert_true(record.page == out++);
	assert_true(in == out);
	assert_int_equal(lg_load_relaxed(&ring.lost), 0);
}

static void full_ring_refuses_and_counts(void **state)
{
	struct lg_trace_record record;

	(void)state;
	for (uint64_t i = 0; i < SLOTS; i++)
		assert_true(put(i));
	for (unsigned i = 0; i < 3; i++)
		assert_false(put(99));
	assert_int_equal(lg_load_relaxed(&ring.lost), 3);
	assert_true(lg_trace_ring_take(&ring, &record));
	assert_true(record.page == 0);
	assert_true(put(SLOTS));
	assert_false(put(99));
	for (uint64_t i = 1; i <= SLOTS; i++) {
		assert_true(lg_trace_ring_take(&ring, &record));
		assert_true(record.page == i);
	}
	assert_false(lg_trace_ring_take(&ring, &record));
}

static void resting_ends_where_there_is_something(void **state)
{
	struct lg_trace_record record;
	uint32_t calls = lg_load_relaxed(&ring.calls);

	(void)state;
	lg_trace_ring_call(&ring); /* a call before it rests */
	lg_trace_ring_rest(&ring, calls);
	assert_true(put(1)); /* a record before it rests */
	lg_trace_ring_rest(&ring, lg_load_relaxed(&ring.calls));
	assert_true(lg_trace_ring_take(&ring, &record));
	assert_int_equal(lg_load_relaxed(&ring.resting), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_come_out_in_the_order_they_went_in, make,
						end),
		cmocka_unit_test_setup_teardown(full_ring_refuses_and_counts, make, end),
		cmocka_unit_test_setup_teardown(resting_ends_where_there_is_something, make, end),
	};

	return UNIT_RUN(tests);
}
