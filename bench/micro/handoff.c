/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * handoff: one thread takes blocks and sends them through a ring of 64 slots to another, which
 * gives them back. size=2M ms=200
 *
 * Timed, in the producer: from its first push of a round until the consumer has answered that it
 * gave back the last block. No byte of a block is touched. In turn with it, in the same process
 * and through the same ring, rounds that send a constant pointer and call no allocator.
 *
 * value: ns a block. ring: ns an item of the ring alone. over: value less ring, median of the
 * rounds; absent where that is not positive: then the machine had other work.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/median.h"
#include "workload/result.h"
#include "workload/ring.h"
#include "workload/rounds.h"
#include "workload/table.h"
#include "workload/thread.h"

static struct ring forth;
static struct ring back;
static char constant, round_end, all_end;

static void *consume(void *unused)
{
	(void)unused;
	for (;;) {
		void *item = ring_pop(&forth);
		if (item == &constant)
			continue;
		if (item == &all_end)
			return NULL;
		if (item == &round_end)
			ring_push(&back, item);
		else
			block_calls.give(item);
	}
}

static void send_blocks(void *context, uint64_t times)
{
	size_t bytes = *(size_t *)context;

	for (uint64_t i = 0; i < times; i++)
		ring_push(&forth, block_take(bytes));
	ring_push(&forth, &round_end);
	ring_pop(&back);
}

static void send_constant(void *context, uint64_t times)
{
	(void)context;
	for (uint64_t i = 0; i < times; i++)
		ring_push(&forth, &constant);
	ring_push(&forth, &round_end);
	ring_pop(&back);
}

void workload_handoff(void)
{
	enum { PAIRS = 8 * ROUNDS + 1 };
	size_t bytes = argument_size("size", (size_t)2 << 20);
	uint64_t round_ns = argument_size("ms", 200) * 1000000 / (2 * PAIRS);
	double with[PAIRS], without[PAIRS], over[PAIRS];
	pthread_t consumer;

	thread_start(&consumer, consume, NULL);
	uint64_t times = rounds_calibrate(send_blocks, &bytes, round_ns);
	uint64_t constants = rounds_calibrate(send_constant, NULL, round_ns);
	for (int i = 0; i < PAIRS; i++) {
		without[i] = rounds_one(send_constant, NULL, constants);
		with[i] = rounds_one(send_blocks, &bytes, times);
		over[i] = with[i] - without[i];
	}
	ring_push(&forth, &all_end);
	pthread_join(consumer, NULL);
	result_value("value", median_of(with, PAIRS));
	result_value("ring", median_of(without, PAIRS));
	double beyond = median_of(over, PAIRS);
	if (beyond > 0) /* else the machine was too busy to tell */
		result_value("over", beyond);
}
