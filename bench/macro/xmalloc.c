/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * xmalloc: the shape of xmalloc-test at large sizes: half of the threads only take, half only give
 * back. threads=2 low=64K high=256K batch=64 queue=16 ms=200
 *
 * A taker fills a batch of blocks of random sizes and puts it into a bounded queue under a mutex;
 * a giver takes a batch out and gives its blocks back. Batches are arrays beside the blocks and
 * used again; no byte of a block is touched.
 *
 * Timed: from the first batch until the givers are done with the last.
 *
 * value: ns of the wall clock for one block, all threads together.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

enum { THREADS_MAX = 64, BATCH_MAX = 256, QUEUE_MAX = 64 };

struct batch {
	struct batch *next;
	block *blocks[BATCH_MAX];
};

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct batch *full;
	struct batch *empty;
	unsigned takers;
	uint64_t given;
};

static struct queue queue = { .mutex = PTHREAD_MUTEX_INITIALIZER,
			      .changed = PTHREAD_COND_INITIALIZER };
static struct batch batches[QUEUE_MAX];
static size_t low, high, batch_count;
static uint64_t end_ns;

static void put(struct batch **list, struct batch *batch)
{
	batch->next = *list;
	*list = batch;
	pthread_cond_broadcast(&queue.changed);
}

static struct batch *get(struct batch **list)
{
	struct batch *batch = *list;

	if (batch != NULL)
		*list = batch->next;
	return batch;
}

static void *take_all(void *seed)
{
	uint64_t random = *(uint64_t *)seed;
	struct batch *batch;

	while (clock_ns() < end_ns) {
		pthread_mutex_lock(&queue.mutex);
		while ((batch = get(&queue.empty)) == NULL)
			pthread_cond_wait(&queue.changed, &queue.mutex);
		pthread_mutex_unlock(&queue.mutex);
		for (size_t i = 0; i < batch_count; i++)
			batch->blocks[i] = block_take(random_between(&random, low, high));
		pthread_mutex_lock(&queue.mutex);
		put(&queue.full, batch);
		pthread_mutex_unlock(&queue.mutex);
	}
	pthread_mutex_lock(&queue.mutex);
	queue.takers--;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.mutex);
	return NULL;
}

static void *give_all(void *unused)
{
	struct batch *batch;

	(void)unused;
	pthread_mutex_lock(&queue.mutex);
	for (;;) {
		while ((batch = get(&queue.full)) == NULL && queue.takers > 0)
			pthread_cond_wait(&queue.changed, &queue.mutex);
		if (batch == NULL)
			break;
		pthread_mutex_unlock(&queue.mutex);
		for (size_t i = 0; i < batch_count; i++)
			block_calls.give(batch->blocks[i]);
		pthread_mutex_lock(&queue.mutex);
		queue.given += batch_count;
		put(&queue.empty, batch);
	}
	pthread_mutex_unlock(&queue.mutex);
	return NULL;
}

void workload_xmalloc(void)
{
	unsigned threads = (unsigned)argument_size("threads", 2);
	size_t queued = argument_size("queue", 16);
	pthread_t thread[THREADS_MAX];
	uint64_t seeds[THREADS_MAX];
	uint64_t random = 2463534242u;

	low = argument_size("low", 65536);
	high = argument_size("high", 262144);
	batch_count = argument_size("batch", 64);
	if (threads < 2 || threads > THREADS_MAX || batch_count == 0 || batch_count > BATCH_MAX ||
	    queued == 0 || queued > QUEUE_MAX || low > high)
		result_fail("threads, batch, queue, low or high is out of range");
	for (size_t i = 0; i < queued; i++)
		put(&queue.empty, &batches[i]);
	queue.takers = threads / 2;
	uint64_t begin = clock_ns();
	end_ns = begin + argument_size("ms", 200) * 1000000;
	for (unsigned i = 0; i < threads / 2; i++) {
		seeds[i] = random_next(&random);
		thread_start(&thread[2 * i], take_all, &seeds[i]);
		thread_start(&thread[2 * i + 1], give_all, NULL);
	}
	for (unsigned i = 0; i < threads / 2 * 2; i++)
		pthread_join(thread[i], NULL);
	result_value("value", (double)(clock_ns() - begin) / (double)queue.given);
}
