/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A bounded work-stealing deque (Chase and Lev, SPAA 2005; Lê et al., PPoPP 2013), on ck's primitives.
 *
 * The owner pushes and takes batches at the bottom, newest first; thieves steal one by one at the top,
 * oldest first. Indices only grow but for the owner's claim, and go on when the record changes owner.
 *
 * Invariant: 0 <= bottom - top <= LG_DEQUE_SLOTS when the owner rests; slot i & MASK holds the i-th value
 * for top <= i < bottom. While the owner claims, bottom may lie below top: the deque reads empty.
 *
 * A claim of n: bottom falls by n, then top is read. Below the new bottom, no thief can reach the claim:
 * whoever still holds the old bottom read a top no higher than ours, and its compare-and-swap takes that
 * one index. At or above it, index `top` is the only one a thief may still hold, so the owner races for
 * that one by compare-and-swap like a thief, and everything above it is the owner's.
 * tests/model/deque.pml checks this claim exhaustively.
 *
 * Progress: the owner is wait-free; a steal fails only because another take succeeded.
 *
 * Ordering edges
 *   D1  push: slots before bottom, release     pairs with steal's load of bottom before its slot
 *   D2  take: bottom before the load of top, a full barrier; steal: top before bottom, loads in order.
 *       Either the thief sees the claim, or the owner sees the theft
 *   D3  steal: slot before the compare-and-swap of top, pairs with push's acquire of top: a slot is
 *       written again only after the thief has read it
 *
 * D2 is a swap instruction and not a fence: 5 ns against 18 on x86-64, and once a batch.
 */
#ifndef LG_SYNC_DEQUE_H
#define LG_SYNC_DEQUE_H

#include "base/bits.h"

#include <stdbool.h>

enum { LG_DEQUE_SLOTS = 128 };
_Static_assert((LG_DEQUE_SLOTS & (LG_DEQUE_SLOTS - 1)) == 0, "indices are masked");

/* All zero is an empty deque. */
struct lg_deque {
	LG_LINE_ALIGNED uint64_t top;    /* thieves' end */
	LG_LINE_ALIGNED uint64_t bottom; /* the owner's end */
	void *slots[LG_DEQUE_SLOTS];
};

/* Owner only: pushes up to `count` values while fewer than `limit` are inside; how many it took. */
unsigned lg_deque_push(struct lg_deque *deque, void *const *values, unsigned count, unsigned limit);

/* Owner only: takes up to `count` of the newest, oldest of them first; how many. */
unsigned lg_deque_take(struct lg_deque *deque, void **values, unsigned count);

/* Any thread: the oldest, or NULL: empty, or another thread was faster. */
void *lg_deque_steal(struct lg_deque *deque);

/* Any thread: a snapshot, exact only when all rest. */
unsigned lg_deque_count(struct lg_deque *deque);

/* When all rest: forgets what is inside. */
void lg_deque_clear(struct lg_deque *deque);

/* Tests: stops the program if the invariant does not hold. All must rest. */
void lg_deque_check(struct lg_deque *deque);

#endif
