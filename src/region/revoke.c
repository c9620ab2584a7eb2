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
	uint32_t open = LG_GATE_OPEN;

	return lg_cas_ordered(&cache->gate, &open, LG_GATE_CLOSED);
}

static void reopen(struct lg_cache *cache)
{
	uint32_t closed = LG_GATE_CLOSED;

	lg_store_relaxed(&cache->closer, 0);
	if (!lg_cas_ordered(&cache->gate, &closed, LG_GATE_OPEN)) /* C2, C3 */
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

/* Closes a cache that has something to take, and notes what. */
static bool claim(struct lg_cache *cache, enum lg_revoke what, uintptr_t me)
{
	bool idle = what == LG_REVOKE_IDLE;
	bool over = lg_load_relaxed(&cache->borrowed) > lg_option(cache_bytes);
	uint32_t classes = what == LG_REVOKE_CREDIT ? 0 : classes_to_take(cache, idle && !over);

	if (!credit_rests(cache, idle) && classes == 0)
		return false;
	if (cache == lg_self || !close_cache(cache))
		return false;
	cache->closed_for = classes;
	lg_store_relaxed(&cache->closer, me);
	return true;
}

static void return_own_credit(void)
{
	uint64_t credit;

	if (!lg_cache_enter(lg_self))
		return;
	credit = lg_cache_drain_credit(lg_self);
	lg_cache_leave(lg_self);
	lg_pool_uncount(credit);
}

void lg_revoke(enum lg_revoke what)
{
	uintptr_t me = (uintptr_t)&what; /* unlike any other revoker's while this call lasts */
	unsigned closed = 0;

	if (what == LG_REVOKE_CREDIT)
		return_own_credit();
	if (!lg_start_has_barrier())
		return;
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next)
		closed += claim(lg_cache_of(record), what, me);
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
