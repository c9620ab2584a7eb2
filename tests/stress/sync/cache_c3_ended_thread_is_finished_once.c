/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a thread that ends while its cache is being revoked leaves it to be emptied and handed on by
 * exactly one, itself or the revoker (edge C3): a record never has two owners, none is lost, and no
 * region either.
 * Method: many threads that live for an allocation and a free, one starting as another ends, so that
 * records go from hand to hand at once; two revokers meanwhile.
 * Oracle: each record has an owner's mark, set by exchange as long as the thread is in its cache; there
 * are no more records than threads ever lived at once; at the end the count of threads is what it was
 * before, every gate has ended, and the books balance.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "region/class.h"
#include "region/revoke.h"
#include "region/start.h"
#include "region/thread.h"

enum { STARTERS = 2, REVOKERS = 2, ALIVE = STARTERS + REVOKERS + 1 };

static struct crew crew;
static _Atomic(uint64_t) lives;

/* Marks of owners, by record: found by the record's place in the list, which only grows at its front. */
static _Atomic(uintptr_t) owners[64];

static _Atomic(uintptr_t) *owner_of(struct lg_cache *cache)
{
	unsigned behind = 0;

	for (struct lg_record *record = cache->record.next; record != NULL; record = record->next)
		behind++;
	CLAIM(behind < sizeof(owners) / sizeof(owners[0]));
	return &owners[behind];
}

static void *live(void *bytes)
{
	struct lg_region *regions[3];
	uintptr_t me = (uintptr_t)&regions;

	for (unsigned i = 0; i < 3; i++) {
		regions[i] = lg_region_new((size_t)(uintptr_t)bytes);
		CLAIM(regions[i] != NULL);
	}
	CLAIM(lg_self != &lg_homeless && lg_self != &lg_unattached);
	CLAIM(atomic_exchange(owner_of(lg_self), me) == 0);
	for (unsigned i = 0; i < 3; i++)
		lg_region_free(regions[i]);
	CLAIM(atomic_exchange(owner_of(lg_self), 0) == me);
	return NULL;
}

static void start_threads(struct crew_member *member)
{
	uint64_t mine = 0;

	for (; !crew_stopped(member); mine++) {
		size_t bytes = (size_t)64 << 10 << random_below(&member->random, 4);
		pthread_t thread;

		CLAIM(pthread_create(&thread, NULL, live, (void *)(uintptr_t)bytes) == 0);
		CLAIM(pthread_join(thread, NULL) == 0);
	}
	atomic_fetch_add(&lives, mine);
}

static void work(struct crew_member *member)
{
	if (member->number < STARTERS) {
		start_threads(member);
		return;
	}
	while (!crew_stopped(member))
		lg_revoke(LG_REVOKE_ALL);
}

int main(void)
{
	double end;
	unsigned records = 0;

	CLAIM(lg_configure("backing:anon,background:off") == 0);
	CLAIM(lg_start() == 0);
	if (!lg_start_has_barrier())
		SKIP("no membarrier here");
	end = clock_end_of_run(3);
	crew_start(&crew, STARTERS + REVOKERS, random_seed(), work);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	CLAIM(lg_thread_count() == 0);
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next) {
		struct lg_cache *cache = lg_cache_of(record);

		records++;
		CLAIM(lg_load_relaxed(&cache->gate) == LG_GATE_ENDED);
		CLAIM(lg_load_relaxed(&cache->closer) == 0);
		lg_cache_check(cache);
		CLAIM(atomic_load(owner_of(cache)) == 0);
	}
	CLAIM(records == lg_thread_records());
	/* A record that a revoker still finishes is not to be had: one more per revoker, at most. */
	CLAIM(records <= ALIVE + REVOKERS);
	printf("%llu threads lived, with %u records\n", (unsigned long long)atomic_load(&lives),
	       records);
	account_claim_nothing_lost();
	return 0;
}
