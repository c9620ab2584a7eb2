/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * parallel: threads that each replace 8 blocks of their own in turn, against one that does so
 * alone. threads=2 size=2M neighbours=0 ms=600
 *
 * With neighbours=1 the main thread takes all blocks first and deals them out alternately, so what
 * the allocator keeps about one thread's blocks lies beside what it keeps about the others'.
 *
 * Timed: rounds of all threads and rounds of one, in turn; the operations done until the main
 * thread says stop, over the time until then. No byte of a block is touched.
 *
 * value: million pairs a second of all threads together. one: of one thread. scale: the median of
 * their ratio, each round against the one beside it.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/median.h"
#include "workload/result.h"
#include "workload/rounds.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { THREADS_MAX = 64, OWN = 8, BATCH = 64 };

struct worker {
	_Alignas(128) pthread_t thread;
	unsigned number;
	uint64_t done;
	block *own[OWN];
};

static struct worker workers[THREADS_MAX];
static pthread_barrier_t begin, end;
static _Alignas(128) _Atomic(bool) stop;
static _Alignas(128) unsigned active; /* written between the barriers' rounds; 0: the end */
static size_t bytes;

static uint64_t replace_own(struct worker *worker)
{
	uint64_t done = 0;
	unsigned slot = 0;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (unsigned i = 0; i < BATCH; i++) {
			block_calls.give(worker->own[slot]);
			worker->own[slot] = block_take(bytes);
			slot = (slot + 1) % OWN;
		}
		done += BATCH;
	}
	return done;
}

static void *work(void *context)
{
	struct worker *worker = context;

	for (unsigned i = 0; i < OWN; i++)
		if (worker->own[i] == NULL)
			worker->own[i] = block_take(bytes);
	for (;;) {
		pthread_barrier_wait(&begin);
		if (active == 0)
			break;
		worker->done = worker->number < active ? replace_own(worker) : 0;
		pthread_barrier_wait(&end);
	}
	for (unsigned i = 0; i < OWN; i++)
		block_calls.give(worker->own[i]);
	return NULL;
}

/* Million pairs a second. */
static double round_of(unsigned threads, uint64_t ns)
{
	uint64_t done = 0;

	active = threads;
	atomic_store_explicit(&stop, false, memory_order_relaxed);
	pthread_barrier_wait(&begin);
	uint64_t from = clock_ns();
	clock_rest(ns);
	atomic_store_explicit(&stop, true, memory_order_relaxed);
	uint64_t took = clock_ns() - from;
	pthread_barrier_wait(&end);
	for (unsigned i = 0; i < threads; i++)
		done += workers[i].done;
	return (double)done * 1000 / (double)took;
}

void workload_parallel(void)
{
	enum { PAIRS = ROUNDS };
	unsigned threads = (unsigned)argument_size("threads", 2);
	uint64_t round_ns = argument_size("ms", 600) * 1000000 / (2 * PAIRS);
	bool neighbours = argument_size("neighbours", 0) != 0;
	double all[PAIRS], one[PAIRS], scale[PAIRS];

	bytes = argument_size("size", (size_t)2 << 20);
	if (threads == 0 || threads > THREADS_MAX)
		result_fail("threads must be 1 to %d", THREADS_MAX);
	pthread_barrier_init(&begin, NULL, threads + 1);
	pthread_barrier_init(&end, NULL, threads + 1);
	for (unsigned i = 0; neighbours && i < OWN; i++)
		for (unsigned t = 0; t < threads; t++)
			workers[t].own[i] = block_take(bytes);
	for (unsigned t = 0; t < threads; t++) {
		workers[t].number = t;
		thread_start(&workers[t].thread, work, &workers[t]);
	}
	round_of(threads, round_ns);
	for (int i = 0; i < PAIRS; i++) {
		one[i] = round_of(1, round_ns);
		all[i] = round_of(threads, round_ns);
		scale[i] = all[i] / one[i];
	}
	active = 0;
	pthread_barrier_wait(&begin);
	for (unsigned t = 0; t < threads; t++)
		pthread_join(workers[t].thread, NULL);
	result_value("value", median_of(all, PAIRS));
	result_value("one", median_of(one, PAIRS));
	result_value("scale", median_of(scale, PAIRS));
}
