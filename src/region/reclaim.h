/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Reclaim: giving the memory of free regions back to the system. Regions being reclaimed are nobody's
 * but the reclaimer's; there is no lock, and a reclaimer that is stopped keeps only what it has in hand.
 *
 * Regions are sorted by address and joined to runs, and runs given back in pieces: the kernel takes locks
 * of the file over each call, and 1 GiB at once stalled that file's faults for 97 ms.
 *
 * Who waits for reclaimers waits for those who had begun, and not for those who begin meanwhile, as the worker does many times a
 * tick. So each counts itself among its generation, of which there are two counts, for even and for odd ones:
 *
 *   begin   who began in g has counted itself among g and then found that the generation was still g; else it takes itself out again
 *           and tries the next.
 *   turn    from g to g + 1 turns any waiter who found the generation g, and then nobody counted among g - 1.
 *   so      while the generation is g whoever has regions in hand began in g or g - 1: one count never means two generations.
 *   wait    until the generation has turned twice: by then have let go those who began in the one that was found, or before.
 *
 * (To turn, and wait for the count left behind, is not enough: who waits beside another waiter, or after one that gave up, finds those
 * that began before him in the other count.) Waiters hold nothing: each turns for all, and one that gives up, or is not
 * there in the child of a fork, leaves a generation to go on from. There the counts are made zero.
 *
 * Ordering edges (that the generations do what they are to is tests/model/reclaim.pml):
 *   R1 who found a pool empty because another took the last of it finds no generation older than that one began in: a fence lies between
 *      the other's count and its take, and one between the look at the pool and that at the generation.
 *   R2 who finds the generation g and nobody counted among g - 1 has missed nobody: a fence lies between count and second look, one
 *      between the generation and the count; who counted itself too late for it finds g.
 *   R3 what was in hand is where it belongs when the wait ends: letting go's release, and that of who turns, pair with the
 *      waiter's acquires of count and generation.
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
