/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A region's descriptor: a cache line outside the region, at a fixed place per region number, that is
 * never unmapped. Its state is the one truth about who owns the region:
 *
 *   NONE, CLEAN -> ZERO -> LIVE <-> TAGGED      ZERO, FREE and LAZY: in a magazine, deque or pool
 *                           |                   LIVE -> LOST -> FREE: a failed move; see resize.c
 *     ^             ^       |  ^                LIVE and TAGGED: handed out
 *     +-- LAZY <-- FREE <---+  +-- any of ZERO, FREE, LAZY
 *
 * Whoever removed the region from where it was alone writes the state; the hand-over orders it.
 * One line each, because 32-byte neighbours used by two threads cost 5.5 to 9.7 ns instead of 3.1.
 */
#ifndef LG_REGION_REGION_H
#define LG_REGION_REGION_H

#include "base/atomic.h"
#include "base/bits.h"
#include "sync/stack.h"

#include <lgalloc/lgalloc.h>

enum lg_state {
	LG_NONE,   /* never handed out */
	LG_LIVE,   /* the user's */
	LG_TAGGED, /* the user's, and the free must undo something: it takes the cold path */
	LG_FREE,   /* contents undefined */
	LG_ZERO,   /* as FREE, and reads zero */
	LG_LAZY,   /* as FREE, and the kernel may take the pages */
	LG_CLEAN,  /* given back to the system; a bit of its area; reads zero */
	LG_LOST, /* the kernel took part of its mapping and would not map it again; a trim tries */
};

enum { LG_CHAIN_LINKS = 3 }; /* of a region to others of its chain; see dirty.h */

struct lg_region {
	LG_LINE_ALIGNED struct lg_region_view view;
	struct lg_node node; /* in a pool's stack, when head of a chain */
	union {
		struct lg_region *links[LG_CHAIN_LINKS];
		struct {
			uint64_t from;
			uint64_t bytes;
		} hole;         /* LOST: the part that is not mapped */
		uint64_t asked; /* LIVE, in the shim: what its owner may touch; see tail.h */
	};
	uint64_t split; /* life of its area in which it became a mapping of its own; 0: none */
	uint16_t area;  /* slot of the area it belongs to */
	uint8_t chain;  /* regions in the chain this heads */
	uint8_t class;
	_Atomic(uint8_t) state;
	uint8_t tail; /* enum lg_tail */
	uint8_t touched; /* in 128ths of the capacity, the most that was asked for since it was clean */
	uint8_t gathered; /* split, and in pieces as gather.h makes them */
};
_Static_assert(sizeof(struct lg_region) == LG_CACHE_LINE, "a descriptor is a line");
_Static_assert(offsetof(struct lg_region, view) == 0, "the public header reads it there");

static inline struct lg_region *lg_region_of_node(struct lg_node *node)
{
	return (struct lg_region *)(void *)((char *)node - offsetof(struct lg_region, node));
}

static inline enum lg_state lg_region_state(const struct lg_region *region)
{
	return (enum lg_state)lg_load_relaxed(&region->state);
}

static inline void lg_region_set_state(struct lg_region *region, enum lg_state state)
{
	lg_store_relaxed(&region->state, (uint8_t)state);
}

#endif
