/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * scan: sequential work on more memory than there is. bytes=1G size=2M scans=3
 *
 * Timed, one after the other: writing every byte of every block for the first time (write),
 * reading every word once from the front (read), and reading it so `scans` times more, from the
 * front each time: the cyclic scan, the worst case of every replacement in the order of use
 * (value). MB/s each.
 */
#include "paging/set.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

#include <stdint.h>
#include <string.h>

static struct set set;

static uint64_t sum_of_block(size_t number)
{
	const uint64_t *words = block_data(set.blocks[number]);
	uint64_t sum = 0;

	for (size_t i = 0; i < set.block_bytes / 8; i++)
		sum += words[i];
	return sum;
}

static uint64_t sum_of_all(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set.count; i++)
		sum += sum_of_block(i);
	return sum;
}

static double mb_per_second(uint64_t begin, size_t times)
{
	return (double)set.bytes * (double)times * 1000 / (double)(clock_ns() - begin);
}

void workload_scan(void)
{
	size_t scans = argument_size("scans", 3);

	set_take(&set, argument_size("bytes", (size_t)1 << 30),
		 argument_size("size", (size_t)2 << 20));
	uint64_t begin = clock_ns();
	for (size_t i = 0; i < set.count; i++) {
		memset(block_data(set.blocks[i]), (int)(i % 251) + 1, set.block_bytes);
		set_progress((i + 1) * set.block_bytes);
	}
	result_value("write", mb_per_second(begin, 1));
	begin = clock_ns();
	uint64_t sum = sum_of_all();
	result_value("read", mb_per_second(begin, 1));
	begin = clock_ns();
	for (size_t i = 0; i < scans; i++)
		if (sum_of_all() != sum)
			result_fail("a scan read something else than the first");
	if (scans > 0)
		result_value("value", mb_per_second(begin, scans));
	set_give(&set);
}
