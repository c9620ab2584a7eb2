/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An area: one extent of a class's span, mapped from the backing. Its clean regions are bits of a bitmap
 * that is the class's and indexed by region number.
 *
 * One word holds {generation, state, clean count}. Lowering the count by compare-and-swap is the *right*
 * to that many of the area's bits, which are then looked for and cleared; raising it comes after the bits
 * were set. So
 *
 *   bits set in the area  >=  clean count + rights not yet used      (equal when all rest)
 *
 * and a search with a right in hand always ends. A count equal to the number of regions means that
 * nobody holds a region or a right: retiring is one compare-and-swap from there.
 *
 *   UNUSED -> OPEN (refill lock) -> RETIRED (compare-and-swap) -> unmapped -> UNUSED
 *               \-> ORPHAN -> RETIRED: its file was closed or left; nothing is taken any more, it only drains
 *               \-> LOST: a parent's area in the child of a fork; its addresses are never used again
 *
 * The fields first and count change only while the slot is UNUSED, and are read only by who holds a
 * right, a region, or the retirement; the generation makes a compare-and-swap from an older life fail.
 *
 * Progress: lock-free but for opening. A thread stopped between right and bits keeps just those.
 *
 * Ordering edges
 *   A1  give: the region's state before its bit, release (or);  take: the bit, acquire (and)
 *   A2  give: bits before the count, release (add);  take: the count, acquire (compare-and-swap)
 *   A3  open: first, count, bits and mapping before the word, release; pairs with A2's acquire
 *   A4  retire: unmapping before UNUSED, release; pairs with open's acquire under the refill lock
 */
#ifndef LG_REGION_AREA_H
#define LG_REGION_AREA_H

#include "region/region.h"

#include <stdbool.h>

struct lg_class;

enum { LG_AREAS = 512 }; /* per class; a refill halves and fails cleanly beyond */

enum lg_area_state { LG_AREA_UNUSED, LG_AREA_OPEN, LG_AREA_RETIRED, LG_AREA_ORPHAN, LG_AREA_LOST };

struct lg_area {
	LG_LINE_ALIGNED _Atomic(uint64_t) word;
	_Atomic(uint64_t) hint;          /* word of bits where a search starts; a hint only */
	_Atomic(uint64_t) idle_since_ms; /* when it was first seen all clean; 0: it is not */
	_Atomic(uint64_t) first;         /* region number */
	_Atomic(uint64_t) count;         /* regions */
	_Atomic(uint32_t) splits;        /* mappings that moved pages may have added */
	_Atomic(uint32_t) file;          /* index of the class's file it is an extent of */
};

enum { LG_AREA_STATE_SHIFT = 32, LG_AREA_GENERATION_SHIFT = 35 };

/* `word` with another state and count, and its generation. */
static inline uint64_t lg_area_word(uint64_t word, enum lg_area_state state, uint64_t clean)
{
	return (word >> LG_AREA_GENERATION_SHIFT << LG_AREA_GENERATION_SHIFT) |
	       (uint64_t)state << LG_AREA_STATE_SHIFT | clean;
}

static inline uint32_t lg_area_generation(uint64_t word)
{
	return (uint32_t)(word >> LG_AREA_GENERATION_SHIFT);
}

static inline enum lg_area_state lg_area_state(uint64_t word)
{
	return (enum lg_area_state)(word >> LG_AREA_STATE_SHIFT & 7);
}

static inline uint32_t lg_area_clean(uint64_t word)
{
	return (uint32_t)word;
}

/* Takes up to `want` clean regions, lowest area first, in runs; their numbers, ascending in runs. */
uint32_t lg_area_take(struct lg_class *class, uint32_t want, uint64_t *numbers, uint16_t *slot);

/* Makes regions clean: they read zero and have no memory. Sorted by address they cost least. */
void lg_area_give(struct lg_class *class, struct lg_region *const *regions, uint32_t count);

/* Gives rights and bits of taken numbers back untouched. */
void lg_area_give_numbers(struct lg_class *class, uint16_t slot, const uint64_t *numbers,
			  uint32_t count);

/* Under the refill lock: makes an UNUSED slot OPEN with everything clean; the extent is mapped. */
void lg_area_open(struct lg_class *class, uint16_t slot, uint64_t first, uint64_t count);

/* Unmaps each area that has been all clean for `delay_ms`. How many. */
uint32_t lg_area_retire_idle(struct lg_class *class, uint64_t delay_ms);

/* Nothing is taken any more from the areas of this file. */
void lg_area_orphan(struct lg_class *class, uint32_t file);

/* Under the refill lock: no region is in use or kept. */
bool lg_area_are_idle(struct lg_class *class);

/* The same, and nothing is taken any more from areas that are all clean. */
bool lg_area_leave_idle(struct lg_class *class);

/* The child of a fork: an area with no bit set and none counted; one whose unmapping was under way. */
void lg_area_open_empty(struct lg_class *class, uint16_t slot, enum lg_area_state state);
void lg_area_finish_retired(struct lg_class *class, uint16_t slot);

/* Tests, when all rest: bits and counts agree. */
void lg_area_check(struct lg_class *class);

#endif
