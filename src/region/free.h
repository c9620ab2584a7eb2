/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_FREE_H
#define LG_REGION_FREE_H

#include "region/region.h"

/* Frees a region known to be the caller's, which is FREE or ZERO by now. */
void lg_region_release(struct lg_region *region);

#endif
