/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Ghosts: the keys of the last `bound` pages that left, without the pages. A ring of keys in the order in
 * which they left, and a hash table of chains through its slots.
 *
 * Invariant: a slot is in the chain of its key's bucket if it is alive, and in none else; a key is alive in
 * one slot at most; the slots behind `next` are the older ones.
 *
 * Memory: 16 bytes a slot for up to `capacity` slots and half a bucket more, taken as slots are used. Only the
 * buckets that `bound` needs are used, or a small bound would touch all of a large table.
 */
#ifndef LG_PAGER_GHOST_H
#define LG_PAGER_GHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lg_ghost_slot {
	uint64_t key;
	uint32_t after; /* in its chain, + 1 */
	uint32_t alive;
};

struct lg_ghosts {
	uint32_t bound; /* 1 to capacity */
	uint32_t mask;  /* of buckets in use */
	uint32_t next;  /* the slot that is written next: the oldest */
	uint32_t used;  /* slots behind it were never written */
	struct lg_ghost_slot *slots;
	uint32_t *buckets; /* slot + 1 */
};

/* Bytes of zeroed memory for lg_ghosts_init: lg_policy_memory, of which whole pages are dropped. */
size_t lg_ghosts_bytes(uint32_t capacity);
void lg_ghosts_init(struct lg_ghosts *ghosts, void *memory, uint32_t capacity, uint32_t bound);

/* What of it was taken so far. */
uint64_t lg_ghosts_taken(const struct lg_ghosts *ghosts);

/* Forgets them all, as the places of all would change. Their memory goes, and what was never used takes none. */
void lg_ghosts_rebound(struct lg_ghosts *ghosts, uint32_t bound);

/* The youngest from now; the oldest goes if there are `bound`. */
void lg_ghosts_add(struct lg_ghosts *ghosts, uint64_t key);

/* True: the key was there, and is not any more. Taking the youngest makes room for another as young. */
bool lg_ghosts_take(struct lg_ghosts *ghosts, uint64_t key);

/* Tests: stops the program if the invariant does not hold. How many are alive. */
uint32_t lg_ghosts_check(const struct lg_ghosts *ghosts);

#endif
