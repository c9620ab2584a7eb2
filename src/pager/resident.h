/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Residents: the pages that have memory, mapped or in limbo. The handle of a page is its place in the
 * table; its policy knows it by that while it is mapped.
 *
 * Invariant: is_known from fill and put_back until victim and remove, and never of a free handle.
 *
 * Some have a hash as well: of what the store has, where the page is writable all the same.
 *
 * Under the pager's lock, but `frame` and the hash, which belong to who holds BUSY of the page.
 *
 * Recent fills: for each thread the pages it filled last. They are not evicted, or an instruction that
 * touches several absent pages might never end, each fill evicting another. 34 is the most that one touches
 * (a gather of 16 elements, each across two pages, and the instruction itself). Threads share a ring if
 * there are more than rings.
 *
 * All together are at most half of what is not pinned, for something has to be left to evict: the longest
 * ring gives up its oldest first. Where that is too little for all threads to have LG_RING_LEAST of
 * the largest pages, some rings are kept at a time and they take turns: each thread ends its
 * instruction when it has its turn, at the latest.
 */
#ifndef LG_PAGER_RESIDENT_H
#define LG_PAGER_RESIDENT_H

#include "base/bits.h"
#include "pager/order.h"
#include "pager/policy.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

enum {
	LG_PAGE_SHIFT_HUGE = 21,
	LG_PAGE_SHIFTS = LG_PAGE_SHIFT_HUGE - LG_PAGE_SHIFT_MIN + 1,
	LG_POLICY_USES = LG_POLICY_BUILTIN + LG_POLICY_USERS, /* all there can be, in one pager */
	LG_RINGS = 32,
	LG_RING = 34,
	LG_RING_LEAST = 4, /* a copy from one place to another, both across two pages */
	LG_PASSED_OVER_BUSY = 1024,
	LG_PASSED_OVER = LG_RINGS * LG_RING + LG_PASSED_OVER_BUSY,
};

#define LG_HANDLE_NONE UINT32_MAX
#define LG_RESIDENT_FREE UINT16_MAX /* the map of a free handle */

struct lg_resident {
	uint64_t page;
	uint32_t frame;          /* in LIMBO; the next free handle, in a free one */
	uint16_t map;            /* its place in the pager's table */
	uint16_t ahead : 13;     /* pages read together with this one, of a page that is AHEAD */
	uint16_t was_dirty : 1;  /* at the last tick of the flush */
	uint16_t is_known : 1;   /* to its policy, which may give it up */
	uint16_t is_refused : 1; /* to leave */
};

_Static_assert(sizeof(struct lg_resident) == 16, "pages of 4 KiB have one each");

/* A policy at work, for all the maps that named it. */
struct lg_policy_use {
	struct lg_policy policy;
	void *state;
	unsigned shift; /* of most of its memory: how many such pages fit into the budget */
	uint64_t bytes; /* mapped */
	uint64_t bytes_of[LG_PAGE_SHIFTS]; /* in pages of each size */
	uint32_t handles;                  /* those from here on it never had */
	uint64_t given;                    /* pages, each time that one came */
};

struct lg_ring {
	uint32_t next;
	uint32_t place; /* among those that were used, in the order they were */
	bool used;
	uint64_t bytes;
	struct {
		struct lg_map *map;
		uint64_t page;
	} fills[LG_RING];
};

struct lg_residents {
	struct lg_resident *table;
	uint64_t *hashes;      /* memory is taken where there is one */
	struct lg_link *links; /* of those in an order: refused */
	uint32_t capacity;
	uint32_t used; /* handles above were never given out */
	uint32_t free; /* the first free one */
	struct lg_policy_use uses[LG_POLICY_USES];
	struct lg_ring rings[LG_RINGS];
	uint32_t rings_used;
	uint32_t turn;                        /* the place of the first that is kept */
	uint32_t turn_notes;                  /* since then */
	uint64_t recent_bytes;                /* in all rings */
	uint32_t passed_over[LG_PASSED_OVER]; /* victims that cannot leave, until the search ends */
	struct lg_order refused;              /* to leave (refused.h): the oldest at the front */
	uint64_t refused_bytes;
	_Atomic(uint32_t) refusals; /* so often, by the kernel or a store */
};

/* For up to `bytes` of memory in pages of the smallest size, of which there are 2^32 - 2 at most. -ENOMEM. */
int lg_residents_make(struct lg_residents *residents, uint64_t bytes);
void lg_residents_end(struct lg_residents *residents);

/*
 * The use of the policy of this name for pages of 1 << shift bytes, made if need be, and there until the pager ends. -EINVAL,
 * -ENOMEM, in words.
 */
int lg_policy_use(struct lg_pager *pager, const char *name, unsigned shift,
		  struct lg_policy_use **use);

/* What is in memory may be in pages of another size by now: the policies learn how many of them fit. Under the lock. */
void lg_policy_follow_pages(struct lg_pager *pager);

/* The budget is another: the policies learn how many pages fit. */
void lg_policy_retarget(struct lg_pager *pager);

enum {
	LG_HASH_NONE,   /* unknown */
	LG_HASH_WANTED, /* and to be known when the page is written next */
	LG_HASHES,      /* from here on they are hashes */
};

static inline uint64_t lg_resident_hash(const struct lg_residents *residents, uint32_t handle)
{
	return residents->hashes[handle];
}

/* Where there never was another than LG_HASH_NONE, it takes no memory. */
static inline void lg_resident_set_hash(struct lg_residents *residents, uint32_t handle,
					uint64_t hash)
{
	if (residents->hashes[handle] != hash)
		residents->hashes[handle] = hash;
}

/* A handle for the page; LG_HANDLE_NONE: none is left. */
uint32_t lg_resident_add(struct lg_map *map, uint64_t page);
void lg_resident_remove(struct lg_pager *pager, uint32_t handle);

static inline struct lg_resident *lg_resident_at(struct lg_residents *residents, uint32_t handle)
{
	return &residents->table[handle];
}

/* The page was put into the map: its policy learns of it. */
void lg_resident_fill(struct lg_map *map, uint32_t handle, enum lg_reference how);

/* The same of a page that is ASIDE and not pinned; false: it is not such a page. */
bool lg_resident_join(struct lg_map *map, uint64_t page, enum lg_reference how);

/* As one that was used, for nothing else is known of it. */
bool lg_resident_join_used(struct lg_map *map, uint64_t page);

/*
 * The page that the policy gives up, which has it no longer; LG_HANDLE_NONE: it gives none. A user's policy that names one it
 * does not have stops the program: whatever was done about that page would be done behind its owner's back.
 */
uint32_t lg_resident_victim(struct lg_pager *pager, struct lg_policy_use *use);

/* It is not to be evicted now: the policy has it again. */
void lg_resident_put_back(struct lg_map *map, uint32_t handle);

/* A page in the map was seen to be used. */
void lg_resident_touch(struct lg_map *map, uint32_t handle, enum lg_reference how);

/* Filled, as what is read ahead, and touched: a page of a stream. */
void lg_resident_arrive(struct lg_map *map, uint32_t handle, enum lg_reference how);

/* It was mapped and is not any more, otherwise than by the policy's own choice. */
void lg_resident_leave(struct lg_map *map, uint32_t handle);

/*
 * The policy's choice cannot leave: if it is pinned the policy does without it until the last pin is gone, when
 * it joins again; pins may be many and stay for long. False: it is not pinned, and still in hand.
 */
bool lg_resident_set_aside(struct lg_map *map, uint32_t handle);

/* The calling thread fills for this one from now. */
void lg_recent_for(uint32_t thread);

/* The number it fills for. */
uint32_t lg_recent_thread(void);

/* Notes a fill of the calling thread, so that its page stays a while. */
void lg_recent_note(struct lg_map *map, uint64_t page);

/* The budget or the pins changed: gives up what is too much. */
void lg_recent_trim(struct lg_pager *pager);

/* The map ends: no ring has a page of it any more. */
void lg_recent_forget(struct lg_map *map);

#endif
