/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Taking clean regions: a run from an area, its disk blocks reserved, its descriptors written. */
#ifndef LG_REGION_CLEAN_H
#define LG_REGION_CLEAN_H

#include "region/region.h"

enum { LG_CLEAN_RUN = 256 }; /* most regions one take brings: 1 MiB of the smallest class */

/*
 * Takes up to `want` regions of one area, at most LG_CLEAN_RUN; *count of them come, all ZERO, the highest
 * address first. 0 with *count 0: no area has any. -errno: they could not be
 * reserved, in words; nothing is taken.
 */
int lg_clean_take(unsigned class, unsigned want, struct lg_region **regions, unsigned *count);

#endif
