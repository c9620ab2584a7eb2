/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A bounded FIFO from one thread to one other, the carrier of hand-over workloads.
 *
 * Ordering edges
 *   R1  push: slot before tail, release     pairs with pop's acquire of tail
 *   R2  pop: slot read before head, release pairs with push's acquire of head
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_SLOTS = 64, RING_SPINS = 2000 };

struct ring {
	_Alignas(64) _Atomic(uint64_t) tail;
	_Alignas(64) _Atomic(uint64_t) head;
	_Alignas(64) void *slots[RING_SLOTS];
};

/* Where threads outnumber processors the other side needs ours. */
static inline void ring_wait(unsigned *spins)
{
	if (++*spins % RING_SPINS == 0)
		sched_yield();
#ifdef __x86_64__
	else
		__builtin_ia32_pause();
#endif
}

static inline void ring_push(struct ring *ring, void *value)
{
	unsigned spins = 0;
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	while (tail - atomic_load_explicit(&ring->head, memory_order_acquire) ==
	       RING_SLOTS) /* R2 */
		ring_wait(&spins);
	ring->slots[tail % RING_SLOTS] = value;
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release); /* R1 */
}

static inline void *ring_pop(struct ring *ring)
{
	unsigned spins = 0;
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	while (atomic_load_explicit(&ring->tail, memory_order_acquire) == head) /* R1 */
		ring_wait(&spins);
	void *value = ring->slots[head % RING_SLOTS];
	atomic_store_explicit(&ring->head, head + 1, memory_order_release); /* R2 */
	return value;
}

#endif
