/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tracts: 512 neighbouring pages of a map each, and a bit that says whether any of them was ever used.
 *
 * A map may be far larger than what is touched of it, and the words of a tract are 4 KiB of its table: who looks for
 * pages in all of a map looks into the tracts that are used, and reads no part of the table that has no memory.
 * A count of them would not say where; a list of residents would not have what the store was given, or is POISONED.
 *
 * Invariant: a page whose word was ever more than BUSY or WAITED and OUT is of a tract that is used, and that stays so
 * until the map ends. There are two ways from there: a page gets a resident (lg_resident_add), or it cannot be
 * read (lg_poison_claimed); whatever else a word says (STORED, UNWRITTEN, pins) it says of such pages. Who is BUSY with
 * a page that is OUT has nothing yet that a sync could write or a drop take away; only where the map may be
 * renewed its tract is used by then (U2).
 *
 * What the store has of pages that were never touched is not known here: LG_DEAD goes to all of them.
 *
 * Ordering edges
 *   U1 use to next: the bit, then the page comes into the map and its word is released; the touch, then a fence and the look
 *      at the bit. Who looks for a page either touched it, or has synchronised with who did. That thread brought it in
 *      itself, or found the bit set: bits are never cleared, so that whoever comes after that look sees it too. Or
 *      it read the released word (W1), was woken, or found the page by its entry in the page table, which the kernel
 *      makes visible after all that was stored before the call, as it has to for the bytes of the page; then the
 *      fence keeps the look behind the touch. Whoever has done none of that may miss the page, as if he had come before.
 *   U2 use to renew: where stores renew, the bit before the fence of N1, at every claim that is to bring pages in. The
 *      drop's looks are behind its own fence: it sees the bit, and waits for BUSY, or the claim sees that the map is stale.
 */
#ifndef LG_PAGER_TRACT_H
#define LG_PAGER_TRACT_H

#include "pager/map.h"

enum { LG_TRACT_SHIFT = 9 }; /* of pages */

/* Of the bits of all tracts. */
static inline uint64_t lg_tracts_bytes(uint64_t pages)
{
	return ((pages >> LG_TRACT_SHIFT) / 64 + 1) * sizeof(uint64_t);
}

/* One more is used: what tables it has. */
void lg_tract_count(struct lg_map *map);

/* The page is about to be in memory, or POISONED. Any thread. */
static inline void lg_tract_use(struct lg_map *map, uint64_t page)
{
	uint64_t tract = page >> LG_TRACT_SHIFT, bit = (uint64_t)1 << tract % 64;

	if ((lg_load_relaxed(&map->tracts[tract / 64]) & bit) == 0 &&
	    (lg_or_relaxed(&map->tracts[tract / 64], bit) & bit) == 0) /* U1, U2 */
		lg_tract_count(map);
}

/* The same of pages up to `end`. */
void lg_tracts_use(struct lg_map *map, uint64_t first, uint64_t end);

/*
 * From *page on the next pages before `end` that are of used tracts: *page up to *to, as many as follow each other. False:
 * there are none.
 */
bool lg_tracts_next(const struct lg_map *map, uint64_t *page, uint64_t end, uint64_t *to);

#endif
