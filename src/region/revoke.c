/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/revoke.h"

#include "base/option.h"
#include "os/thread.h"
#include "region/class.h"
#include "region/pool.h"
#include "region/start.h"
#include "region/thread.h"

static bool holds(struct lg_cache *cache, unsigned class)
{
	return lg_load_relaxed(&cache->magazines[class].capacity) > 0 ||
	       lg_load_relaxed(&cache->deque_limits[class]) > 0;
}

/* Bit per class that holds something; only those not used since the last look if `idle`. */
static uint32_t classes_to_take(struct lg_cache *cache, bool idle)
{
	uint32_t taken = 0;

	for (uint32_t used = lg_load_acquire(&cache->used); used != 0; used &= used - 1) {
		unsigned class = (unsigned)__builtin_ctz(used);
		struct lg_magazine *magazine = &cache->magazines[class];

		if (idle) {
			uint64_t operations = lg_load_relaxed(&magazine->allocations) +
					      lg_load_relaxed(&magazine->frees);
			bool rests = operations == cache->operations_seen[class];

			cache->operations_seen[class] = operations;
			if (!rests)
				continue;
		}
		if (holds(cache, class))
			taken |= 1u << class;
	}
	return taken;
}

/* The worker's: credit that has not moved since its last look. Else: any. */
static bool credit_rests(struct lg_cache *cache, bool idle)
{
	uint64_t credit = lg_load_relaxed(&cache->credit), before = credit;

	if (idle) {
		before = cache->credit_seen;
		cache->credit_seen = credit;
	}
	return credit > 0 && credit == before;
}

static bool close_cache(struct lg_cache *cache)
{
	uint32_t open = 1;

	return lg_cas_ordered(&cache->open, &open, 0);
}

static void reopen(struct lg_cache *cache)
{
	lg_store_relaxed(&cache->closer, 0);
	lg_store_ordered(&cache->open, 1); /* C2, C3 */
	if (lg_load_ordered(&cache->left) != 0 && close_cache(cache))
		lg_thread_finish(cache);
}

static void take(struct lg_cache *cache)
{
	for (uint32_t classes = cache->closed_for; classes != 0; classes &= classes - 1) {
		unsigned class = (unsigned)__builtin_ctz(classes);

		lg_class_event(&lg_classes[class], revoked, lg_cache_drain_class(cache, class));
	}
	lg_pool_uncount(lg_cache_drain_credit(cache));
}

void lg_revoke(bool all)
{
	uintptr_t me = (uintptr_t)&all; /* unlike any other revoker's while this call lasts */
	unsigned closed = 0;

	if (!lg_start_has_barrier())
		return;
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next) {
		struct lg_cache *cache = lg_cache_of(record);
		bool over = lg_load_relaxed(&cache->borrowed) > lg_option(cache_bytes);
		uint32_t classes = classes_to_take(cache, !all && !over);

		if (!credit_rests(cache, !all) && classes == 0)
			continue;
		if (cache == lg_self || !close_cache(cache))
			continue;
		cache->closed_for = classes;
		lg_store_relaxed(&cache->closer, me);
		closed++;
	}
	if (closed == 0)
		return;
	bool passed = lg_os_barrier();
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next) {
		struct lg_cache *cache = lg_cache_of(record);

		if (lg_load_relaxed(&cache->closer) != me)
			continue;
		if (passed && lg_load_acquire(&cache->busy) == 0) /* C1 */
			take(cache);
		reopen(cache);
	}
}

bool lg_revoke_is_due(void)
{
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next)
		if (classes_to_take(lg_cache_of(record), false) != 0 ||
		    credit_rests(lg_cache_of(record), false))
			return true;
	return false;
}
