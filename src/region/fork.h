/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fork. Only the forking thread lives on in the child, and the others may have been anywhere: pages of one
 * address space are copied one after the other, so what lies on two pages (a pool and a magazine) need
 * not agree. Nothing that could name a region twice is trusted in the child:
 *
 *   file  areas are not inherited (MADV_DONTFORK). The child reserves their addresses again before
 *         anything else can be mapped there, never uses them, and starts with empty tables.
 *   anon  each descriptor's state byte decides: what is live stays, everything else becomes clean, its
 *         pages dropped, which also spares parent and child copying them.
 *
 * Prepare holds the start's and every class's refill lock, so that no area is mapped and not yet
 * MADV_DONTFORK. liburcu's own hooks are not used: two libraries that call them can deadlock.
 */
#ifndef LG_REGION_FORK_H
#define LG_REGION_FORK_H

#include "region/region.h"

#include <stdbool.h>

void lg_fork_prepare(void);
void lg_fork_parent(void);
void lg_fork_child(void);

/* In a child: the descriptor is of a region that only the parent has. */
bool lg_fork_is_parents(const struct lg_region *region);

#endif
