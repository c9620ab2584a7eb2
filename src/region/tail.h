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
 * `touched` also tells what pages a dirty region has: it may be more than there are, and after a resize less, so
 * it says what is worth moving (gather.h), and never what reads zero.
 *
 * Fields of the descriptor, all the owner's alone: `asked`, `touched`, `tail`. A region whose pages were given
 * back has touched = 0 and tail = UNDECIDED.
 */
#ifndef LG_REGION_TAIL_H
#define LG_REGION_TAIL_H

#include "region/region.h"

#include <stddef.h>

enum lg_tail {
	LG_TAIL_UNDECIDED,
	LG_TAIL_DECIDED, /* as the area is */
	LG_TAIL_PLAIN,   /* without huge pages, on the budget of mappings */
};

/* Settles the tail of a region just obtained, or resized in place, for `bytes`. */
void lg_tail_fit(struct lg_region *region, size_t bytes);

/* Its pages are given back now, or moved away. */
void lg_tail_forget(struct lg_region *region);

/* Where the pages of a region end at most, and where its huge pages are to end for a request of `bytes`. */
size_t lg_tail_end(const struct lg_region *region);
size_t lg_tail_huge_end(const struct lg_region *region, size_t bytes);

/* Pages were moved to it up to `end`; away from it down to `end`. */
void lg_tail_have(struct lg_region *region, size_t end);
void lg_tail_cut(struct lg_region *region, size_t end);

/* One mapping again; whether its tail is to be plain is decided anew. */
void lg_tail_join(struct lg_region *region);

#endif
