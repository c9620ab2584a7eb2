/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_ALLOC_H
#define LG_REGION_ALLOC_H

#include "region/region.h"

#include <stdbool.h>

enum { LG_ZEROED_NOT = 0 };
#define LG_ZEROED_WHOLE SIZE_MAX

/* A region for `bytes`, LIVE, of which at least the first `zeroed` read zero. NULL: *error is -errno, in words. */
struct lg_region *lg_region_obtain(size_t bytes, size_t zeroed, int *error);

#endif
