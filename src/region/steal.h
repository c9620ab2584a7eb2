/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_STEAL_H
#define LG_REGION_STEAL_H

#include "region/cache.h"

/*
 * Takes the oldest regions of another thread's deque, up to half of them and LG_CHAIN, starting at a
 * random thread so that thieves spread. 0: nobody has any.
 */
unsigned lg_steal(struct lg_cache *thief, unsigned class, struct lg_region **regions);

#endif
