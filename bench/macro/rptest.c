/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * rptest: the shape of rpmalloc's benchmark at large sizes. threads=2 count=64 low=64K high=512K
 * ms=200
 *
 * Each thread loops: it takes a batch of blocks of random sizes, gives back a third of them in a
 * scattered order, takes those anew, then puts the whole batch on the next thread's list and gives
 * back, in the order they come, all batches that lie on its own list. Batches are linked by
 * records outside the blocks; one word of a block is written.
 *
 * Timed: all loops until the time is over.
 *
 * value: ns of a thread's time for one take and its give.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS_MAX = 64, BATCH_MAX = 256, LISTED_MAX = 4 };

struct batch {
	struct batch *next;
	block *blocks[BATCH_MAX];
};

struct worker {
	_Alignas(128) pthread_t thread;
	struct worker *neighbour;
	uint64_t random;
	uint64_t taken;
	uint64_t took;
	_Alignas(128) _Atomic(struct batch *) list; /* others push, the owner takes all */
	_Atomic(int) listed;
};

static struct worker workers[THREADS_MAX];
static size_t low, high, batch_count;
static uint64_t budget_ns;
static pthread_barrier_t begin;

static block *take_marked(struct worker *worker)
{
	block *taken = block_take(random_between(&worker->random, low, high));

	*(volatile uint64_t *)block_data(taken) = worker->taken++;
	return taken;
}

static void batch_end(struct batch *batch)
{
	for (size_t i = 0; i < batch_count; i++)
		block_calls.give(batch->blocks[i]);
	free(batch);
}

static void give_listed(struct worker *worker)
{
	struct batch *batch = atomic_exchange_explicit(&worker->list, NULL, memory_order_acquire);

	while (batch != NULL) {
		struct batch *next = batch->next;
		atomic_fetch_sub_explicit(&worker->listed, 1, memory_order_relaxed);
		batch_end(batch);
		batch = next;
	}
}

static void hand_over(struct worker *to, struct batch *batch)
{
	/* A thread that is not running must not collect all memory of one that is. */
	if (atomic_load_explicit(&to->listed, memory_order_relaxed) >= LISTED_MAX) {
		batch_end(batch);
		return;
	}
	atomic_fetch_add_explicit(&to->listed, 1, memory_order_relaxed);
	batch->next = atomic_load_explicit(&to->list, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&to->list, &batch->next, batch,
						      memory_order_release, memory_order_relaxed))
		;
}

static void *work(void *context)
{
	struct worker *worker = context;
	uint64_t end;

	pthread_barrier_wait(&begin);
	uint64_t from = clock_ns();
	do {
		struct batch *batch = malloc(sizeof(*batch));
		if (batch == NULL)
			result_fail("no memory for a list");
		for (size_t i = 0; i < batch_count; i++)
			batch->blocks[i] = take_marked(worker);
		for (size_t i = 0; i < batch_count / 3; i++) {
			size_t other = random_between(&worker->random, i, batch_count - 1);
			block *scattered = batch->blocks[other];
			batch->blocks[other] = batch->blocks[i];
			batch->blocks[i] = scattered;
			block_calls.give(scattered);
		}
		for (size_t i = 0; i < batch_count / 3; i++)
			batch->blocks[i] = take_marked(worker);
		hand_over(worker->neighbour, batch);
		give_listed(worker);
		end = clock_ns();
	} while (end - from < budget_ns);
	worker->took = end - from;
	return NULL;
}

void workload_rptest(void)
{
	unsigned threads = (unsigned)argument_size("threads", 2);
	uint64_t random = 2463534242u;
	double ns = 0;

	low = argument_size("low", 65536);
	high = argument_size("high", 524288);
	batch_count = argument_size("count", 64);
	budget_ns = argument_size("ms", 200) * 1000000;
	if (threads == 0 || threads > THREADS_MAX || batch_count == 0 || batch_count > BATCH_MAX ||
	    low > high)
		result_fail("threads, count, low or high is out of range");
	pthread_barrier_init(&begin, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].neighbour = &workers[(i + 1) % threads];
		workers[i].random = random_next(&random);
	}
	for (unsigned i = 0; i < threads; i++)
		thread_start(&workers[i].thread, work, &workers[i]);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		ns += (double)workers[i].took / (double)workers[i].taken;
	}
	for (unsigned i = 0; i < threads; i++)
		give_listed(&workers[i]);
	result_value("value", ns / threads);
}
