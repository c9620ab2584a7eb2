/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/pool.h"

#include "base/option.h"
#include "os/limits.h"
#include "region/cache.h"
#include "region/class.h"
#include "region/reclaim.h"
#include "region/revoke.h"
#include "region/thread.h"
#include "region/worker.h"

#include <errno.h>

static struct {
	LG_LINE_ALIGNED _Atomic(uint64_t) dirty_bytes;
	uint64_t dirty_bytes_default;
} pool;

void lg_pool_start(void)
{
	pool.dirty_bytes_default = lg_os_memory_bytes() / 4;
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		lg_dirty_init(&lg_classes[index].dirty);
		lg_dirty_init(&lg_classes[index].lazy);
	}
}

uint64_t lg_pool_dirty_bytes(void)
{
	return lg_load_relaxed(&pool.dirty_bytes);
}

uint64_t lg_pool_dirty_bytes_max(void)
{
	uint64_t bytes = lg_option(dirty_bytes);

	return bytes == LG_AUTO ? pool.dirty_bytes_default : bytes;
}

static void push(unsigned class, struct lg_region *const *regions, unsigned count)
{
	struct lg_cache *mine = lg_thread_tallies(class);

	lg_dirty_put(&lg_classes[class].dirty, regions, count);
	lg_count(mine, class, dirty_in, count);
}

/* The counter stands beyond the bound. True: it no longer does; false: the caller's must go itself. */
static LG_OUT_OF_LINE bool make_room(void)
{
	uint64_t most = lg_pool_dirty_bytes_max();
	int before = errno;

	lg_revoke(LG_REVOKE_CREDIT);
	lg_reclaim_excess(most);
	errno = before;
	return lg_pool_dirty_bytes() <= most;
}

void lg_pool_uncount(uint64_t bytes)
{
	if (bytes > 0)
		lg_sub_release(&pool.dirty_bytes, bytes);
}

/* The thread's own bytes, counted since it took them. */
static inline bool use_credit(unsigned class, uint64_t bytes)
{
	struct lg_cache *cache = lg_self;

	if (lg_cache_serves(class) || lg_pool_dirty_bytes() > lg_pool_dirty_bytes_max())
		return false;
	if (!lg_cache_enter(cache))
		return false;
	uint64_t credit = lg_load_relaxed(&cache->credit);
	if (credit >= bytes)
		lg_store_relaxed(&cache->credit, credit - bytes);
	lg_cache_leave(cache);
	return credit >= bytes;
}

static inline bool keep_credit(unsigned class, uint64_t bytes)
{
	struct lg_cache *cache = lg_self;

	if (lg_cache_serves(class) || !lg_cache_enter(cache))
		return false;
	uint64_t credit = lg_load_relaxed(&cache->credit) + bytes;
	bool kept = credit <= lg_pool_dirty_bytes_max() / 4;
	if (kept)
		lg_store_relaxed(&cache->credit, credit);
	lg_cache_leave(cache);
	return kept;
}

static inline void put_chain(unsigned class, struct lg_region *const *regions, unsigned count)
{
	uint64_t bytes = (uint64_t)count << lg_class_shift(class);

	if (use_credit(class, bytes)) {
		push(class, regions, count);
		return;
	}
	uint64_t before = lg_add_relaxed(&pool.dirty_bytes, bytes);
	if (LG_LIKELY(before + bytes <= lg_pool_dirty_bytes_max()) || make_room()) {
		push(class, regions, count);
		return;
	}
	lg_sub_relaxed(&pool.dirty_bytes, bytes);
	int error = errno;
	(void)lg_reclaim_regions(class, regions, count, true);
	errno = error;
}

void lg_pool_put(unsigned class, struct lg_region *const *regions, unsigned count)
{
	for (; count > LG_CHAIN; regions += LG_CHAIN, count -= LG_CHAIN)
		put_chain(class, regions, LG_CHAIN);
	if (count > 0)
		put_chain(class, regions, count);
	lg_worker_poke();
}

void lg_pool_put_back(unsigned class, struct lg_region *const *regions, unsigned count)
{
	lg_add_relaxed(&pool.dirty_bytes, (uint64_t)count << lg_class_shift(class));
	for (unsigned i = 0; i < count; i += LG_CHAIN)
		push(class, regions + i, (unsigned)lg_min(count - i, LG_CHAIN));
}

/* `keep`: for the thread to use, and perhaps to put back. */
static inline unsigned note_taken(unsigned class, unsigned count, bool keep)
{
	uint64_t bytes = (uint64_t)count << lg_class_shift(class);
	struct lg_cache *mine = lg_thread_tallies(class);

	if (count == 0)
		return 0;
	lg_count(mine, class, dirty_out, count); /* before the bytes are others' to use */
	if (!keep || !keep_credit(class, bytes))
		lg_pool_uncount(bytes);
	return count;
}

unsigned lg_pool_take_dirty(unsigned class, struct lg_region **regions, bool all)
{
	struct lg_dirty *dirty = &lg_classes[class].dirty;
	unsigned count = lg_dirty_take_old(dirty, regions);

	if (count == 0 && all)
		count = lg_dirty_take(dirty, regions);
	return note_taken(class, count, false);
}

void lg_pool_put_lazy(unsigned class, struct lg_region *const *regions, unsigned count)
{
	struct lg_cache *mine = lg_thread_tallies(class);

	for (unsigned i = 0; i < count; i += LG_CHAIN)
		lg_dirty_put(&lg_classes[class].lazy, regions + i,
			     (unsigned)lg_min(count - i, LG_CHAIN));
	lg_count(mine, class, lazy_in, count);
}

unsigned lg_pool_take_lazy(unsigned class, struct lg_region **regions, bool all)
{
	struct lg_dirty *lazy = &lg_classes[class].lazy;
	unsigned count = lg_dirty_take_old(lazy, regions);
	struct lg_cache *mine = lg_thread_tallies(class);

	if (count == 0 && all)
		count = lg_dirty_take(lazy, regions);
	if (count > 0)
		lg_count(mine, class, lazy_out, count);
	return count;
}

unsigned lg_pool_take(unsigned class, struct lg_region **regions)
{
	struct lg_cache *mine = lg_thread_tallies(class);
	unsigned count = note_taken(class, lg_dirty_take(&lg_classes[class].dirty, regions), true);

	if (count > 0) {
		lg_count(mine, class, from_dirty, 1);
		return count;
	}
	count = lg_dirty_take(&lg_classes[class].lazy, regions);
	if (count > 0) {
		lg_count(mine, class, lazy_out, count);
		lg_count(mine, class, from_lazy, 1);
	}
	return count;
}

void lg_pool_forget(void)
{
	lg_store_relaxed(&pool.dirty_bytes, 0);
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		lg_dirty_init(&lg_classes[index].dirty);
		lg_dirty_init(&lg_classes[index].lazy);
	}
}
