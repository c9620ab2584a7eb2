/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Streams by what they ask for: touches in some order go through a simulated map, where a page that was asked
 * for faults only if it is the first of its request, as the pager has it.
 */
#include "pager/stream.h"

#include "stress/random.h"
#include "unit/unit.h"

enum { PAGES = 4096, PIECE = 8, MOST = 64 };

static struct lg_streams streams;
static struct {
	unsigned asked[PAGES]; /* how often it was requested */
	bool marker[PAGES];    /* the first of a request: its touch is seen */
	bool touched[PAGES];
	unsigned faults, stalls, requests;
	uint64_t largest;
} run;

static int start(void **state)
{
	(void)state;
	memset(&streams, 0, sizeof(streams));
	memset(&run, 0, sizeof(run));
	return 0;
}

static void note(const struct lg_ahead *ahead, uint64_t most)
{
	assert_true(ahead->count > 0);
	assert_true(ahead->count <= most);
	run.requests++;
	if (ahead->count > run.largest)
		run.largest = ahead->count;
	for (uint64_t i = 0; i < ahead->count; i++) {
		uint64_t page = ahead->first + i * (uint64_t)ahead->step;

		assert_true(page < PAGES); /* never beyond the map, on either side */
		run.asked[page]++;
		run.marker[page] |= i % PIECE == 0 || ahead->step > 1 || ahead->step < -1;
	}
}

static void touch_as(uint64_t page, bool sequential, uint64_t most)
{
	bool asked = run.asked[page] > 0, again = run.touched[page];
	struct lg_ahead ahead = { 0 };

	run.touched[page] = true;
	if (again || (asked && !run.marker[page]))
		return;
	run.faults++;
	run.stalls += !asked;
	if (lg_stream_step(&streams, page, PAGES, asked ? LG_STREAM_AHEAD : LG_STREAM_STALLED,
			   sequential, PIECE, most, &ahead))
		note(&ahead, most);
}

static void touch(uint64_t page)
{
	touch_as(page, false, MOST);
}

static void assert_asked_once(uint64_t first, uint64_t count, uint64_t step)
{
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(run.asked[first + i * step], 1);
}

/* Two steps, and all further pages are there before they are touched; each was asked for once. */
static void forward_is_read_ahead_after_its_second_step(void **state)
{
	(void)state;
	touch(100);
	touch(101);
	assert_int_equal(run.requests, 0);
	touch(102);
	assert_int_equal(run.requests, 1);
	for (uint64_t page = 103; page < PAGES; page++)
		touch(page);
	assert_int_equal(run.stalls, 3);
	assert_asked_once(103, PAGES - 103, 1);
	assert_true(run.faults < (PAGES - 100) / PIECE + 16);
}

static void backward_is_read_ahead_to_the_first_page(void **state)
{
	(void)state;
	for (uint64_t page = 2000; page-- > 0;)
		touch(page);
	assert_int_equal(run.stalls, 3);
	assert_asked_once(0, 1997, 1);
	for (uint64_t page = 1997; page < PAGES; page++)
		assert_int_equal(run.asked[page], 0);
}

static void stride_asks_for_its_pages_only(void **state)
{
	enum { STRIDE = 7 };

	(void)state;
	for (uint64_t page = 0; page < PAGES; page += STRIDE)
		touch(page);
	assert_int_equal(run.stalls, 3);
	for (uint64_t page = 0; page < PAGES; page++)
		assert_int_equal(run.asked[page], page % STRIDE == 0 && page > 2 * STRIDE);
}

static void random_touches_ask_for_next_to_nothing(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		touch_as(random_below(&random, PAGES / 128) * 128 + random_below(&random, 2) * 65,
			 false, MOST);
	assert_int_equal(run.requests, 0); /* all further apart than a stream's steps */
}

static void as_many_streams_as_there_are_places_are_followed_at_once(void **state)
{
	enum { PART = PAGES / LG_STREAMS, GAP = 100, LENGTH = PART - 2 * GAP };

	(void)state;
	for (uint64_t i = 0; i < LENGTH; i++)
		for (uint64_t stream = 0; stream < LG_STREAMS; stream++)
			touch(stream * PART + GAP + (stream % 2 == 0 ? i : LENGTH - 1 - i));
	assert_int_equal(run.stalls, 3 * LG_STREAMS);
}

static void window_grows_by_stalls_up_to_what_is_allowed(void **state)
{
	struct lg_ahead ahead;
	uint64_t page = 0, largest = 0, first = 0;

	(void)state;
	for (unsigned i = 0; i < 30; i++) { /* the store is always too late */
		if (lg_stream_step(&streams, page, 1 << 20, LG_STREAM_STALLED, false, PIECE, MOST,
				   &ahead)) {
			assert_true(ahead.count <= MOST);
			first = first == 0 ? ahead.count : first;
			largest = ahead.count > largest ? ahead.count : largest;
			page = ahead.first + ahead.count - 1;
		}
		page++;
	}
	assert_true(first > 0);
	assert_true(largest > first);
}

static void window_shrinks_by_waste_and_never_to_nothing(void **state)
{
	uint64_t before;

	(void)state;
	for (uint64_t page = 0; page < 400; page++)
		touch(page);
	before = streams.table[0].window;
	assert_true(before > 1);
	lg_stream_waste(&streams, streams.table[0].last + 1);
	assert_true(streams.table[0].window == before / 2);
	for (unsigned i = 0; i < 20; i++)
		lg_stream_waste(&streams, streams.table[0].last + 1);
	assert_true(streams.table[0].window == 1);
	lg_stream_waste(&streams, PAGES / 2); /* on no stream: nobody's fault */
	for (uint64_t page = 400; page < 1000; page++)
		touch(page);
	assert_true(run.asked[990] > 0);
}

static void advice_begins_a_stream_at_its_first_touch(void **state)
{
	(void)state;
	touch_as(500, true, MOST);
	assert_int_equal(run.requests, 1);
	assert_true(run.asked[501] == 1);
	for (uint64_t page = 501; page < 1500; page++)
		touch_as(page, true, MOST);
	assert_int_equal(run.stalls, 1);
}

/* Whose window reaches the first page, and what would follow is before it. */
static void stream_backward_awaits_the_first_pages(void **state)
{
	start(state);
	streams.eager = true;
	touch(20);
	touch(19);
	assert_int_equal(run.asked[0], 1);
	assert_true(lg_stream_awaits(&streams, 0, 4, true, UINT64_MAX));
	assert_true(lg_stream_awaits(&streams, 8, 4, true, UINT64_MAX));
	assert_false(lg_stream_awaits(&streams, 19, 4, true, UINT64_MAX));
	assert_false(lg_stream_awaits(&streams, 8, 4, false, UINT64_MAX));
	/* Not heard of for some faults. */
	assert_true(lg_stream_awaits(&streams, 8, 4, true, 0));
	streams.faults += 3;
	assert_false(lg_stream_awaits(&streams, 8, 4, true, 2));
	assert_true(lg_stream_awaits(&streams, 8, 4, true, 3));
}

static void where_waits_are_long_two_neighbours_open_the_window(void **state)
{
	start(state);
	streams.eager = true;
	touch(100);
	assert_int_equal(run.requests, 0);
	touch(101);
	assert_int_equal(run.requests, 1);
	assert_int_equal(run.largest, MOST);
	start(state);
	streams.eager = true;
	touch(1000);
	touch(999);
	assert_int_equal(run.largest, MOST);
	start(state);
	streams.eager = true;
	touch(10);
	touch(17); /* which may be chance */
	assert_int_equal(run.requests, 0);
}

static void steps_up_to_the_span_are_asked_for_together(void **state)
{
	struct lg_streams mine = { .eager = true, .span = 3 };
	struct lg_ahead ahead;
	uint64_t asked = 0;

	(void)state;
	assert_true(lg_stream_spans(&mine, -3));
	assert_false(lg_stream_spans(&mine, 4));
	assert_true(lg_stream_spans(&(struct lg_streams){ .span = 0 }, 1));
	assert_false(lg_stream_spans(&(struct lg_streams){ .span = 0 }, 2));
	/* A window of 16 in pieces of 8: nothing is asked for until a piece of it is free. */
	for (uint64_t page = 10; page < 400; page += 2) {
		if (!lg_stream_step(&mine, page, 1000, LG_STREAM_ZEROS, false, 8, 16, &ahead))
			continue;
		assert_int_equal(ahead.step, 2);
		assert_int_equal(ahead.count % 8, 0);
		if (asked != 0)
			assert_int_equal(ahead.first, asked);
		asked = ahead.first + ahead.count * 2;
	}
	assert_in_range(asked, 400, 400 + 2 * 16);
}

/* Stalled: the step of what is asked for, or 0. */
static int64_t step_asked(struct lg_streams *of, uint64_t page)
{
	struct lg_ahead ahead = { 0 };

	return lg_stream_step(of, page, PAGES, LG_STREAM_STALLED, false, PIECE, MOST, &ahead) ?
		       ahead.step :
		       0;
}

/* Each page of the scan lies on some of them. */
static void scan_is_not_taken_for_streams_of_longer_steps(void **state)
{
	struct lg_streams mine = { .faults = 100 };

	(void)state;
	for (unsigned i = 0; i < LG_STREAMS; i++)
		mine.table[i] = (struct lg_stream){ .step = 2 + i / 2,
						    .last = 100 + i % 2,
						    .ahead = 3000,
						    .window = 2000,
						    .used = i,
						    .believed = true };
	for (uint64_t page = 104; page < 107; page++)
		(void)step_asked(&mine, page);
	for (uint64_t page = 107; page < 400; page++) {
		int64_t step = step_asked(&mine, page);

		assert_true(step == 1 || step == 0);
	}
	assert_true(lg_stream_awaits(&mine, 400, 1, false, 1));
}

static void fault_on_two_streams_is_of_the_shorter_step(void **state)
{
	struct lg_streams mine = { .faults = 100 };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		mine.table[i] = (struct lg_stream){ .step = i == 1 ? 1 : 3,
						    .last = 100,
						    .ahead = 200,
						    .window = 64,
						    .believed = true };
	(void)step_asked(&mine, 106);
	assert_int_equal(mine.table[0].last, 100);
	assert_int_equal(mine.table[1].last, 106);
	assert_int_equal(mine.table[2].last, 100);
}

static void pages_that_were_read_ahead_begin_no_stream(void **state)
{
	struct lg_streams mine = { .faults = 0 };
	struct lg_ahead ahead;

	(void)state;
	for (uint64_t page = 0; page < 10 * PIECE; page += PIECE)
		assert_false(lg_stream_step(&mine, page, PAGES, LG_STREAM_AHEAD, false, PIECE, MOST,
					    &ahead));
	assert_int_equal(step_asked(&mine, 10 * PIECE), 0);
	assert_int_equal(step_asked(&mine, 10 * PIECE + 1), 0);
	assert_int_equal(step_asked(&mine, 10 * PIECE + 2), 1);
}

static void fault_that_is_noted_after_the_next_begins_no_stream(void **state)
{
	struct lg_streams mine = { .faults = 0 };

	(void)state;
	for (uint64_t page = 0; page < 3; page++)
		(void)step_asked(&mine, page);
	for (uint64_t page = 3; page < 301; page += 2) {
		int64_t later = step_asked(&mine, page + 1), earlier = step_asked(&mine, page);

		assert_true(later == 0 || later == 1);
		assert_int_equal(earlier, 0);
	}
	for (unsigned i = 1; i < LG_STREAMS; i++)
		assert_int_equal(mine.table[i].used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_up_to_the_span_are_asked_for_together),
		cmocka_unit_test_setup(forward_is_read_ahead_after_its_second_step, start),
		cmocka_unit_test_setup(backward_is_read_ahead_to_the_first_page, start),
		cmocka_unit_test_setup(stride_asks_for_its_pages_only, start),
		cmocka_unit_test_setup(random_touches_ask_for_next_to_nothing, start),
		cmocka_unit_test_setup(as_many_streams_as_there_are_places_are_followed_at_once,
				       start),
		cmocka_unit_test_setup(window_grows_by_stalls_up_to_what_is_allowed, start),
		cmocka_unit_test_setup(window_shrinks_by_waste_and_never_to_nothing, start),
		cmocka_unit_test_setup(advice_begins_a_stream_at_its_first_touch, start),
		cmocka_unit_test_setup(stream_backward_awaits_the_first_pages, start),
		cmocka_unit_test_setup(where_waits_are_long_two_neighbours_open_the_window, start),
		cmocka_unit_test(scan_is_not_taken_for_streams_of_longer_steps),
		cmocka_unit_test(fault_on_two_streams_is_of_the_shorter_step),
		cmocka_unit_test(pages_that_were_read_ahead_begin_no_stream),
		cmocka_unit_test(fault_that_is_noted_after_the_next_begins_no_stream),
	};

	return UNIT_RUN(tests);
}
