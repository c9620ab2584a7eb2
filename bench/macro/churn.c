/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * churn: the same memory in one size class after the other. bytes=600M passes=2
 *
 * 600 MiB are taken as blocks of 2 MiB, every byte written, and all given back; then as 4 MiB,
 * then as 8 MiB. The runner puts the process into a memory cgroup of 1 GiB without swap: an
 * allocator that keeps what one class freed while another grows is killed there.
 *
 * Timed: everything.
 *
 * value: ms a pass over the three sizes.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

#include <string.h>

enum { BLOCKS_MAX = 4096 };

static block *blocks[BLOCKS_MAX];

static void fill_and_give(size_t bytes, size_t block_bytes)
{
	size_t count = bytes / block_bytes;

	if (count > BLOCKS_MAX)
		result_fail("bytes must be at most %d blocks of 2 MiB", BLOCKS_MAX);
	for (size_t i = 0; i < count; i++) {
		blocks[i] = block_take(block_bytes);
		memset(block_data(blocks[i]), (int)i, block_bytes);
	}
	for (size_t i = 0; i < count; i++)
		block_calls.give(blocks[i]);
}

void workload_churn(void)
{
	size_t bytes = argument_size("bytes", (size_t)600 << 20);
	size_t passes = argument_size("passes", 2);
	uint64_t begin = clock_ns();

	if (passes == 0)
		result_fail("passes must be at least 1");
	for (size_t pass = 0; pass < passes; pass++)
		for (size_t block_bytes = (size_t)2 << 20; block_bytes <= (size_t)8 << 20;
		     block_bytes *= 2)
			fill_and_give(bytes, block_bytes);
	result_value("value", (double)(clock_ns() - begin) / 1e6 / (double)passes);
}
