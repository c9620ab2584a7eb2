/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The atlas: the maps of all pagers by their addresses, for whoever has nothing but an address.
 *
 * A sorted array that is read without a lock, inside a signal handler: readers look at the version before
 * and after (odd: it changes). It grows by a new array; old ones stay, for readers may be there.
 *
 * Ordering edges
 *   R1 end to find: what a map is made of is seen by who finds it.
 *   R2 each field's store to its load: the odd version is seen by who sees a change (a reader's second look).
 *   R3 count to array: who sees a count sees an array that has so many.
 */
#ifndef LG_PAGER_ATLAS_H
#define LG_PAGER_ATLAS_H

#include <stdbool.h>

struct lg_map;
struct lg_pager;

int lg_atlas_add(struct lg_map *map);
void lg_atlas_remove(struct lg_map *map);

/* The map this address lies in; NULL: in none. */
struct lg_map *lg_atlas_find(const void *address);

/* The same, of this pager's maps only. Does not look at the map, which may be gone by the time this returns. */
struct lg_map *lg_atlas_find_of(const struct lg_pager *pager, const void *address);

/* In a child of fork: there are none, also where the fork came in the middle of a change. */
void lg_atlas_forget(void);

/* This is such a child: an address that lies in no map may be one of a map of the parent's. */
bool lg_atlas_has_forgotten(void);

#endif
