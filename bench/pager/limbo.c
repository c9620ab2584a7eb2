/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * limbo: a fault on a page that has left its map but is still held back. memory=256M write=0 other=0
 * ms=2000
 *
 * The space is a little smaller than the budget, so nothing of it leaves memory: but the writers keep some of it
 * in limbo, from where it comes back by a fault without I/O. Pages are touched at random, and nothing is read
 * ahead, for there is nothing to read.
 *
 * Timed: each touch of a page, a word read or written, by itself. Counted are those that the pager says were
 * served from limbo. When little is left in it the pager's own threads have the time to take out and write what they
 * want to, so that none of it is waited for. With other=1 another thread runs meanwhile, which touches nothing of the space.
 *
 * value: us, the median. Latencies: of the same. resident: ns for a touch of a page that is mapped; resident_over: in terms of one of
 * memory that no pager has. written: MiB that the pager wrote meanwhile.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	LEFT_PART = 64, /* of the budget: less than the writers want to have free */
	SETTLE_PAGES = 2,
};

static struct space space;
static struct histogram latencies;
static atomic_bool ended;

static void *run_beside(void *context)
{
	(void)context;
	while (!atomic_load_explicit(&ended, memory_order_relaxed))
		;
	return NULL;
}

static uint64_t touch(size_t offset, bool write)
{
	volatile uint64_t *word = (volatile uint64_t *)(void *)(space.data + offset);
	uint64_t before = clock_ns();

	if (write)
		*word = offset / 8 * PATTERN_STEP + 1;
	else if (*word != offset / 8 * PATTERN_STEP + 1)
		result_fail("the word at %zu is not what was written", offset);
	return clock_ns() - before;
}

/* Reads of one page, which is in memory. */
static double touches_ns(const char *page, size_t page_bytes)
{
	enum { TOUCHES = 1 << 20 };

	uint64_t begin = clock_ns();
	for (size_t i = 0; i < TOUCHES; i++)
		(void)*(const volatile uint64_t *)(const void *)(page + i * 4096 % page_bytes);
	return (double)(clock_ns() - begin) / TOUCHES;
}

/* Beside the same of memory that no pager has; the best of some times each, in turn. */
static void compare_resident(size_t page_bytes)
{
	enum { TIMES = 7 };
	size_t huge = (size_t)2 << 20;
	double ns = 1e9, plain_ns = 1e9;
	char *plain = aligned_alloc(huge, (page_bytes + huge - 1) / huge * huge);

	if (plain == NULL)
		result_fail("no memory");
	(void)madvise(plain, huge, page_bytes < huge ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	memset(plain, 1, page_bytes);
	touch(0, true);
	for (int i = 0; i < TIMES; i++) {
		ns = fmin(ns, touches_ns(space.data, page_bytes));
		plain_ns = fmin(plain_ns, touches_ns(plain, page_bytes));
	}
	free(plain);
	result_value("resident", ns);
	result_value("resident_over", ns / plain_ns);
}

/* Until nothing was evicted or written for a ms. */
static void settle(struct lg_pager_stats *stats)
{
	enum { TIMES_MOST = 100, MS = 1000000 };
	uint64_t done, seen = stats->evictions + stats->writes;

	for (int i = 0; i < TIMES_MOST; i++, seen = done) {
		clock_rest(MS);
		space_stats(&space, stats);
		done = stats->evictions + stats->writes;
		if (done == seen && stats->limbo > 0)
			return;
	}
}

void workload_limbo(void)
{
	size_t page_bytes = argument_size("page", (size_t)2 << 20);
	uint64_t ns = argument_size("ms", 2000) * 1000000;
	bool write = argument_size("write", 0) != 0;
	bool other = argument_size("other", 0) != 0;
	struct lg_pager_stats stats, before;
	uint64_t random = 88172645463325252u;
	pthread_t beside;

	size_t memory = argument_size("memory", (size_t)256 << 20);
	space_open(&space, (memory - memory / LEFT_PART) / page_bytes * page_bytes);
	space_write(&space, 0, space.bytes);
	compare_resident(page_bytes);
	if (!write)
		space_sync(&space);
	if (other)
		thread_start(&beside, run_beside, NULL);
	space_stats(&space, &before);
	uint64_t hits = before.limbo_hits;
	uint64_t begin = clock_ns();
	while (clock_ns() - begin < ns) {
		uint64_t page = random_below(&random, space.bytes / page_bytes);
		uint64_t took = touch(page * page_bytes, write);
		space_stats(&space, &stats);
		if (stats.limbo_hits == hits)
			continue;
		histogram_add(&latencies, took);
		if (stats.limbo < SETTLE_PAGES * page_bytes)
			settle(&stats);
		hits = stats.limbo_hits;
	}
	if (other) {
		atomic_store(&ended, true);
		pthread_join(beside, NULL);
	}
	if (latencies.count == 0)
		result_fail("no page was served from limbo");
	result_value("value", histogram_share(&latencies, 0.5) / 1000);
	result_value("hits", (double)latencies.count);
	result_value("written", (double)(stats.bytes_written - before.bytes_written) / 1048576.0);
	histogram_report(&latencies);
	space_check(&space, 0, space.bytes);
	space_close(&space);
}
