/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * window: 64 blocks live; a random one is given back and another taken in its place. size=2M
 * live=64 ms=100
 *
 * Timed: both calls, the random number (about 1 ns) and the slot's load and store, the same for
 * all. No byte of a block is touched.
 *
 * value: ns a replacement, median of 7 rounds after a warm-up that replaces each slot several
 * times.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/rounds.h"
#include "workload/table.h"

enum { LIVE_MAX = 1024 };

struct window {
	size_t bytes;
	size_t live;
	uint64_t random;
	block *slots[LIVE_MAX];
};

static struct window window;
static struct histogram latencies;

static void replace(void *context, uint64_t times)
{
	struct window *slots = context;

	for (uint64_t i = 0; i < times; i++) {
		block **slot = &slots->slots[random_below(&slots->random, slots->live)];
		block_calls.give(*slot);
		*slot = block_calls.take(slots->bytes);
		if (*slot == NULL)
			*slot = block_take(slots->bytes); /* says why */
	}
}

void workload_window(void)
{
	enum { LATENCIES = 200000 };
	uint64_t ms = argument_size("ms", 100);

	window.bytes = argument_size("size", (size_t)2 << 20);
	window.live = argument_size("live", 64);
	window.random = 88172645463325252u;
	if (window.live == 0 || window.live > LIVE_MAX)
		result_fail("live must be 1 to %d", LIVE_MAX);
	for (size_t i = 0; i < window.live; i++)
		window.slots[i] = block_take(window.bytes);
	replace(&window, 8 * window.live);
	result_value("value", rounds_measure(replace, &window, ms));

	uint64_t end = clock_ns() + ms * 1000000 / 4;
	uint64_t begin = clock_ns();
	for (int i = 0; i < LATENCIES && begin < end; i++) {
		replace(&window, 1);
		uint64_t now = clock_ns();
		histogram_add(&latencies, now - begin);
		begin = clock_ns();
	}
	histogram_report(&latencies);
	for (size_t i = 0; i < window.live; i++)
		block_calls.give(window.slots[i]);
}
