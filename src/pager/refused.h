/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Refused: pages that did not leave when they were chosen to. The kernel did not let them go, for the length of a device's I/O or,
 * locked, for good; or they have no limbo, or what a store refuses fills it, and theirs did not take them; or somebody works on them,
 * and on very many others. A policy that had such a page again at once would choose it again, and others that can leave would not be
 * reached.
 *
 * They are ASIDE: no policy's. One joins its policy, as a page that was just filled, after each batch that left, and a batch where
 * nothing else is left to evict.
 *
 * Invariant: a page is in this list if and only if its resident says is_refused; it is mapped and ASIDE then. Whatever else ends
 * ASIDE takes it out.
 *
 * tests/model/aside.pml checks it, with all who set pages ASIDE and have them back.
 *
 * Under the pager's lock.
 */
#ifndef LG_PAGER_REFUSED_H
#define LG_PAGER_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

/* No policy has the page. BUSY is the caller's; or another's, and it is mapped: who has it takes it out of this list before it leaves. */
void lg_refused_add(struct lg_map *map, uint32_t handle);

/* It is ASIDE no longer; nothing, if it is not refused. */
void lg_refused_take(struct lg_pager *pager, uint32_t handle);

/* False: there is none, but such that are pinned by now; they join with the end of their last pin. */
bool lg_refused_join_oldest(struct lg_pager *pager);

#endif
