/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * mstress: the shape of mimalloc's stress test at large sizes. threads=2 count=4000 transfer=64
 *
 * Each thread takes blocks of 64 KiB to 4 MiB (each power of two half as likely as the one before,
 * then anything up to it), keeps most of them in a growing list, gives a random one back now and
 * then, and exchanges some with a table that all threads share. At the end of a round everything
 * kept is given back; rounds begin together. The first and last word of a block carry a mark that
 * is checked when it is given back: at most two pages are touched.
 *
 * Timed: all rounds.
 *
 * value: ns of a thread's time for one take with its share of the rest.
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

enum {
	THREADS_MAX = 64,
	TRANSFER_MAX = 1024,
	KEPT_MAX = 256,
	ROUNDS_OF_STRESS = 8,
	WARM_ROUNDS = 1
};

struct item {
	block *taken;
	size_t bytes;
	uint64_t mark;
};

struct worker {
	_Alignas(128) pthread_t thread;
	uint64_t random;
	uint64_t took;
	size_t kept;
	struct item *items[KEPT_MAX];
};

static struct worker workers[THREADS_MAX];
static _Atomic(struct item *) transfer[TRANSFER_MAX];
static size_t transfer_count, take_count;
static pthread_barrier_t barrier;

static uint64_t *last_word(const struct item *item)
{
	char *data = block_data(item->taken);

	return (uint64_t *)(void *)(data + (item->bytes & ~(size_t)7) - 8);
}

static struct item *item_new(uint64_t *random)
{
	struct item *item = malloc(sizeof(*item));
	unsigned shift = (unsigned)__builtin_ctzll(random_next(random) | 32);

	if (item == NULL)
		result_fail("no memory for a list");
	size_t top = (size_t)131072 << shift;
	item->bytes = random_between(random, top / 2, top);
	item->taken = block_take(item->bytes);
	item->mark = random_next(random);
	*(uint64_t *)block_data(item->taken) = item->mark;
	*last_word(item) = item->mark;
	return item;
}

static void item_end(struct item *item)
{
	if (item == NULL)
		return;
	if (*(uint64_t *)block_data(item->taken) != item->mark || *last_word(item) != item->mark)
		result_fail("a block changed while it was kept");
	block_calls.give(item->taken);
	free(item);
}

static void drop(struct worker *worker, size_t index)
{
	item_end(worker->items[index]);
	worker->items[index] = worker->items[--worker->kept];
}

static void round_of(struct worker *worker)
{
	for (size_t i = 0; i < take_count; i++) {
		struct item *item = item_new(&worker->random);
		uint64_t choice = random_below(&worker->random, 100);
		if (choice < 30 || worker->kept == KEPT_MAX) {
			/* Whatever lay there is another thread's block as often as not. */
			size_t place = random_below(&worker->random, transfer_count);
			item = atomic_exchange_explicit(&transfer[place], item,
							memory_order_acq_rel);
			item_end(item);
		} else {
			worker->items[worker->kept++] = item;
		}
		if (choice >= 45 && worker->kept > 0)
			drop(worker, random_below(&worker->random, worker->kept));
	}
	while (worker->kept > 0)
		drop(worker, worker->kept - 1);
}

static void *work(void *context)
{
	struct worker *worker = context;

	for (int round = 0; round < WARM_ROUNDS + ROUNDS_OF_STRESS; round++) {
		pthread_barrier_wait(&barrier);
		uint64_t begin = clock_ns();
		round_of(worker);
		if (round >= WARM_ROUNDS)
			worker->took += clock_ns() - begin;
	}
	return NULL;
}

void workload_mstress(void)
{
	unsigned threads = (unsigned)argument_size("threads", 2);
	uint64_t random = 88172645463325252u;
	double took = 0;

	take_count = argument_size("count", 4000) / ROUNDS_OF_STRESS;
	transfer_count = argument_size("transfer", 64);
	if (threads == 0 || threads > THREADS_MAX || transfer_count == 0 ||
	    transfer_count > TRANSFER_MAX || take_count == 0)
		result_fail("threads, count or transfer is out of range");
	pthread_barrier_init(&barrier, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].random = random_next(&random);
		thread_start(&workers[i].thread, work, &workers[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		took += (double)workers[i].took;
	}
	for (size_t i = 0; i < transfer_count; i++)
		item_end(atomic_load_explicit(&transfer[i], memory_order_relaxed));
	result_value("value", took / ((double)threads * (double)take_count * ROUNDS_OF_STRESS));
}
