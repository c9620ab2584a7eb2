/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The tail of a live region: what lies behind the bytes its owner asked for. Only the malloc shim keeps
 * account of it, whose programs are measured by their memory and never touch what they did not ask for.
 *
 * Huge pages would fill it at the first touch before it: a region that was clean gets pages of the usual
 * size where its last huge page would be mostly tail. That splits a mapping: it draws on the budget of
 * mappings, is done once per life of the pages, and undone when they are given back.
 *
 * A region that comes dirty from a larger request has pages there that nobody would ever use: many of them
 * are given back at once.
 *
 * Fields of the descriptor, all the owner's alone: `asked`, `touched`, `tail`. A region whose pages were given
 * back has touched = 0 and tail = UNDECIDED.
 */
#ifndef LG_REGION_TAIL_H
#define LG_REGION_TAIL_H

#include "region/region.h"

enum lg_tail {
	LG_TAIL_UNDECIDED,
	LG_TAIL_DECIDED, /* as the area is */
	LG_TAIL_PLAIN,   /* without huge pages, on the budget of mappings */
};

/* Settles the tail of a region just obtained, or resized in place, for `bytes`. */
void lg_tail_fit(struct lg_region *region, size_t bytes);

/* Its pages are given back now, or moved away. */
void lg_tail_forget(struct lg_region *region);

#endif
