/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The gate: operations pass it all the time and pay almost nothing; a commit closes it rarely and pays for both.
 *
 * A thread is inside while its `inside` is not 0; begins nest, and only the outermost looks at the gate. An operation of
 * a thread that is inside already does nothing here; of another it stores 1, and 0 at its end: constants, since a
 * count that is read, changed and stored again four times a pair would be the longest chain of the hit path (20 cycles).
 * Closing stores CLOSED, makes every thread pass a full barrier (membarrier), and waits until each `inside` is 0.
 *
 * Invariant: while the gate is closed, and its closer has seen every `inside` at 0, no thread is inside.
 *
 * Ordering edges
 *   G1  enter: inside = 1, then the look at the gate; close: the gate = CLOSED, then the look at inside. Between
 *       the two steps of enter stands only the compiler's barrier: the closer's membarrier puts the processor's
 *       there. One of the two sees the other, so either the thread waits or the closer does. Without membarrier
 *       the gate is FENCED while it is open, which sends who enters to a fence of his own and a second look.
 *   G2  leave: inside = 0, release; pairs with the closer's acquire: it sees all that was done inside.
 *   G3  open: the gate = OPENED, release; pairs with enter's acquire: the thread sees what the commit did.
 *
 * Progress: a closer waits for threads that are inside, so one that sleeps there holds up commits, and with them
 * threads that want to enter. Nobody may wait inside for a thread outside.
 *
 * Rejected: a reader-writer lock (20 ns an operation), a fence in enter (8 ns).
 */
#ifndef LG_HEAP_GATE_H
#define LG_HEAP_GATE_H

#include "heap/heap.h"

/* Waits until the gate opens. False: nothing may be changed, and it is not inside. */
bool lg_gate_wait(struct lg_heap *heap, struct lg_heap_thread *thread);

/* The same for a thread that could get no record, by an atomic count. */
void lg_gate_enter_as_guest(struct lg_heap *heap);
void lg_gate_leave_as_guest(struct lg_heap *heap);

/* -EDEADLK: the caller is inside, -EBADF: the parent's. Before a lock that others may hold and wait for it. */
int lg_gate_may_close(struct lg_heap *heap);

/* The commit lock is held. */
int lg_gate_close(struct lg_heap *heap);
void lg_gate_open(struct lg_heap *heap);

static inline bool lg_gate_is_open(uint32_t gate)
{
	return gate == LG_GATE_OPENED || gate == LG_GATE_FENCED;
}

static inline bool lg_gate_is_inside(const struct lg_heap_thread *thread)
{
	return lg_load_relaxed(&thread->inside) != 0;
}

/* For one operation of a thread that is not inside; false: not without a wait, or not at all. */
static inline bool lg_gate_pass(struct lg_heap *heap, struct lg_heap_thread *thread)
{
	lg_store_relaxed(&thread->inside, 1); /* G1 */
	lg_compiler_barrier();
	return LG_LIKELY(lg_load_acquire(&heap->gate) == LG_GATE_OPENED); /* G1, G3 */
}

/* Behind lg_gate_pass, whatever it said. */
static inline void lg_gate_passed(struct lg_heap_thread *thread)
{
	lg_store_release(&thread->inside, 0); /* G2 */
}

/* Nests. Waits for the gate if it must; false: nothing may be changed, and it is not inside. */
static inline bool lg_gate_enter(struct lg_heap *heap, struct lg_heap_thread *thread)
{
	uint32_t depth = lg_load_relaxed(&thread->inside);

	if (depth > 0) {
		lg_store_relaxed(&thread->inside, depth + 1);
		return true;
	}
	return lg_gate_pass(heap, thread) || lg_gate_wait(heap, thread);
}

static inline void lg_gate_leave(struct lg_heap_thread *thread)
{
	lg_store_release(&thread->inside, lg_load_relaxed(&thread->inside) - 1); /* G2 */
}

#endif
