/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: owner and revoker never use a cache at the same time, and each finds what the other left (edges
 * C1 and C2): no region is handed out twice, none is lost.
 * Method: two owners do nothing but hits, on classes of one and of several regions; two revokers take
 * everything over and over, as fast as they can.
 * Oracle: a holder by descriptor, set by exchange at new and cleared at free; a word in the region itself,
 * with plain accesses; the invariants of all caches and the books at the end.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "region/class.h"
#include "region/revoke.h"
#include "region/start.h"
#include "region/thread.h"

enum { OWNERS = 2, REVOKERS = 2, HELD = 3, SLOTS = 4096 };

static struct crew crew;
static _Atomic(uint8_t) holders[SLOTS][LG_CLASSES];
static _Atomic(uint64_t) pairs, revocations;

static _Atomic(uint8_t) *holder_of(struct lg_region *region)
{
	uint64_t number = lg_region_number(region);

	CLAIM(number < SLOTS);
	return &holders[number][region->class];
}

static struct lg_region *hand_out(size_t bytes, unsigned char mark)
{
	struct lg_region *region = lg_region_new(bytes);

	CLAIM(region != NULL);
	CLAIM(atomic_exchange_explicit(holder_of(region), mark, memory_order_relaxed) == 0);
	*(unsigned char *)lg_region_data(region) = mark;
	return region;
}

static void take_back(struct lg_region *region, unsigned char mark)
{
	CLAIM(*(unsigned char *)lg_region_data(region) == mark);
	CLAIM(atomic_exchange_explicit(holder_of(region), 0, memory_order_relaxed) == mark);
	lg_region_free(region);
}

static void own(struct crew_member *member)
{
	unsigned char mark = (unsigned char)(member->number + 1);
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		struct lg_region *held[HELD];
		size_t bytes = (size_t)64 << 10 << random_below(&member->random, 3);
		unsigned count = 1 + (unsigned)random_below(&member->random, HELD);

		for (unsigned i = 0; i < count; i++)
			held[i] = hand_out(bytes, mark);
		for (unsigned i = count; i-- > 0; mine++)
			take_back(held[i], mark);
	}
	atomic_fetch_add(&pairs, mine);
}

static void revoke(struct crew_member *member)
{
	uint64_t mine = 0;

	for (; !crew_stopped(member); mine++)
		lg_revoke(LG_REVOKE_ALL);
	atomic_fetch_add(&revocations, mine);
}

static void work(struct crew_member *member)
{
	if (member->number < OWNERS)
		own(member);
	else
		revoke(member);
}

int main(void)
{
	double end;
	struct lg_stats stats;

	CLAIM(lg_configure("backing:anon,background:off") == 0);
	CLAIM(lg_start() == 0);
	if (!lg_start_has_barrier())
		SKIP("no membarrier here");
	end = clock_end_of_run(3);
	crew_start(&crew, OWNERS + REVOKERS, random_seed(), work);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next)
		lg_cache_check(lg_cache_of(record));
	CLAIM(lg_stats_read(&stats) == 0);
	CLAIM(stats.totals.revoked > 0 && atomic_load(&pairs) > 0);
	printf("%llu pairs, %llu revocations, %llu regions revoked\n",
	       (unsigned long long)atomic_load(&pairs),
	       (unsigned long long)atomic_load(&revocations),
	       (unsigned long long)stats.totals.revoked);
	account_claim_nothing_lost();
	return 0;
}
