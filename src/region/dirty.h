/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A pool of free regions that still have memory, shared by all threads: two lock-free stacks of chains.
 *
 * A node is the head of a chain of at most LG_CHAIN regions linked through their descriptors, never
 * through the regions: a push or pop then costs a region a sixteenth of two locked instructions. The
 * links make a tree of fan-out three and not a list: the descriptors lie in the cache of the processor that
 * freed them, and a list of sixteen is sixteen misses one after the other, the tree three.
 *
 * Frees go to the stack `young`, allocations take from young and then from old. The worker empties old
 * and, when it is empty, turns the index: young is then old. Nothing moves between the stacks, and a
 * region is given back only if nobody wanted it for a whole tick.
 *
 * Each class has two such pools: dirty, and lazy (anonymous regions the kernel was told it may take).
 *
 * Ordering edge: S1 of the stack hands over the chain and all that its last owner wrote.
 */
#ifndef LG_REGION_DIRTY_H
#define LG_REGION_DIRTY_H

#include "region/region.h"
#include "sync/stack.h"

#include <stdbool.h>

enum { LG_CHAIN = 16 };

struct lg_dirty {
	LG_LINE_ALIGNED struct lg_stack stacks[2];
	_Atomic(uint32_t) young; /* index of the stack frees go to */
};

void lg_dirty_init(struct lg_dirty *pool);

/* Adds one chain; 1 <= count <= LG_CHAIN. */
void lg_dirty_put(struct lg_dirty *pool, struct lg_region *const *regions, unsigned count);

/* One chain, young before old; 0: empty. `regions` has room for LG_CHAIN. */
unsigned lg_dirty_take(struct lg_dirty *pool, struct lg_region **regions);

/* One chain of old; 0: old is empty. */
unsigned lg_dirty_take_old(struct lg_dirty *pool, struct lg_region **regions);

/* Young becomes old. Only when old was just seen empty, else its regions stay a tick longer. */
void lg_dirty_turn(struct lg_dirty *pool);

bool lg_dirty_is_empty(struct lg_dirty *pool);

#endif
