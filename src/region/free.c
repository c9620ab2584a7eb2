/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Free, bottom up: magazine; if it is full its older half to the own deque; if that is full, chains of
 * both to the dirty pool; beyond the pool's bound, back to the system (pool.c).
 */
#include "region/advise.h"
#include "region/cache.h"
#include "region/class.h"
#include "region/fork.h"
#include "region/misuse.h"
#include "region/pool.h"
#include "region/sanitizer.h"
#include "region/thread.h"
#include "region/worker.h"

#include <errno.h>

static void release(struct lg_cache *cache, struct lg_region *region)
{
	struct lg_region *spilled[LG_SPILL];
	unsigned class = region->class, count;

	if (!lg_cache_serves(class)) {
		lg_cache_rebalance(cache);
		lg_pool_put(class, &region, 1);
		return;
	}
	count = lg_cache_push(cache, class, region, spilled);
	if (count > 0)
		lg_pool_put(class, spilled, count);
	else
		lg_worker_poke();
}

static LG_OUT_OF_LINE void free_cold(struct lg_region *region)
{
	int before = errno, error = 0;

	if (region == NULL)
		return;
	if (!lg_region_is_ours(region))
		lg_misuse("lg_region_free", region, "not a region");
	enum lg_state state = lg_region_state(region);
	if (state == LG_NONE && lg_fork_is_parents(region))
		return; /* a child's copy of the parent's handle: there is nothing here to free */
	if (state != LG_LIVE && state != LG_TAGGED)
		lg_misuse("lg_region_free", region,
			  state == LG_NONE ? "not a region" :
					     "the region is free already (double free)");
	if (state == LG_TAGGED)
		lg_advise_undo(region);
	struct lg_cache *cache = lg_thread_cache(&error);
	lg_cache_note_use(cache, region->class);
	lg_cache_add(cache, &cache->magazines[region->class].frees, 1);
	if (lg_sanitizer_active)
		lg_sanitizer_take_back(region->view.data, region->view.bytes);
	lg_region_set_state(region, LG_FREE);
	release(cache, region);
	errno = before;
}

void lg_region_free(lg_region *region)
{
	struct lg_cache *cache = lg_self;

	if (LG_LIKELY(lg_region_is_ours(region) && lg_region_state(region) == LG_LIVE) &&
	    lg_cache_enter(cache)) {
		struct lg_magazine *magazine = lg_cache_magazine(cache, region->class);

		if (LG_LIKELY(lg_magazine_push(magazine, region))) {
			lg_region_set_state(region, LG_FREE);
			lg_own_add(&magazine->frees, 1);
			lg_cache_leave(cache);
			return;
		}
		lg_cache_leave(cache);
	}
	free_cold(region);
}
