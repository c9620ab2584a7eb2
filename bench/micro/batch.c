/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * batch: take many blocks, write the first byte of each as it comes, give all of them back in another order.
 * count=1000 size=64 ms=150
 *
 * Timed: both loops. The orders, ORDERS of them in turn, are made before.
 *
 * value: ns a block taken and given back, median of 7 rounds.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/rounds.h"
#include "workload/table.h"

#include <stdlib.h>

enum { ORDERS = 16, COUNT_MAX = 100000 };

static size_t count, bytes;
static block **taken;
static uint32_t *orders;

static void batches(void *context, uint64_t times)
{
	unsigned *turn = context;

	for (uint64_t batch = 0; batch < times; batch++) {
		const uint32_t *order = orders + (*turn)++ % ORDERS * count;

		for (size_t i = 0; i < count; i++) {
			taken[i] = block_calls.take(bytes);
			if (taken[i] == NULL)
				block_take(bytes); /* says why */
			*(volatile char *)block_data(taken[i]) = 1;
		}
		for (size_t i = 0; i < count; i++)
			block_calls.give(taken[order[i]]);
	}
}

static void shuffle(uint32_t *order, uint64_t *seed)
{
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(seed, i);
		uint32_t moved = order[i - 1];

		order[i - 1] = order[other];
		order[other] = moved;
	}
}

void workload_batch(void)
{
	uint64_t seed = 1;
	unsigned turn = 0;

	count = argument_size("count", 1000);
	bytes = argument_size("size", 64);
	if (count == 0 || count > COUNT_MAX)
		result_fail("count must be 1 to %d", COUNT_MAX);
	taken = calloc(count, sizeof(block *));
	orders = calloc(count * ORDERS, sizeof(*orders));
	if (taken == NULL || orders == NULL)
		result_fail("no memory for %zu places", count);
	for (size_t i = 0; i < ORDERS; i++)
		shuffle(orders + i * count, &seed);
	double batch_ns = rounds_measure(batches, &turn, argument_size("ms", 150));
	result_value("value", batch_ns / (double)count);
	free(orders);
	free(taken);
}
