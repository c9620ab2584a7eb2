/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Space: chunks and units of 64 KiB, which are in use, and the file's growth.
 *
 * An extent is a run of units that may go on through chunks: `used` has all its units, `start` its first. First
 * fit by address, so that the end of the file empties. Units get disk blocks when they are handed out (a full
 * disk is an answer then, not a failed checkpoint later), and lose them when they have been free for two
 * checkpoints, and after the commit that freed them is home.
 *
 * Rejected: a tree of free runs. Threads cache extents up to a megabyte, so the search runs for larger ones and
 * for chunks: a nanosecond or two a chunk against the page faults of what was asked for.
 */
#ifndef LG_HEAP_SPACE_H
#define LG_HEAP_SPACE_H

#include "heap/heap.h"

enum { LG_LIVE_SLOT = 1, LG_LIVE_LARGE = 255 };

/* A run of units as an extent. *first is its number, *fresh: it was never used and reads zero. */
int lg_space_take(struct lg_heap *heap, uint64_t units, uint64_t *first, bool *fresh);

/* Gives an extent back, or units of its end: all behind the first `keep`. */
void lg_space_give(struct lg_heap *heap, uint64_t first, uint64_t keep);

/* Lengthens an extent in place by free units behind it. False: there are not so many. */
bool lg_space_grow(struct lg_heap *heap, uint64_t first, uint64_t units, uint64_t more);

/* A whole chunk for a slab; *fresh as above. Given back it is `backed` where all of it has disk blocks. */
int lg_space_take_chunk(struct lg_heap *heap, unsigned class, uint32_t *chunk, bool *fresh);
void lg_space_give_chunk(struct lg_heap *heap, uint32_t chunk, bool backed);

/* Chunks behind all others, of any kind, with the file long enough. The space lock is held. */
int lg_space_append(struct lg_heap *heap, uint64_t count, enum lg_chunk_kind kind, uint32_t *first);

/* Units of the extent that begins at this one. */
uint64_t lg_space_units(const struct lg_heap *heap, uint64_t first);

/* Sets an extent chunk's live bytes; false: the chunk is no extent's. The space lock is not held. */
bool lg_space_ready(struct lg_heap *heap, uint32_t chunk);

/*
 * A commit is durable: no unit is newborn any more. The commit lock is held. (Of those taken since its gate opened
 * nothing is wrong, but they go by the journal.)
 */
void lg_space_committed(struct lg_heap *heap);

/* Under the checkpoint lock: punches what has been free long enough. */
int lg_space_punch(struct lg_heap *heap);

#endif
