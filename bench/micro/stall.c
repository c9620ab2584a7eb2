/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * stall: what another thread waits for while 1 GiB is given back to the system. bytes=1G size=2M
 *
 * The main thread takes and touches 1 GiB in blocks of 2 MiB and gives all of it back. Then it
 * trims (lg_trim, arena.purge, mi_collect, ReleaseFreeMemory, malloc_trim) while a second thread
 * faults never-touched pages of blocks of the same class, and between them takes 16 blocks and
 * gives them back, more than it keeps for itself. It does 16 of each in 10 us at most, so that the
 * pages last.
 *
 * Timed, in that thread: each fault and each take, from its begin to its end, that was under way
 * at any time between the trim's begin and its end. On a machine with other work a thread waits
 * for a processor, too, which no allocator can help: that time (schedstat's run delay) is
 * subtracted where the kernel tells it.
 *
 * value: ms, the longest of both. fault, take: ms, each alone. quiet: ms, the longest of both in
 * 30 ms without a trim, just before. trim: ms the trim took. samples: faults and takes timed in
 * it.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/memory.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"
#include "workload/touch.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { BLOCKS_MAX = 4096, TAKEN = 16, FAULTS = 16, PROBE_NS = 10000 };

enum phase { PHASE_WARM, PHASE_QUIET, PHASE_PAUSE, PHASE_TRIM, PHASE_END };

struct longest {
	uint64_t fault;
	uint64_t take;
	uint64_t samples;
};

static size_t block_bytes;
static size_t block_count;
static block *filled[BLOCKS_MAX];
static block *fresh[BLOCKS_MAX];
static _Atomic(int) phase;
static struct longest longest[PHASE_END + 1]; /* the prober's until it is joined */
static size_t next_page;
static int schedstat = -1; /* the prober's own */
static uint64_t waited_ns; /* for a processor, when it was last read */

enum { LONG_NS = 200000 };

/* False: no page is left that was never touched. */
static bool fault_next(void)
{
	size_t pages = block_bytes / TOUCH_PAGE;
	size_t index = next_page / pages;

	if (index == block_count)
		return false;
	char *page = (char *)block_data(fresh[index]) + next_page % pages * TOUCH_PAGE;
	*(volatile char *)page = 1;
	next_page++;
	return true;
}

/* All time the prober was ready and did not run; its file has "running waiting slices". */
static uint64_t read_waited(void)
{
	char text[96];
	unsigned long long ran, waited;
	ssize_t length = schedstat == -1 ? -1 : pread(schedstat, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return 0;
	text[length] = '\0';
	return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}

/* Counts in every phase that it touched: what waits for the trim may have begun before it. */
static void note(int began_in, bool fault, uint64_t ns)
{
	int ended_in = atomic_load(&phase);

	if (ns > LONG_NS) {
		uint64_t waited = read_waited();
		uint64_t delay = waited - waited_ns;
		ns = delay < ns ? ns - delay : 0;
		waited_ns = waited;
	}
	for (int i = began_in; i <= ended_in; i++) {
		uint64_t *max = fault ? &longest[i].fault : &longest[i].take;
		if (ns > *max)
			*max = ns;
		longest[i].samples++;
	}
}

static void probe_once(void)
{
	block *taken[TAKEN];
	uint64_t first = clock_ns();
	uint64_t begin;

	waited_ns = read_waited();
	for (int i = 0; i < FAULTS; i++) {
		int began_in = atomic_load(&phase);
		begin = clock_ns();
		if (fault_next())
			note(began_in, true, clock_ns() - begin);
	}
	for (int i = 0; i < TAKEN; i++) {
		int began_in = atomic_load(&phase);
		begin = clock_ns();
		taken[i] = block_take(block_bytes);
		note(began_in, false, clock_ns() - begin);
	}
	for (int i = 0; i < TAKEN; i++)
		block_calls.give(taken[i]);
	while (clock_ns() - first < PROBE_NS)
		;
}

static void *probe(void *unused)
{
	(void)unused;
	schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	while (atomic_load(&phase) != PHASE_END)
		probe_once();
	if (schedstat != -1)
		close(schedstat);
	return NULL;
}

static double worst_ms(const struct longest *of)
{
	return (double)(of->fault > of->take ? of->fault : of->take) / 1e6;
}

void workload_stall(void)
{
	enum { QUIET_MS = 30, WARM_MS = 5 };
	pthread_t prober;

	block_bytes = argument_size("size", (size_t)2 << 20);
	block_count = argument_size("bytes", (size_t)1 << 30) / block_bytes;
	if (block_count == 0 || block_count > BLOCKS_MAX)
		result_fail("bytes must be 1 to %d blocks", BLOCKS_MAX);
	for (size_t i = 0; i < block_count; i++) {
		filled[i] = block_take(block_bytes);
		touch_pages(block_data(filled[i]), block_bytes, i);
	}
	for (size_t i = 0; i < block_count; i++)
		fresh[i] = block_take(block_bytes);
	for (size_t i = 0; i < block_count; i++)
		block_calls.give(filled[i]);

	thread_start(&prober, probe, NULL);
	clock_rest(WARM_MS * UINT64_C(1000000));
	atomic_store(&phase, PHASE_QUIET);
	clock_rest(QUIET_MS * UINT64_C(1000000));
	atomic_store(&phase, PHASE_PAUSE);
	clock_rest(WARM_MS * UINT64_C(1000000));
	atomic_store(&phase, PHASE_TRIM);
	uint64_t begin = clock_ns();
	bool trimmed = memory_trim();
	uint64_t took = clock_ns() - begin;
	atomic_store(&phase, PHASE_END);
	pthread_join(prober, NULL);
	if (!trimmed)
		result_fail("the trim failed");

	result_value("value", worst_ms(&longest[PHASE_TRIM]));
	result_value("fault", (double)longest[PHASE_TRIM].fault / 1e6);
	result_value("take", (double)longest[PHASE_TRIM].take / 1e6);
	result_value("quiet", worst_ms(&longest[PHASE_QUIET]));
	result_value("trim", (double)took / 1e6);
	result_value("samples", (double)longest[PHASE_TRIM].samples);
}
