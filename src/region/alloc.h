/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_ALLOC_H
#define LG_REGION_ALLOC_H

#include "region/region.h"

#include <stdbool.h>

/* A region for `bytes`, LIVE; NULL: *error is -errno, in words. The same for one that reads zero. */
struct lg_region *lg_region_obtain(size_t bytes, bool zeroed, int *error);

#endif
