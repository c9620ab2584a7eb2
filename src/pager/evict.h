/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Eviction: pages leave their maps in batches, for a call of the kernel's costs the same for one page and for
 * many. The policy names the victims; they are taken in the order of their addresses, so that neighbours move
 * by one call, lie side by side in their frames and are written by one write.
 *
 * Clean pages that have no neighbours in their batch would each need a call, and each call interrupts the other
 * processors: where few pages come back from limbo they are dropped instead, all by one call.
 *
 * Where the kernel cannot move pages, or the map is read-only, there is no limbo: dirty pages are
 * write-protected, written from where they are, and dropped. So they are where limbo is full.
 */
#ifndef LG_PAGER_EVICT_H
#define LG_PAGER_EVICT_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

/* Takes out one batch: bytes; 0: there was no page that may leave. `direct`: a fault waits for it. */
uint64_t lg_evict(struct lg_pager *pager, bool direct);

/*
 * Takes out `count` pages from `first`, whose BUSY is the caller's and is released: how many. They need
 * not be victims of the policy's, which forgets them. COLD, and sync where writes cannot be seen. *error: of what could not be
 * written in place, or 0.
 */
uint64_t lg_evict_claimed(struct lg_map *map, uint64_t first, uint64_t count, int *error);

#endif
