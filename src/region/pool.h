/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The pools all threads share, per class: dirty, then lazy; and the bound on dirty bytes over all classes.
 *
 * Invariant: the bytes in dirty pools + all threads' credit = the one counter <= the bound when a put
 * returns. A put first adds its bytes to the counter; whoever goes beyond the bound gives back older
 * regions, or its own, before pushing. So the bound holds while threads race, but for regions the kernel
 * refuses to take.
 *
 * Credit: bytes of classes too large for caches that a thread took and left counted, up to a quarter of
 * the bound. Its next put then needs no locked instruction for the count: a pair has two instead of
 * four. Whoever meets the bound collects all credit first, the worker that of idle threads.
 */
#ifndef LG_REGION_POOL_H
#define LG_REGION_POOL_H

#include "region/region.h"

/* Once, at the start: the default bound follows the machine. */
void lg_pool_start(void);

/* Makes free regions of one class anybody's. */
void lg_pool_put(unsigned class, struct lg_region *const *regions, unsigned count);

/* The same for regions the kernel refused: past the bound, since there is nowhere else to put them. */
void lg_pool_put_back(unsigned class, struct lg_region *const *regions, unsigned count);

/* One chain of dirty, else of lazy; 0: both empty. Room for LG_CHAIN. */
unsigned lg_pool_take(unsigned class, struct lg_region **regions);

/* For reclaim: one chain of old, or of young too if `all`; 0: none. */
unsigned lg_pool_take_dirty(unsigned class, struct lg_region **regions, bool all);

/* Regions the kernel was told it may take. */
void lg_pool_put_lazy(unsigned class, struct lg_region *const *regions, unsigned count);
unsigned lg_pool_take_lazy(unsigned class, struct lg_region **regions, bool all);

/* Returns credit. */
void lg_pool_uncount(uint64_t bytes);

/* In dirty pools or credited. */
uint64_t lg_pool_dirty_bytes(void);
uint64_t lg_pool_dirty_bytes_max(void);

/* The child of a fork: all pools are empty. */
void lg_pool_forget(void);

#endif
