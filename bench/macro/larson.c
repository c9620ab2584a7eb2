/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * larson: threads that replace random blocks of random size, and hand their blocks to one another.
 * threads=2 low=64K high=256K live=64 ms=200
 *
 * After Larson and Krishnan, "Memory allocation for long-running server applications" (1998):
 * slots outlive the thread that filled them. Here each thread works on one set of slots for 1024
 * replacements, then leaves it in a mailbox and goes on with the set that was there, so most
 * blocks are given back by another thread than the one that took them. There is one set more than
 * threads, nobody waits.
 *
 * Timed: all replacements of all threads until the time is over; both calls, two random numbers,
 * the slot. No byte of a block is touched.
 *
 * value: ns of a thread's time for one replacement. Latencies: every 64th replacement, two clock
 * readings included.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS_MAX = 64, LIVE_MAX = 1024, ROUND = 1024, SAMPLE = 64 };

struct slots {
	block *slots[LIVE_MAX];
};

struct worker {
	_Alignas(128) pthread_t thread;
	struct slots *slots;
	uint64_t random;
	uint64_t done;
	uint64_t took;
	struct histogram latencies;
};

static size_t low, high, live;
static uint64_t budget_ns;
static _Alignas(128) _Atomic(struct slots *) mailbox;
static pthread_barrier_t begin;
static struct worker workers[THREADS_MAX];

static inline void replace(struct worker *worker)
{
	block **slot = &worker->slots->slots[random_below(&worker->random, live)];

	block_calls.give(*slot);
	*slot = block_take(random_between(&worker->random, low, high));
}

static void round_of(struct worker *worker)
{
	for (int i = 0; i < ROUND / SAMPLE; i++) {
		for (int j = 0; j < SAMPLE - 1; j++)
			replace(worker);
		uint64_t from = clock_ns();
		replace(worker);
		histogram_add(&worker->latencies, clock_ns() - from);
	}
	worker->done += ROUND;
	worker->slots = atomic_exchange_explicit(&mailbox, worker->slots, memory_order_acq_rel);
}

static void *work(void *context)
{
	struct worker *worker = context;

	pthread_barrier_wait(&begin);
	for (int i = 0; i < 4; i++)
		round_of(worker);
	worker->done = 0;
	uint64_t from = clock_ns();
	while ((worker->took = clock_ns() - from) < budget_ns)
		round_of(worker);
	return NULL;
}

static struct slots *filled_slots(uint64_t *random)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	if (slots == NULL)
		result_fail("no memory for slots");
	for (size_t i = 0; i < live; i++)
		slots->slots[i] = block_take(random_between(random, low, high));
	return slots;
}

static void give_all(struct slots *slots)
{
	for (size_t i = 0; i < live; i++)
		block_calls.give(slots->slots[i]);
	free(slots);
}

void workload_larson(void)
{
	unsigned threads = (unsigned)argument_size("threads", 2);
	uint64_t random = 2463534242u;
	static struct histogram latencies;
	double ns = 0;

	low = argument_size("low", 65536);
	high = argument_size("high", 262144);
	live = argument_size("live", 64);
	budget_ns = argument_size("ms", 200) * 1000000;
	if (threads == 0 || threads > THREADS_MAX || live == 0 || live > LIVE_MAX || low > high)
		result_fail("threads, live, low or high is out of range");
	pthread_barrier_init(&begin, NULL, threads);
	atomic_init(&mailbox, filled_slots(&random));
	for (unsigned i = 0; i < threads; i++) {
		workers[i].slots = filled_slots(&random);
		workers[i].random = random_next(&random);
	}
	for (unsigned i = 0; i < threads; i++)
		thread_start(&workers[i].thread, work, &workers[i]);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		ns += (double)workers[i].took / (double)workers[i].done;
		histogram_merge(&latencies, &workers[i].latencies);
		give_all(workers[i].slots);
	}
	give_all(atomic_load_explicit(&mailbox, memory_order_acquire));
	result_value("value", ns / threads);
	histogram_report(&latencies);
}
