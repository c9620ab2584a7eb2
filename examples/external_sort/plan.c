/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "plan.h"

enum { PAGE_BYTES = 4096, WINDOW_MIN = 64 << 10, WINDOW_MAX = 2 << 20 };
enum { RUN_MAX = 64 << 20 }; /* one pass of the radix sort makes parts of it that fit the cache */

/* The largest power of two up to `bytes`, within the bounds, which are powers of two. */
static size_t power_within(uint64_t bytes, size_t low, size_t high)
{
	size_t power = low;

	while (power < high && power * 2 <= bytes)
		power *= 2;
	return power;
}

void plan_make(struct plan *plan, uint64_t memory, unsigned threads, uint64_t input_bytes)
{
	plan->memory = memory;
	plan->threads = threads;
	plan->input_bytes = input_bytes;
	plan->spills = input_bytes > memory / 2;
	plan->run_bytes = power_within(memory / 4 / threads, PAGE_BYTES, RUN_MAX);
	/* Small inputs: a run for each thread, not one thread with one run. */
	while (plan->run_bytes > WINDOW_MAX && plan->run_bytes / 2 * threads >= input_bytes)
		plan->run_bytes /= 2;
	plan->run_count = (size_t)((input_bytes + plan->run_bytes - 1) / plan->run_bytes);
	uint64_t windows = 2 * (uint64_t)threads * (plan->run_count > 0 ? plan->run_count : 1);
	plan->window_bytes = power_within(memory / 4 / windows, WINDOW_MIN, WINDOW_MAX);
}
