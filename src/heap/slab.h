/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slabs: chunks of one size class. A class has a list of its chunks with free slots, and a depot of free slots
 * that caches gave back; both, and the bitmaps, belong to who holds the class's lock. Caches trade with the
 * depot by the batch, so a slot's bit is touched only when more is free, or wanted, than threads and depot hold.
 *
 * Invariants, under the lock
 *   chunk.free == slots whose bit is 0
 *   chunk.listed  =>  it is in the list once; a chunk with free > 0 is listed, once it was opened
 *   entry.full == 1  =>  free == 0
 * A chunk is opened when it is first needed: its live bytes are made from its bitmap.
 */
#ifndef LG_HEAP_SLAB_H
#define LG_HEAP_SLAB_H

#include "heap/heap.h"

int lg_slab_start(struct lg_heap *heap);
void lg_slab_stop(struct lg_heap *heap);

/* All lists from the table; whatever caches and depots held is forgotten. */
void lg_slab_load(struct lg_heap *heap);

/* Fills an empty magazine with at least one slot. -errno in words. */
int lg_slab_refill(struct lg_heap *heap, unsigned class, struct lg_heap_magazine *magazine);

/* Takes `count` slots of a magazine's end to the depot, or to the bitmaps. */
void lg_slab_return(struct lg_heap *heap, unsigned class, struct lg_heap_magazine *magazine,
		    unsigned count);

/* Sets the live bytes of a slab's chunk; false: the chunk is no slab. */
bool lg_slab_ready(struct lg_heap *heap, uint32_t chunk);

/* With the gate closed: everything cached goes to the bitmaps, and empty chunks to the space. */
void lg_slab_flush(struct lg_heap *heap);

/* Gives empty chunks to the space, all but one of each class, or all. */
void lg_slab_sweep(struct lg_heap *heap, bool all);

/* Tests, with the gate closed: stops the program where an invariant does not hold. */
void lg_slab_check(struct lg_heap *heap);

#endif
