/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_ADVISE_H
#define LG_REGION_ADVISE_H

#include "region/region.h"

/* The region was TAGGED: its mapping is as any other's again, and it is LIVE. */
void lg_advise_undo(struct lg_region *region);

#endif
