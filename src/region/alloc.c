/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Allocation, top down. The hit is lg_region_new itself: class, magazine, state, counter. Everything else
 * is one cold call, and the ladder below it:
 *
 *   1 the magazine    private, no atomics                      cache.h
 *   2 the own deque   a batch, one swap instruction            cache.c, sync/deque.c
 *   3 the dirty pool  a chain, one compare-and-swap            pool.c, dirty.c
 *   4 clean areas     a run, its disk blocks reserved          clean.c, area.c
 *   5 other threads   the oldest of a random deque             steal.c
 *   6 refill          a new area, under the class's lock       refill.c, backing_*.c
 *
 * A rung that brings more than one region stocks the cache with the rest. When the last rung fails for
 * want of memory or disk, everything free is given back once and the ladder climbed again.
 */
#include "region/alloc.h"

#include "base/error.h"
#include "base/require.h"
#include "os/limits.h"
#include "region/cache.h"
#include "region/class.h"
#include "region/clean.h"
#include "region/pool.h"
#include "region/refill.h"
#include "region/sanitizer.h"
#include "region/steal.h"
#include "region/thread.h"
#include "region/worker.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)LG_CLEAN_RUN >= (int)LG_CHAIN, "one array holds what any rung brings");

/* Below this, zeroing warm memory costs less than a fresh region's page faults and reservation. */
enum { ZERO_BY_WRITING_BYTES = 1 << 20 };

/* Keeps the last region for the caller and the rest for its thread, or for all. */
static struct lg_region *stock(struct lg_cache *cache, unsigned class, struct lg_region **regions,
			       unsigned count)
{
	struct lg_region *region = regions[--count];

	if (count > 0)
		count = lg_cache_stock(cache, class, regions, count);
	lg_pool_put(class, regions, count);
	return region;
}

/* Where clean regions cost a reservation they come in its runs, else as many as the cache wants. */
static unsigned take_clean(struct lg_cache *cache, unsigned class, struct lg_region **regions,
			   int *error)
{
	unsigned count, want = lg_cache_appetite(cache, class);

	if (want > 1 && lg_backing->run_bytes > 0 && lg_option(reserve))
		want = (unsigned)lg_max(lg_backing->run_bytes >> lg_class_shift(class), 1);
	*error = lg_clean_take(class, want, regions, &count);
	if (count > 0)
		lg_count(cache, class, from_clean, 1);
	return count;
}

/* Straight from the pool, for a class too large for caches. */
static struct lg_region *take_pooled(unsigned class)
{
	struct lg_region *regions[LG_CHAIN];
	unsigned count = lg_pool_take(class, regions);

	if (LG_UNLIKELY(count > 1)) /* a chain from before cache_bytes was lowered */
		lg_pool_put(class, regions + 1, count - 1);
	return count > 0 ? regions[0] : NULL;
}

static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

/*
 * The ladder. NULL: *error is -errno, in words. What a rung failed at before another succeeded is no
 * failure of the call: lg_error() then says what it said before.
 */
static struct lg_region *climb(struct lg_cache *cache, unsigned class, int *error)
{
	struct lg_region *regions[LG_CLEAN_RUN], *region;
	char words[LG_ERROR_BYTES];
	bool trimmed = false;
	unsigned count;

	lg_error_save(words);
	for (;;) {
		if ((region = lg_cache_pop(cache, class)) != NULL)
			break;
		if ((count = lg_pool_take(class, regions)) > 0 ||
		    (count = take_clean(cache, class, regions, error)) > 0 ||
		    (count = lg_steal(cache, class, regions)) > 0) {
			region = stock(cache, class, regions, count);
			break;
		}
		/* EBADF: the file of the area tried is gone; take another. */
		if (*error == 0 || *error == -EBADF)
			*error = lg_refill(class);
		if (*error == 0)
			continue;
		if (trimmed || !is_shortage(*error))
			return NULL;
		(void)lg_trim();
		trimmed = true;
	}
	lg_error_restore(words);
	return region;
}

/* Inside the bracket: the newest region of the magazine that reads zero. */
static struct lg_region *pop_zero(struct lg_magazine *magazine)
{
	uint32_t count = lg_load_relaxed(&magazine->count);

	for (uint32_t i = count; i-- > 0;) {
		struct lg_region *region = magazine->slots[i];

		if (lg_region_state(region) == LG_ZERO) {
			magazine->slots[i] = magazine->slots[count - 1];
			lg_store_relaxed(&magazine->count, count - 1);
			return region;
		}
	}
	return NULL;
}

/*
 * Zero without writing: what the magazine has, else one clean region, and no more: clean regions are
 * what the next such call looks for. NULL: there is neither.
 */
static struct lg_region *find_zero(struct lg_cache *cache, unsigned class)
{
	struct lg_region *regions[LG_CLEAN_RUN], *region = NULL;
	char words[LG_ERROR_BYTES];
	unsigned count = 0;

	if (lg_cache_enter(cache)) {
		region = pop_zero(&cache->magazines[class]);
		lg_cache_leave(cache);
	}
	if (region != NULL || lg_class_bytes(class) < ZERO_BY_WRITING_BYTES)
		return region;
	lg_error_save(words);
	if (lg_clean_take(class, 1, regions, &count) != 0)
		lg_error_restore(words); /* the ladder is still to be climbed */
	if (count > 0)
		lg_count(cache, class, from_clean, 1);
	return count > 0 ? regions[0] : NULL;
}

static int class_for(size_t bytes, unsigned *class)
{
	*class = lg_class_of(bytes);
	if (bytes == 0)
		return lg_fail(EINVAL, "a region of 0 bytes was asked for");
	if (*class >= lg_span.classes)
		return lg_fail(
			ENOMEM,
			"a region of %zu bytes was asked for; the largest has %zu (option span)%s",
			bytes, lg_class_bytes(lg_span.classes - 1),
			lg_os_address_space_hint(-ENOMEM));
	if (*class < lg_span.class_first)
		*class = lg_span.class_first;
	return 0;
}

struct lg_region *lg_region_obtain(size_t bytes, size_t zeroed, int *error)
{
	struct lg_cache *cache = lg_thread_cache(error);
	struct lg_region *region = NULL;
	unsigned class;

	if (cache == NULL)
		return NULL;
	*error = class_for(bytes, &class);
	if (*error != 0)
		return NULL;
	lg_cache_note_use(cache, class);
	if (zeroed > 0)
		region = find_zero(cache, class);
	if (region == NULL && !lg_cache_serves(class)) {
		lg_cache_rebalance(cache);
		region = take_pooled(class);
	}
	if (region == NULL)
		region = climb(cache, class, error);
	lg_worker_poke();
	if (LG_UNLIKELY(region == NULL)) {
		lg_count(cache, class, refused, 1);
		return NULL;
	}
	lg_cache_add(cache, &cache->magazines[class].allocations, 1);
	enum lg_state state = lg_region_state(region);
	LG_REQUIRE(state == LG_FREE || state == LG_ZERO || state == LG_LAZY);
	lg_region_set_state(region, LG_LIVE);
	if (lg_sanitizer_active)
		lg_sanitizer_hand_out(region->view.data, region->view.bytes, state == LG_ZERO);
	if (zeroed > 0 && state != LG_ZERO) {
		memset(region->view.data, 0, lg_min(zeroed, region->view.bytes));
		lg_count(cache, class, zeroed, 1);
	}
	return region;
}

static LG_OUT_OF_LINE lg_region *obtain_or_fail(size_t bytes, size_t zeroed)
{
	int error = 0;
	struct lg_region *region = lg_region_obtain(bytes, zeroed, &error);

	if (LG_UNLIKELY(region == NULL))
		errno = -error;
	return region;
}

lg_region *lg_region_new(size_t bytes)
{
	unsigned class = lg_class_of(bytes);
	struct lg_cache *cache = lg_self;

	if (LG_LIKELY(class < LG_CLASSES) && lg_cache_enter(cache)) {
		struct lg_magazine *magazine = lg_cache_magazine(cache, class);
		struct lg_region *region;

		if (LG_LIKELY(lg_magazine_pop(magazine, &region))) {
			lg_region_set_state(region, LG_LIVE);
			lg_own_add(&magazine->allocations, 1);
			lg_cache_leave(cache);
			return region;
		}
		lg_cache_leave(cache);
	}
	return obtain_or_fail(bytes, LG_ZEROED_NOT);
}

lg_region *lg_region_new_zeroed(size_t bytes)
{
	return obtain_or_fail(bytes, LG_ZEROED_WHOLE);
}
