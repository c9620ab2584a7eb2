/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * growth: one block from 64 KiB, doubled until 1 GiB by lg_region_resize or realloc. max=1G
 *
 * After each step every new page gets one word, so there is something to keep; at the end the
 * first word of every step is looked at.
 *
 * Timed: the resizes and those writes.
 *
 * value: ms for the whole growth. resize: ms in the resizes alone. Latencies: the resizes.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/touch.h"

enum { FIRST_BYTES = 65536 };

static struct histogram latencies;

void workload_growth(void)
{
	size_t max = argument_size("max", (size_t)1 << 30);
	uint64_t begin = clock_ns();
	uint64_t resizing = 0;
	block *grown = block_take(FIRST_BYTES);

	touch_pages(block_data(grown), FIRST_BYTES, FIRST_BYTES);
	for (size_t bytes = FIRST_BYTES; bytes < max; bytes *= 2) {
		uint64_t from = clock_ns();
		block *larger = block_calls.resize(grown, 2 * bytes);
		uint64_t took = clock_ns() - from;
		if (larger == NULL)
			result_fail("cannot grow to %zu", 2 * bytes);
		grown = larger;
		resizing += took;
		histogram_add(&latencies, took);
		touch_pages((char *)block_data(grown) + bytes, bytes, 2 * bytes);
	}
	uint64_t took = clock_ns() - begin;
	char *data = block_data(grown);
	for (size_t bytes = FIRST_BYTES; bytes < max; bytes *= 2)
		if (*(uint64_t *)(void *)(data + bytes) != 2 * bytes)
			result_fail("the word at %zu was lost", bytes);
	block_calls.give(grown);
	result_value("value", (double)took / 1e6);
	result_value("resize", (double)resizing / 1e6);
	histogram_report(&latencies);
}
