/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Renewing: the store of a map turned out to have another version of what it had, and the map goes on with that.
 *
 * At no time does a map hold pages of two versions. When a read says -ESTALE the map is `stale`: no page is
 * brought in from then on. Everything it has is dropped, then the store asks for the new version, then pages come again.
 * `changes` goes up in between, so that what was read while it stayed the same is of one version.
 *
 * Pinned pages cannot leave: while there are any the map stays with its version, and reads are -ESTALE.
 *
 * Ordering edges
 *   N1 stale, then the drop looks at a word; claim of a word, then a look at stale: one of the two sees the other, so that
 *      a page is either claimed before the drop, which waits for it, or not brought in.
 *   N2 renew: changes before stale ends; pairs with the look at stale: who brings in a new page finds the new count.
 */
#ifndef LG_PAGER_RENEW_H
#define LG_PAGER_RENEW_H

#include "pager/map.h"

/* A read said so. True: it is no error yet, for the map can be renewed. */
bool lg_renew_note(struct lg_map *map, int error);

/* BUSY of pages that are OUT, up to `end`, is the caller's. True: they are to be given up, and the map renewed. */
bool lg_renew_is_due(struct lg_map *map, uint64_t first, uint64_t end);

/*
 * After a read of the page that ended so: renews the map if that is what it asks for, or leaves it until who renews one is
 * done. Neither BUSY of a page nor a signal handler. 0: look at the page again. -errno: it cannot be read; where renewing
 * failed it is POISONED, and the store has noted why in words.
 */
int lg_renew_after(struct lg_map *map, uint64_t page, int error);

/* Sleeps while the map is stale and another renews a map of this pager; false: there is nothing to wait for. Also in a signal handler; no BUSY. */
bool lg_renew_wait(struct lg_map *map);

#endif
