/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * idle: what is left when everything was given back. bytes=512M size=2M threads=4 wait=30000 (ms)
 *
 * Threads take and touch their share (one word of every page), wait for one another, give it all
 * back and then live on without doing anything. Before the first block and every 50 ms from then
 * on the process's memory is read; at the latest after `wait` it ends.
 *
 * value: MiB of physical memory over the start at the end. Physical is Rss, for lgalloc's file
 * backing with its files' page cache whether mapped or not. address: MiB of address space over the
 * start, for lgalloc of areas. disk: MiB of lgalloc's files. peak: the highest physical. settled:
 * ms after the last give until physical was below 4 MiB over the start and, for lgalloc, no area
 * and no block was left (absent if it never was). Series: physical, MiB over time.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/memory.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"
#include "workload/touch.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { THREADS_MAX = 64, POLL_MS = 50 };

static const double MIB = 1048576.0;

static size_t block_bytes, share;
static _Atomic(unsigned) touched, given;
static pthread_barrier_t begin, all_touched;
static pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;

static void *live_idly(void *context)
{
	block **blocks = context;

	pthread_barrier_wait(&begin);
	for (size_t i = 0; i < share; i++) {
		blocks[i] = block_take(block_bytes);
		touch_pages(block_data(blocks[i]), block_bytes, i);
	}
	atomic_fetch_add(&touched, 1);
	pthread_barrier_wait(&all_touched);
	for (size_t i = 0; i < share; i++)
		block_calls.give(blocks[i]);
	atomic_fetch_add(&given, 1);
	pthread_mutex_lock(&end);
	pthread_mutex_unlock(&end);
	return NULL;
}

struct watch {
	struct memory start, now;
	uint64_t begin;
	double peak;
};

static double over(uint64_t now, uint64_t start)
{
	return ((double)now - (double)start) / MIB;
}

static void look(struct watch *watch)
{
	memory_read(&watch->now);
	double physical = over(watch->now.physical, watch->start.physical);
	if (physical > watch->peak)
		watch->peak = physical;
	result_point("physical", (double)(clock_ns() - watch->begin) / 1e6, physical);
}

static bool settled(const struct watch *watch)
{
	if (over(watch->now.physical, watch->start.physical) >= 4)
		return false;
#ifdef BENCH_REGIONS
	return watch->now.address == 0 && watch->now.disk == 0;
#else
	return true;
#endif
}

void workload_idle(void)
{
	size_t threads = argument_size("threads", 4);
	uint64_t wait_ns = argument_size("wait", 30000) * 1000000;
	pthread_t thread[THREADS_MAX];
	struct watch watch = { .peak = 0 };

	block_bytes = argument_size("size", (size_t)2 << 20);
	if (threads == 0 || threads > THREADS_MAX)
		result_fail("threads must be 1 to %d", THREADS_MAX);
	share = argument_size("bytes", (size_t)512 << 20) / block_bytes / threads;
	/* Static: a table from what is measured would keep a page of it. */
	static block *blocks[THREADS_MAX][1024];
	if (share == 0 || share > sizeof(blocks[0]) / sizeof(blocks[0][0]))
		result_fail("bytes must be 1 to 1024 blocks a thread");
	pthread_barrier_init(&begin, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&all_touched, NULL, (unsigned)threads + 1);
	pthread_mutex_lock(&end);
	for (size_t i = 0; i < threads; i++)
		thread_start(&thread[i], live_idly, blocks[i]);
	memory_read(&watch.start);
	watch.begin = clock_ns();
	pthread_barrier_wait(&begin);
	while (atomic_load(&touched) < threads) {
		clock_rest(POLL_MS * UINT64_C(1000000));
		look(&watch);
	}
	look(&watch);
	pthread_barrier_wait(&all_touched);
	while (atomic_load(&given) < threads)
		clock_rest(UINT64_C(1000000));

	uint64_t last_given = clock_ns();
	for (;;) {
		look(&watch);
		uint64_t since = clock_ns() - last_given;
		if (settled(&watch)) {
			result_value("settled", (double)since / 1e6);
			break;
		}
		if (since > wait_ns)
			break;
		clock_rest(POLL_MS * UINT64_C(1000000));
	}
	result_value("value", over(watch.now.physical, watch.start.physical));
	result_value("address", over(watch.now.address, watch.start.address));
	result_value("disk", over(watch.now.disk, watch.start.disk));
	result_value("peak", watch.peak);
	pthread_mutex_unlock(&end);
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
}
