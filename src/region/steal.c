/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/steal.h"

#include "region/dirty.h"
#include "region/probe.h"
#include "region/thread.h"

static uint32_t next_random(struct lg_cache *cache)
{
	/* xorshift32; the homeless cache stays at 0 and starts at the newest thread */
	uint32_t x = cache == &lg_homeless ? 0 : cache->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	if (cache != &lg_homeless)
		cache->random = x;
	return x;
}

static unsigned steal_from(struct lg_cache *victim, unsigned class, struct lg_region **regions)
{
	unsigned count = 0, most = lg_deque_count(&victim->deques[class]);

	most = (unsigned)lg_min((most + 1) / 2, LG_CHAIN);
	while (count < most && (regions[count] = lg_deque_steal(&victim->deques[class])) != NULL)
		count++;
	return count;
}

unsigned lg_steal(struct lg_cache *thief, unsigned class, struct lg_region **regions)
{
	uint32_t records = lg_thread_records(),
		 skip = records > 0 ? next_random(thief) % records : 0;
	struct lg_record *first = lg_thread_first(), *record = first;

	while (skip-- > 0 && record->next != NULL)
		record = record->next;
	for (uint32_t i = 0; i < records && record != NULL; i++) {
		struct lg_cache *victim = lg_cache_of(record);
		unsigned count = 0;

		if (victim != thief && (lg_load_acquire(&victim->used) & 1u << class) != 0)
			count = steal_from(victim, class, regions);
		if (count > 0) {
			lg_count(thief, class, steals, 1);
			lg_probe_steal(class, count);
			return count;
		}
		record = record->next != NULL ? record->next : first;
	}
	return 0;
}
