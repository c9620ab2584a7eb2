/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Refused: pages that the kernel did not let go when they were chosen to leave, for the length of a device's I/O or, locked, for
 * good. A policy that had such a page again at once would choose it again, and others that can leave would not be reached.
 *
 * They are ASIDE: no policy's. One joins its policy, as a page that was just filled, after each batch that left, where there is
 * room for no more of them, and where nothing else is left to evict.
 *
 * Invariant: a page here that is in its map and ASIDE is no policy's; joining ends ASIDE. Others left and came back by another
 * way, and joining does not touch them, or lets one that is a piece's join early.
 *
 * Under the pager's lock.
 */
#ifndef LG_PAGER_REFUSED_H
#define LG_PAGER_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

enum { LG_REFUSED_PAGES = 1024 };

struct lg_refused_page {
	struct lg_map *map; /* NULL: it ended */
	uint64_t page;
};

struct lg_refused_pages {
	struct lg_refused_page ring[LG_REFUSED_PAGES];
	uint32_t first;
	uint32_t count;
};

/* BUSY is the caller's; no policy has the page. */
void lg_refused_add(struct lg_map *map, uint64_t page);

/* False: there is none. */
bool lg_refused_join_oldest(struct lg_pager *pager);

/* The map ends: none is of it any more. */
void lg_refused_forget(const struct lg_map *map);

#endif
