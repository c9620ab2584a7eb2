/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A hole: memory of a page that is in the map, which the program has thrown away behind the pager's back
 * (MADV_DONTNEED). The kernel asks for it as for a page that is out, but nothing is; and neither moves nor writes the page.
 */
#ifndef LG_PAGER_HOLE_H
#define LG_PAGER_HOLE_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;

/*
 * `count` pages are in the map, and their BUSY is the caller's. True: they had holes, which are zeros now, and they are DIRTY
 * unless the map is read-only. To be asked before they are read in place: who holds BUSY cannot be served.
 */
bool lg_hole_fill(struct lg_map *map, uint64_t first, uint64_t count);

#endif
