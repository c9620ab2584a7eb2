/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * verify: more memory than there is, every byte of it right. bytes=1G size=2M
 *
 * Every 8 bytes of every block get a word that depends on block and place; then all are read and
 * compared, then once more backwards by blocks.
 *
 * Timed: each of the three. write, read, value: MB/s (value is the second reading's). One wrong
 * word is a failure.
 */
#include "paging/set.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

#include <stdint.h>

static struct set set;

static inline uint64_t word_at(uint64_t block_seed, size_t index)
{
	return (block_seed ^ index) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t seed_of(size_t number)
{
	return (number + 1) * UINT64_C(0xD1B54A32D192ED03);
}

static void write_block(size_t number)
{
	uint64_t *words = block_data(set.blocks[number]);
	uint64_t seed = seed_of(number);

	for (size_t i = 0; i < set.block_bytes / 8; i++)
		words[i] = word_at(seed, i);
}

static void check_block(size_t number)
{
	const uint64_t *words = block_data(set.blocks[number]);
	uint64_t seed = seed_of(number);
	uint64_t wrong = 0;

	for (size_t i = 0; i < set.block_bytes / 8; i++)
		wrong |= words[i] ^ word_at(seed, i);
	if (wrong != 0)
		result_fail("block %zu does not hold what was written", number);
}

static double mb_per_second(uint64_t begin)
{
	return (double)set.bytes * 1000 / (double)(clock_ns() - begin);
}

void workload_verify(void)
{
	set_take(&set, argument_size("bytes", (size_t)1 << 30),
		 argument_size("size", (size_t)2 << 20));

	uint64_t begin = clock_ns();
	for (size_t i = 0; i < set.count; i++) {
		write_block(i);
		set_progress((i + 1) * set.block_bytes);
	}
	result_value("write", mb_per_second(begin));
	begin = clock_ns();
	for (size_t i = 0; i < set.count; i++)
		check_block(i);
	result_value("read", mb_per_second(begin));
	begin = clock_ns();
	for (size_t i = set.count; i-- > 0;)
		check_block(i);
	result_value("value", mb_per_second(begin));
	result_value("verified", (double)set.bytes / 1048576.0);
	set_give(&set);
}
