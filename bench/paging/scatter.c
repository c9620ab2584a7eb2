/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * scatter: random 4 KiB on more memory than there is. bytes=1G size=2M ms=2000 write=0
 *
 * All blocks are written once, untimed.
 *
 * Timed: each access to a random page of a random block, reading (or, with write=1, writing) all
 * of its 4 KiB, with the clock's reading in it.
 *
 * value: accesses a second. Latencies: each access; with half of the memory resident the median is
 * a hit, p99 the disk.
 */
#include "paging/set.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/touch.h"

#include <stdint.h>
#include <string.h>

static struct set set;
static struct histogram latencies;

static uint64_t read_page(const uint64_t *words)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < TOUCH_PAGE / 8; i++)
		sum += words[i];
	return sum;
}

void workload_scatter(void)
{
	uint64_t budget_ns = argument_size("ms", 2000) * 1000000;
	size_t writes = argument_size("write", 0);
	uint64_t random = 88172645463325252u;
	uint64_t sum = 0;
	uint64_t now, from;

	set_take(&set, argument_size("bytes", (size_t)1 << 30),
		 argument_size("size", (size_t)2 << 20));
	for (size_t i = 0; i < set.count; i++) {
		memset(block_data(set.blocks[i]), 1, set.block_bytes);
		set_progress((i + 1) * set.block_bytes);
	}
	uint64_t begin = clock_ns();
	from = begin;
	do {
		size_t page = random_below(&random, set.bytes / TOUCH_PAGE);
		void *data = set_at(&set, page * TOUCH_PAGE);
		if (writes != 0)
			memset(data, 1, TOUCH_PAGE);
		else
			sum += read_page(data);
		now = clock_ns();
		histogram_add(&latencies, now - from);
		from = now;
	} while (now - begin < budget_ns);
	if (writes == 0 && sum != latencies.count * (TOUCH_PAGE / 8) * UINT64_C(0x0101010101010101))
		result_fail("what was read is not what was written");
	result_value("value", (double)latencies.count * 1e9 / (double)(now - begin));
	histogram_report(&latencies);
	set_give(&set);
}
