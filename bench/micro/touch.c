/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * touch: take a block, write one word of every 4 KiB page, give it back. size=2M ms=200
 *
 * Timed: the calls and the writes. Beside it, in turn with it in the same process, the same writes
 * to one block that is kept: the same memory without an allocator. Everything was touched once
 * before.
 *
 * value: ns for take, touch, give. none: ns for the touch alone. over: the median of their ratio,
 * each round against the one beside it.
 */
#include "workload/touch.h"

#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/median.h"
#include "workload/result.h"
#include "workload/rounds.h"
#include "workload/table.h"

static struct histogram latencies;

static void taken_and_touched(void *context, uint64_t times)
{
	size_t bytes = *(size_t *)context;

	for (uint64_t i = 0; i < times; i++) {
		block *taken = block_take(bytes);
		touch_pages(block_data(taken), bytes, i);
		block_calls.give(taken);
	}
}

static void only_touched(void *context, uint64_t times)
{
	size_t bytes = *(size_t *)context;
	block *kept = block_take(bytes);

	for (uint64_t i = 0; i < times; i++)
		touch_pages(block_data(kept), bytes, i);
	block_calls.give(kept);
}

void workload_touch(void)
{
	enum { PAIRS = 4 * ROUNDS + 1, LATENCIES = 20000 };
	size_t bytes = argument_size("size", (size_t)2 << 20);
	uint64_t ms = argument_size("ms", 200);
	double with[PAIRS], without[PAIRS], over[PAIRS];

	taken_and_touched(&bytes, 1);
	uint64_t times = rounds_calibrate(taken_and_touched, &bytes, ms * 1000000 / (2 * PAIRS));
	for (int i = 0; i < PAIRS; i++) {
		/*
		 * One untimed time each: a block that is given back may come with pages to fault
		 * in.
		 */
		only_touched(&bytes, 1);
		without[i] = rounds_one(only_touched, &bytes, times);
		taken_and_touched(&bytes, 1);
		with[i] = rounds_one(taken_and_touched, &bytes, times);
		over[i] = with[i] / without[i];
	}
	result_value("value", median_of(with, PAIRS));
	result_value("none", median_of(without, PAIRS));
	result_value("over", median_of(over, PAIRS));

	uint64_t end = clock_ns() + ms * 1000000 / 4;
	uint64_t begin = clock_ns();
	for (int i = 0; i < LATENCIES && begin < end; i++) {
		taken_and_touched(&bytes, 1);
		uint64_t now = clock_ns();
		histogram_add(&latencies, now - begin);
		begin = now;
	}
	histogram_report(&latencies);
}
