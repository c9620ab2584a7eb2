/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a record has one owner at a time, who finds all that the last one wrote (edge G2).
 * Method: threads adopt a record, or add one when there is none, change it with plain stores, and abandon
 * it; as many records come to be as there are threads, at most.
 * Oracle: a flag set by exchange while it is owned; a plain counter per record, whose sum is the number of
 * all adoptions.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "sync/registry.h"

enum { THREADS = 4 };

struct owned {
	struct lg_record record;
	uint64_t adoptions;
	uint64_t mirror;
	_Atomic(bool) has_owner;
};

static struct lg_registry registry;
static struct owned records[THREADS];
static _Atomic(unsigned) made;
static _Atomic(uint64_t) adoptions;
static struct crew crew;

static struct owned *obtain(void)
{
	struct owned *owned = (struct owned *)(void *)lg_registry_adopt(&registry);

	if (owned != NULL)
		return owned;
	unsigned number = atomic_fetch_add(&made, 1);
	CLAIM(number < THREADS); /* one that waits is found */
	lg_registry_add(&registry, &records[number].record);
	return &records[number];
}

static void live(struct crew_member *member)
{
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		struct owned *owned = obtain();

		CLAIM(!atomic_exchange_explicit(&owned->has_owner, true, memory_order_relaxed));
		CLAIM(owned->adoptions == owned->mirror);
		owned->adoptions++;
		owned->mirror++;
		mine++;
		CLAIM(atomic_exchange_explicit(&owned->has_owner, false, memory_order_relaxed));
		lg_registry_abandon(&registry, &owned->record);
	}
	atomic_fetch_add(&adoptions, mine);
}

int main(void)
{
	double end = clock_end_of_run(2);
	uint64_t sum = 0;
	unsigned count = 0;

	crew_start(&crew, THREADS, random_seed(), live);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	for (struct lg_record *record = lg_registry_first(&registry); record != NULL;
	     record = record->next, count++)
		sum += ((struct owned *)(void *)record)->adoptions;
	CLAIM(count == atomic_load(&made));
	CLAIM(sum == atomic_load(&adoptions));
	printf("%llu adoptions of %u records\n", (unsigned long long)sum, count);
	return 0;
}
