/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Budget: a magazine may hold a quarter of the thread's bytes, or one region where that is more and still
 * within them; deques the rest. Capacity is borrowed when a class first misses and grows by doubling, so
 * a class used once does not take the budget from the others. A class that is refused again and again
 * makes the thread give everything back and start anew: what it uses now borrows first.
 */
#include "region/cache.h"

#include "base/option.h"
#include "base/require.h"
#include "region/dirty.h"
#include "region/pool.h"

#include <string.h>

enum { CAPACITY_FIRST = 4, DEQUE_STEP = 16 };

_Thread_local struct lg_cache *lg_self __attribute__((tls_model("initial-exec"))) = &lg_unattached;
struct lg_cache lg_unattached, lg_homeless;

static uint32_t capacity_max(unsigned class)
{
	uint64_t bytes = lg_option(cache_bytes), size = lg_class_bytes(class);
	uint64_t most = bytes / 4 / size;

	if (most == 0)
		return size <= bytes ? 1 : 0;
	return (uint32_t)lg_min(most, LG_MAGAZINE_SLOTS);
}

static uint32_t deque_limit_max(unsigned class)
{
	uint64_t bytes = lg_option(cache_bytes);

	return (uint32_t)lg_min((bytes - bytes / 4) / lg_class_bytes(class), LG_DEQUE_SLOTS);
}

/* Borrows up to `regions` more of the class; how many the budget has left. */
static uint32_t borrow(struct lg_cache *cache, unsigned class, uint32_t regions)
{
	uint64_t borrowed = lg_load_relaxed(&cache->borrowed), budget = lg_option(cache_bytes);
	uint64_t left = borrowed < budget ? (budget - borrowed) >> lg_class_shift(class) : 0;
	uint32_t granted = (uint32_t)lg_min(left, regions);

	lg_store_relaxed(&cache->borrowed, borrowed + ((uint64_t)granted << lg_class_shift(class)));
	return granted;
}

static void give_back_budget(struct lg_cache *cache, unsigned class, uint32_t regions)
{
	lg_store_relaxed(&cache->borrowed, lg_load_relaxed(&cache->borrowed) -
						   ((uint64_t)regions << lg_class_shift(class)));
}

/* Alone with the cache: takes all of a class out and forgets its capacity; how many. */
enum { CLASS_MOST = LG_MAGAZINE_SLOTS + LG_DEQUE_SLOTS };

static unsigned unload(struct lg_cache *cache, unsigned class, struct lg_region **regions)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	uint32_t count = lg_load_relaxed(&magazine->count);

	memcpy(regions, magazine->slots, count * sizeof(*regions));
	give_back_budget(cache, class,
			 lg_load_relaxed(&magazine->capacity) +
				 lg_load_relaxed(&cache->deque_limits[class]));
	lg_store_relaxed(&magazine->capacity, 0);
	lg_store_relaxed(&magazine->count, 0);
	lg_store_relaxed(&cache->deque_limits[class], 0);
	return count +
	       lg_deque_take(&cache->deques[class], (void **)regions + count, LG_DEQUE_SLOTS);
}

unsigned lg_cache_drain_class(struct lg_cache *cache, unsigned class)
{
	struct lg_region *regions[CLASS_MOST];
	unsigned count = unload(cache, class, regions);

	lg_pool_put(class, regions, count);
	return count;
}

uint64_t lg_cache_drain_credit(struct lg_cache *cache)
{
	uint64_t credit = lg_load_relaxed(&cache->credit);

	lg_store_relaxed(&cache->credit, 0);
	return credit;
}

void lg_cache_flush(struct lg_cache *cache)
{
	struct lg_region *regions[CLASS_MOST];
	uint64_t credit;

	for (uint32_t used = lg_load_relaxed(&cache->used); used != 0; used &= used - 1) {
		unsigned class = (unsigned)__builtin_ctz(used);

		if (!lg_cache_enter(cache))
			return;
		unsigned count = unload(cache, class, regions);
		lg_cache_leave(cache);
		lg_pool_put(class, regions, count);
	}
	if (!lg_cache_enter(cache))
		return;
	credit = lg_cache_drain_credit(cache);
	lg_cache_leave(cache);
	lg_pool_uncount(credit);
	cache->denied = 0;
}

/* Inside the bracket: gives the magazine more room if it may have it. */
static void grow_magazine(struct lg_cache *cache, unsigned class)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	uint32_t most = capacity_max(class), have = lg_load_relaxed(&magazine->capacity);

	if (have >= most)
		return;
	uint32_t want = have == 0 ? CAPACITY_FIRST : have;
	uint32_t granted = borrow(cache, class, (uint32_t)lg_min(want, most - have));
	if (granted > 0) {
		cache->denied = 0;
		lg_store_relaxed(&magazine->capacity, have + granted);
	} else if (have == 0) {
		cache->denied++;
	}
}

/* Inside the bracket: to the deque what it takes or may be made to take; how many. */
static unsigned push_deque(struct lg_cache *cache, unsigned class, struct lg_region **regions,
			   unsigned count)
{
	struct lg_deque *deque = &cache->deques[class];
	uint32_t limit = lg_load_relaxed(&cache->deque_limits[class]),
		 most = deque_limit_max(class), want = lg_deque_count(deque) + count;

	if (limit < most && want > limit) {
		want = (uint32_t)lg_max(want - limit, DEQUE_STEP);
		limit += borrow(cache, class, (uint32_t)lg_min(want, most - limit));
		lg_store_relaxed(&cache->deque_limits[class], limit);
	}
	return lg_deque_push(deque, (void *const *)regions, count, limit);
}

struct lg_region *lg_cache_pop(struct lg_cache *cache, unsigned class)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	struct lg_region *regions[LG_MAGAZINE_SLOTS], *region = NULL;

	if (!lg_cache_enter(cache))
		return NULL;
	if (!lg_magazine_pop(magazine, &region)) {
		unsigned want = lg_load_relaxed(&magazine->capacity) / 2 + 1;
		unsigned got = lg_deque_take(&cache->deques[class], (void **)regions, want);

		if (got > 0) {
			region = regions[--got];
			memcpy(magazine->slots, regions, got * sizeof(*regions));
			lg_store_relaxed(&magazine->count, got);
			lg_count(cache, class, from_deque, 1);
		}
	}
	lg_cache_leave(cache);
	return region;
}

unsigned lg_cache_stock(struct lg_cache *cache, unsigned class, struct lg_region **regions,
			unsigned count)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	unsigned left = count;

	if (!lg_cache_enter(cache))
		return count;
	if (lg_load_relaxed(&magazine->capacity) < lg_load_relaxed(&magazine->count) + count)
		grow_magazine(cache, class);
	uint32_t have = lg_load_relaxed(&magazine->count);
	uint32_t room = lg_load_relaxed(&magazine->capacity) - have;
	uint32_t kept = (uint32_t)lg_min(room, left);
	left -= kept;
	memcpy(magazine->slots + have, regions + left, kept * sizeof(*regions));
	lg_store_relaxed(&magazine->count, have + kept);
	if (left > 0) {
		unsigned pushed = push_deque(cache, class, regions, left);

		left -= pushed;
		memmove(regions, regions + pushed, left * sizeof(*regions));
	}
	lg_cache_leave(cache);
	lg_cache_rebalance(cache);
	return left;
}

/*
 * The magazine is full and the deque took none or not all of its older half. From the deque's newest and
 * the half's rest a long chain is made: the pool's cost is by the chain.
 */
static unsigned spill(struct lg_cache *cache, unsigned class, struct lg_region **half,
		      unsigned count, struct lg_region **spilled)
{
	unsigned more = count < LG_CHAIN ? LG_CHAIN - count : 0;
	unsigned got = lg_deque_take(&cache->deques[class], (void **)spilled, more);

	memcpy(spilled + got, half, count * sizeof(*half));
	return got + count;
}

unsigned lg_cache_push(struct lg_cache *cache, unsigned class, struct lg_region *region,
		       struct lg_region **spilled)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	unsigned count = 0;

	if (!lg_cache_enter(cache)) {
		spilled[0] = region;
		return 1;
	}
	if (!lg_magazine_push(magazine, region)) {
		grow_magazine(cache, class);
		if (!lg_magazine_push(magazine, region)) {
			uint32_t have = lg_load_relaxed(&magazine->count), half = (have + 1) / 2;
			unsigned pushed = push_deque(cache, class, magazine->slots, half);

			if (pushed < half)
				count = spill(cache, class, magazine->slots + pushed, half - pushed,
					      spilled);
			memmove(magazine->slots, magazine->slots + half,
				(have - half) * sizeof(*magazine->slots));
			lg_store_relaxed(&magazine->count, have - half);
			if (!lg_magazine_push(magazine, region))
				spilled[count++] = region; /* the class has no room in this cache */
		}
	}
	lg_cache_leave(cache);
	lg_cache_rebalance(cache);
	return count;
}

unsigned lg_cache_appetite(struct lg_cache *cache, unsigned class)
{
	if (lg_load_relaxed(&cache->gate) != LG_GATE_OPEN)
		return 1;
	uint32_t most =
		capacity_max(class); /* once: cache_bytes may change, and 0 is no appetite */
	return most == 0 ? 1 : (most + 1) / 2;
}

void lg_cache_check(struct lg_cache *cache)
{
	uint64_t borrowed = 0;

	for (unsigned index = 0; index < LG_CLASSES; index++) {
		struct lg_magazine *magazine = &cache->magazines[index];
		uint32_t count = lg_load_relaxed(&magazine->count);

		LG_REQUIRE(count <= lg_load_relaxed(&magazine->capacity));
		LG_REQUIRE(lg_load_relaxed(&magazine->capacity) <= LG_MAGAZINE_SLOTS);
		LG_REQUIRE(lg_deque_count(&cache->deques[index]) <=
			   lg_load_relaxed(&cache->deque_limits[index]));
		for (uint32_t i = 0; i < count; i++)
			LG_REQUIRE(magazine->slots[i]->class == index);
		borrowed += (uint64_t)(lg_load_relaxed(&magazine->capacity) +
				       lg_load_relaxed(&cache->deque_limits[index]))
			    << lg_class_shift(index);
		lg_deque_check(&cache->deques[index]);
	}
	LG_REQUIRE(borrowed == lg_load_relaxed(&cache->borrowed));
}
