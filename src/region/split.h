/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A split region: pages were moved to it, so it is mappings of its own until its area goes, on the budget
 * of mappings.
 *
 * Where mappings meet inside it: if it grew by lg_region_resize, at 512 KiB, twice that, four times …; if
 * pages were gathered to it (gather.h), or it got the pages of such a one, also at any multiple of 2 MiB.
 * One call to move pages must stay within one mapping (before Linux 6.17).
 *
 * Fields of the descriptor, all the owner's alone: `split`, and `gathered`, which says something only if split.
 */
#ifndef LG_REGION_SPLIT_H
#define LG_REGION_SPLIT_H

#include "region/region.h"

#include <stdbool.h>
#include <stddef.h>

bool lg_split_is(const struct lg_region *region);
bool lg_split_is_gathered(const struct lg_region *region);

/* Before pages are moved to it. False: the budget of mappings is used up. */
bool lg_split_take(struct lg_region *region);

/* The same for pages from several regions. */
bool lg_split_take_gathered(struct lg_region *region);

/*
 * Maps again what a failed move of a piece left a hole, and there only. False: the kernel would not, and
 * the region has a hole.
 */
bool lg_split_mend(struct lg_region *region, size_t from, size_t bytes);

/* A live region that has a hole, at `from`, is nobody's from now on; a trim tries to map it again. */
void lg_split_lose(struct lg_region *region, size_t from, size_t bytes);

#endif
