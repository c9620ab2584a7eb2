/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * malloc_large: 20 blocks of 5 to 25 MiB live, sizes evenly distributed; a random one is given
 * back, another taken and every byte of it written. count=200 (allocations a pass)
 *
 * The idea is mimalloc-bench's malloc-large. Two passes over the same sizes and slots; between
 * them nothing is given back.
 *
 * Timed: each pass as a whole, the calls and the memset of every new block. Then memset alone
 * writes the blocks that are live, again and again, as many bytes.
 *
 * value: ms an allocation in the second pass. first: in the first pass, cold. memset: ms to write
 * as many bytes as a mean allocation has, without an allocator. over, over_first: their ratio to
 * memset.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <string.h>

enum { LIVE = 20, MIB = 1 << 20, LOW_BYTES = 5 * MIB, HIGH_BYTES = 25 * MIB };

struct slot {
	block *taken;
	size_t bytes;
};

static struct slot slots[LIVE];
static struct histogram latencies;

static uint64_t pass(size_t count, uint64_t *written)
{
	uint64_t random = 2463534242u;
	uint64_t begin = clock_ns();

	*written = 0;
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = &slots[random_below(&random, LIVE)];
		size_t bytes = random_between(&random, LOW_BYTES, HIGH_BYTES);
		uint64_t from = clock_ns();
		if (slot->taken != NULL)
			block_calls.give(slot->taken);
		slot->taken = block_take(bytes);
		slot->bytes = bytes;
		memset(block_data(slot->taken), (int)i, bytes);
		histogram_add(&latencies, clock_ns() - from);
		*written += bytes;
	}
	return clock_ns() - begin;
}

/* ns to write so many bytes into what is live. */
static uint64_t write_alone(uint64_t bytes)
{
	uint64_t random = 88172645463325252u;
	uint64_t begin = clock_ns();

	for (uint64_t written = 0; written < bytes;) {
		struct slot *slot = &slots[random_below(&random, LIVE)];
		if (slot->taken == NULL)
			continue;
		uint64_t rest = bytes - written;
		size_t length = slot->bytes < rest ? slot->bytes : (size_t)rest;
		memset(block_data(slot->taken), (int)length, length);
		written += length;
	}
	return clock_ns() - begin;
}

void workload_malloc_large(void)
{
	size_t count = argument_size("count", 200);
	uint64_t written;

	if (count == 0)
		result_fail("count must be at least 1");
	double first = (double)pass(count, &written) / 1e6 / (double)count;
	memset(&latencies, 0, sizeof(latencies));
	double second = (double)pass(count, &written) / 1e6 / (double)count;
	double alone = (double)write_alone(written) / 1e6 / (double)count;
	for (int i = 0; i < LIVE; i++)
		if (slots[i].taken != NULL)
			block_calls.give(slots[i].taken);
	result_value("value", second);
	result_value("first", first);
	result_value("memset", alone);
	result_value("over", second / alone);
	result_value("over_first", first / alone);
	histogram_report(&latencies);
}
