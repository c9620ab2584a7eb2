/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A checkpoint writes the newest image of each page in the ring home, flushes, and only then moves the tail
 * (J2, J4 in journal.h). It reads the images back from the ring, never the mapping, where a thread may be writing
 * the next state. It needs no gate: commits and allocations go on.
 *
 * A page is skipped if a newer record has it. That record was durable before homes[] said so, and stays in the
 * ring behind the new tail.
 *
 * The worker runs one when the ring is half full or its oldest record a second old; a commit that finds no room
 * runs one itself.
 */
#ifndef LG_HEAP_CHECKPOINT_H
#define LG_HEAP_CHECKPOINT_H

#include "heap/heap.h"

/* All records that are durable now. 0 or -errno in words; nothing is lost by a failure. */
int lg_checkpoint_run(struct lg_heap *heap);

/* The worker, from the first commit to the close. Without one, commits do its work. */
void lg_checkpoint_start(struct lg_heap *heap);
void lg_checkpoint_stop(struct lg_heap *heap);
void lg_checkpoint_poke(struct lg_heap *heap);

#endif
