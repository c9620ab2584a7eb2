/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/thread.h"

#include "os/map.h"
#include "os/thread.h"
#include "region/pool.h"
#include "region/sanitizer.h"
#include "region/start.h"

#include <string.h>

static struct lg_registry registry;
static _Atomic(uint32_t) records, threads;

struct lg_record *lg_thread_first(void)
{
	return lg_registry_first(&registry);
}

uint32_t lg_thread_records(void)
{
	return lg_load_relaxed(&records);
}

uint32_t lg_thread_count(void)
{
	return lg_load_relaxed(&threads);
}

static struct lg_cache *new_record(void)
{
	void *memory;

	if (lg_os_map_record(sizeof(struct lg_cache), &memory) != 0)
		return NULL;
	struct lg_cache *cache = memory;
	cache->random = (uint32_t)((uintptr_t)cache >> 12) | 1; /* never 0, differs by thread */
	lg_registry_add(&registry, &cache->record);
	lg_add_relaxed(&records, 1);
	return cache;
}

static struct lg_cache *adopt_record(void)
{
	struct lg_record *record = lg_registry_adopt(&registry);

	return record != NULL ? lg_cache_of(record) : new_record();
}

struct lg_cache *lg_thread_attach(int *error)
{
	*error = lg_start();
	if (*error != 0)
		return NULL;
	if (lg_sanitizer_active || !lg_start_has_exit_hook())
		return &lg_homeless;
	struct lg_cache *cache = adopt_record();
	if (cache == NULL)
		return &lg_homeless;
	if (lg_os_exit_hook_set(cache) != 0) {
		lg_registry_abandon(&registry, &cache->record);
		return &lg_homeless;
	}
	lg_add_relaxed(&threads, 1);
	lg_self = cache;
	lg_store_release(&cache->gate, LG_GATE_OPEN); /* C2 */
	return cache;
}

void lg_thread_finish(struct lg_cache *cache)
{
	for (uint32_t used = lg_load_relaxed(&cache->used); used != 0; used &= used - 1)
		(void)lg_cache_drain_class(cache, (unsigned)__builtin_ctz(used));
	lg_pool_uncount(lg_cache_drain_credit(cache));
	lg_sub_relaxed(&threads, 1);
	lg_registry_abandon(&registry, &cache->record);
}

void lg_thread_exit(void *value)
{
	struct lg_cache *cache = value;

	lg_self = &lg_homeless; /* other destructors may still allocate and free */
	if (lg_swap_ordered(&cache->gate, LG_GATE_ENDED) == LG_GATE_OPEN) /* C3 */
		lg_thread_finish(cache);
	/* else a revoker has it, and finishes it */
}

/* Forgets what the cache holds and what was counted: the child finds its regions another way, if any. */
static void wipe(struct lg_cache *cache)
{
	/* Records never used stay shared with the parent. */
	if (lg_load_relaxed(&cache->used) == 0 && cache != &lg_homeless)
		return;
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		struct lg_magazine *magazine = &cache->magazines[index];

		lg_store_relaxed(&magazine->count, 0);
		lg_store_relaxed(&magazine->capacity, 0);
		lg_store_relaxed(&magazine->allocations, 0);
		lg_store_relaxed(&magazine->frees, 0);
		lg_store_relaxed(&cache->deque_limits[index], 0);
		lg_deque_clear(&cache->deques[index]);
	}
	memset(cache->tallies, 0, sizeof(cache->tallies));
	lg_store_relaxed(&cache->borrowed, 0);
	lg_store_relaxed(&cache->credit, 0);
}

void lg_thread_forget_others(void)
{
	struct lg_record *next;

	lg_stack_init(&registry.idle);
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = next) {
		struct lg_cache *cache = lg_cache_of(record);

		next = record->next;
		wipe(cache);
		lg_store_relaxed(&cache->used, 0);
		lg_store_relaxed(&cache->busy, 0);
		lg_store_relaxed(&cache->closer, 0);
		lg_store_relaxed(&cache->gate, cache == lg_self ? LG_GATE_OPEN : LG_GATE_ENDED);
		if (cache != lg_self)
			lg_registry_abandon(&registry, record);
	}
	lg_store_relaxed(&threads, lg_self != &lg_unattached && lg_self != &lg_homeless ? 1 : 0);
	wipe(&lg_homeless);
}
