/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Frames: places outside the maps, of one page size, that a page can be moved to and from.
 *
 * A frame is EMPTY (an address, no memory), FREE (memory, contents of no account), HELD (somebody's: being
 * filled, moved or dropped), or holds a page of LIMBO: CLEAN, UNWRITTEN, REFUSED by its store the last time and so not written either,
 * or AHEAD of its touch, and clean. FREE and these four are lists in the order of arrival. Frames of huge pages stay FREE, for their memory is worth keeping; small ones soon give it back.
 *
 * Everything here is under the pager's lock, but lg_frames_are_made and lg_frame_bytes. Memory in frames counts
 * against the budget.
 *
 * Ordering edge F1 make, put: who sees that frames are made, or a count, sees what they are made of.
 */
#ifndef LG_PAGER_FRAME_H
#define LG_PAGER_FRAME_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

enum lg_frame_list {
	LG_FRAME_EMPTY,
	LG_FRAME_HELD,
	LG_FRAME_FREE,
	LG_FRAME_CLEAN,
	LG_FRAME_UNWRITTEN,
	LG_FRAME_REFUSED,
	LG_FRAME_AHEAD,
	LG_FRAME_LISTS,
};

#define LG_FRAME_NONE UINT32_MAX
#define LG_FRAMES_MOST ((uint32_t)1 << 31) /* of one size: places are 32 bits wide */

struct lg_frame {
	uint32_t next;
	uint32_t previous;
	uint32_t handle; /* the resident, of a page of LIMBO */
	uint32_t list;   /* enum lg_frame_list */
};

struct lg_frames {
	char *base;
	unsigned shift;
	bool huge; /* of 2 MiB, and the kernel moves them whole */
	uint32_t count;
	uint32_t used;    /* frames from here on were never taken */
	uint32_t entered; /* limbo by eviction, lately; halved together, now and then */
	uint32_t returned;
	uint32_t batches;
	uint32_t hand; /* where the search for EMPTY goes on, so that runs lie together */
	struct lg_frame *table;
	_Atomic(bool) is_made;
	struct {
		uint32_t first;
		uint32_t last;
		_Atomic(uint32_t) count;
	} lists[LG_FRAME_LISTS];
};

/* Makes `count` EMPTY frames at `base`, LG_FRAMES_MOST at most. -ENOMEM. */
int lg_frames_make(struct lg_frames *frames, void *base, uint32_t count, unsigned shift, bool huge);
void lg_frames_end(struct lg_frames *frames);

static inline bool lg_frames_are_made(const struct lg_frames *frames)
{
	return lg_load_acquire(&frames->is_made); /* F1 */
}

static inline void *lg_frame_at(const struct lg_frames *frames, uint32_t index)
{
	return frames->base + ((uint64_t)index << frames->shift);
}

/* Up to `want` EMPTY frames side by side become HELD: how many, from *first on; 0: none is EMPTY. */
uint32_t lg_frame_take(struct lg_frames *frames, uint32_t want, uint32_t *first);

/* Between lists; to the end of the new one. */
void lg_frame_put(struct lg_frames *frames, uint32_t index, enum lg_frame_list list);

static inline uint32_t lg_frame_first(const struct lg_frames *frames, enum lg_frame_list list)
{
	return frames->lists[list].first;
}

static inline uint64_t lg_frame_bytes(const struct lg_frames *frames, enum lg_frame_list list)
{
	uint64_t count = lg_load_acquire(&frames->lists[list].count); /* F1 */

	return count > 0 ? count << frames->shift : 0;
}

/* So many entered limbo, or returned from it into their map. */
void lg_frames_note(struct lg_frames *frames, uint32_t entered, uint32_t returned);

/* Lists and counts agree. For tests. */
bool lg_frames_check(const struct lg_frames *frames);

#endif
