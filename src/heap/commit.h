/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Which pages a commit takes. With the gate closed:
 *   - what a failed commit left (`carried`), and what was written since the last look;
 *   - of those not what lies in free units and chunks: nobody may read it, so its private copy is dropped.
 *   - of large objects that are new since the last commit those that need no image in the journal (`homeward`).
 * From the first look on a page is in `carried`, in a durable record, or unwritten since.
 */
#ifndef LG_HEAP_COMMIT_H
#define LG_HEAP_COMMIT_H

#include "heap/heap.h"

/* heap->dirty: each page once, in order. -errno: they are in `carried`, or `everything` is set. */
int lg_dirty_collect(struct lg_heap *heap);

/* Gives `dirty` to the next commit. */
void lg_dirty_carry(struct lg_heap *heap);

/* Gives up the private copies of these pages, which ascend. */
void lg_dirty_give_up(struct lg_heap *heap, const uint64_t *list, uint64_t count);

/* Gives up private copies of pages that are home and not dirty; a bounded number. */
void lg_dirty_drop(struct lg_heap *heap);

/* Gives up the private copies of `dirty`, which are home. */
void lg_dirty_forget(struct lg_heap *heap);

/* Gives up those of everything written since the last commit: back to what the file has. */
int lg_dirty_discard(struct lg_heap *heap);

/* Starts watching, once. */
int lg_dirty_watch(struct lg_heap *heap);

#endif
