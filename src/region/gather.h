/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Gathering: a live region without pages gets those of dirty regions of other classes, by the page table.
 * Pages that wait for a request of their own size serve one of another, so that memory grows with what a
 * program uses and not with the sum over classes of the most that each ever used; and on virtual machines
 * the first touch of memory the host has not backed costs a hundred times the move.
 *
 * Contents are of no interest on either side, which makes every failure harmless but one: a target that lost
 * its mapping. So only new blocks are gathered to, which have nothing to lose.
 *
 * A source gives from its end: `touched` then tells what it has left (tail.h), and it goes on in its dirty
 * pool; without pages it is reclaimed. Huge pages stay whole: everything is in pieces of 2 MiB.
 *
 * Only the malloc shim gathers, which knows what of a region has pages.
 */
#ifndef LG_REGION_GATHER_H
#define LG_REGION_GATHER_H

#include "region/region.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * For a region just obtained, not for zeroed memory, before lg_tail_fit: gathers what there is for `bytes`.
 * False: the region is lost, and no longer the caller's.
 */
bool lg_gather(struct lg_region *region, size_t bytes);

#endif
