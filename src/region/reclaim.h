/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Reclaim: giving the memory of free regions back to the system. Regions being reclaimed are nobody's
 * but the reclaimer's; there is no lock, and a reclaimer that is stopped keeps only what it has in hand.
 *
 * Regions are sorted by address and joined to runs, and runs given back in pieces: the kernel takes locks
 * of the file over each call, and 1 GiB at once stalled that file's faults for 97 ms.
 *
 * Ordering edge R1: who found a pool empty because another took the last of it finds in the next look who is busy that other.
 */
#ifndef LG_REGION_RECLAIM_H
#define LG_REGION_RECLAIM_H

#include "region/region.h"

#include <stdbool.h>

/* Gives back regions in hand: lazily where asked and possible. -errno: the kernel refused some, which
 * are in the dirty pool again. */
int lg_reclaim_regions(unsigned class, struct lg_region *const *regions, unsigned count,
		       bool lazily);

/* Until the dirty pools of all classes hold at most `bytes`, or nothing more can be given back. */
void lg_reclaim_excess(uint64_t bytes);

/* One tick: gives back old regions, about `budget` bytes at most; turns the pools that were emptied. */
void lg_reclaim_tick(uint64_t budget);

/* One tick of the second decay: lazily given back regions lose their pages now. */
void lg_reclaim_tick_lazy(uint64_t budget);

/* Everything in the pools, now. -errno of the first refusal. */
int lg_reclaim_all(void);

/* Until those who have regions in hand, as the worker, have let go of them; a second at most, as one may be stopped. */
void lg_reclaim_wait_for_others(void);

/* The child of a fork: nobody has any. */
void lg_reclaim_forget(void);

#endif
