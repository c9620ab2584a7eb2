/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * thread_start: the first block of a thread that has just begun. size=2M count=400
 *
 * 64 blocks were taken and given back before and 16 threads have come and gone, so the class is
 * warm and a thread's record can be used again. Threads run one after the other.
 *
 * Timed, in the new thread: its first take, and nothing else; no byte is touched. Giving back and
 * the thread's end are not in it.
 *
 * value: us, the median over the threads.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

enum { WARM = 64, WARM_THREADS = 16 };

static size_t bytes;
static struct histogram latencies;

static void *first_block(void *context)
{
	uint64_t *took = context;

	clock_ns(); /* the clock's own first use */
	uint64_t begin = clock_ns();
	block *taken = block_calls.take(bytes);
	*took = clock_ns() - begin;
	if (taken == NULL)
		result_fail("no block");
	block_calls.give(taken);
	return NULL;
}

void workload_thread_start(void)
{
	size_t count = argument_size("count", 400);
	block *warm[WARM];
	pthread_t thread;
	uint64_t took;

	bytes = argument_size("size", (size_t)2 << 20);
	for (int i = 0; i < WARM; i++)
		warm[i] = block_take(bytes);
	for (int i = 0; i < WARM; i++)
		block_calls.give(warm[i]);
	for (size_t i = 0; i < WARM_THREADS + count; i++) {
		thread_start(&thread, first_block, &took);
		pthread_join(thread, NULL);
		if (i >= WARM_THREADS)
			histogram_add(&latencies, took);
	}
	result_value("value", histogram_share(&latencies, 0.5) / 1000);
	histogram_report(&latencies);
}
