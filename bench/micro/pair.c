/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * pair: take one block and give it back at once, again and again, in one thread. size=2M ms=100
 *
 * Timed: the two calls and the loop around them. No byte of the block is touched, so no page fault
 * and no memory is in the figure; each round's first block is the one the last round gave back.
 *
 * value: ns a pair, median of 7 rounds. Latencies: each pair between two readings of the clock, in
 * a pass of its own, the clock's own cost included (the runner prints it).
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/result.h"
#include "workload/rounds.h"
#include "workload/table.h"

static struct histogram latencies;

static void pairs(void *context, uint64_t times)
{
	size_t bytes = *(size_t *)context;

	for (uint64_t i = 0; i < times; i++) {
		block *taken = block_calls.take(bytes);
		if (taken == NULL)
			block_take(bytes); /* says why */
		block_calls.give(taken);
	}
}

void workload_pair(void)
{
	enum { LATENCIES = 200000 };
	size_t bytes = argument_size("size", (size_t)2 << 20);
	uint64_t ms = argument_size("ms", 100);

	result_value("value", rounds_measure(pairs, &bytes, ms));
	uint64_t end = clock_ns() + ms * 1000000 / 4;
	uint64_t begin = clock_ns();
	for (int i = 0; i < LATENCIES && begin < end; i++) {
		block_calls.give(block_take(bytes));
		uint64_t now = clock_ns();
		histogram_add(&latencies, now - begin);
		begin = clock_ns();
	}
	histogram_report(&latencies);
}
