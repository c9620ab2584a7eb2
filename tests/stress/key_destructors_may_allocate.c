/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a thread may allocate and free in its destructors, before and after the library's own exit
 * hook ran, and nothing it keeps or frees there is lost.
 * Method: keys made before the library's first use and after it, so that their destructors run on
 * both sides of the library's; each sets its value again until the C library's limit of rounds, each
 * time checking and freeing the region it kept and allocating the next. Other threads work meanwhile.
 * Oracle: the stamps; stats.threads is back at its baseline after the joins; the books.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <limits.h>

enum { KEYS_BEFORE = 3, KEYS_AFTER = 3, KEYS = KEYS_BEFORE + KEYS_AFTER, THREADS = 16 };

struct will {
	unsigned key;
	unsigned turns;
	uint64_t random;
	lg_region *region;
};

static struct crew crew;
static pthread_key_t keys[KEYS];
static atomic_uint last_turns;

static void inherit(void *value)
{
	struct will *will = value;
	void *data = lg_region_data(will->region);
	void *shortly;

	CLAIM(stamp_holds(data, lg_region_size(will->region), will->turns));
	lg_region_free(will->region);
	shortly = lg_malloc(random_size(&will->random, 12, 23));
	CLAIM(shortly != NULL);
	lg_free(shortly);
	will->region = NULL;
	if (++will->turns == PTHREAD_DESTRUCTOR_ITERATIONS) {
		/* No destructor runs for this thread again: what we left would be our own leak. */
		atomic_fetch_add(&last_turns, 1);
		free(will);
		return;
	}
	will->region = lg_region_new(random_size(&will->random, 12, 23));
	CLAIM(will->region != NULL);
	stamp_write(lg_region_data(will->region), lg_region_size(will->region), will->turns);
	CLAIM(pthread_setspecific(keys[will->key], will) == 0);
}

static void live(struct crew_member *me)
{
	lg_region *kept[8];

	for (unsigned i = 0; i < KEYS; i++) {
		struct will *will = calloc(1, sizeof(*will));

		CLAIM(will != NULL);
		will->key = i;
		will->random = random_next(&me->random);
		will->region = lg_region_new(random_size(&me->random, 12, 23));
		CLAIM(will->region != NULL);
		stamp_write(lg_region_data(will->region), lg_region_size(will->region), 0);
		CLAIM(pthread_setspecific(keys[i], will) == 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		kept[i] = lg_region_new(random_size(&me->random, 12, 20));
		CLAIM(kept[i] != NULL);
	}
	for (unsigned i = 0; i < 8; i++)
		lg_region_free(kept[i]);
}

static void body(const struct round *round)
{
	uint64_t seed = random_seed();
	double end = clock_end_of_run(2);
	struct lg_stats stats;
	uint64_t baseline;

	(void)round;
	for (unsigned i = 0; i < KEYS_BEFORE; i++)
		CLAIM(pthread_key_create(&keys[i], inherit) == 0);
	lg_region_free(lg_region_new(1));
	for (unsigned i = KEYS_BEFORE; i < KEYS; i++)
		CLAIM(pthread_key_create(&keys[i], inherit) == 0);
	CLAIM(lg_stats_read(&stats) == 0);
	baseline = stats.threads;
	do {
		atomic_store(&last_turns, 0);
		crew_start(&crew, THREADS, random_next(&seed), live);
		crew_join(&crew);
		CLAIM(atomic_load(&last_turns) == THREADS * KEYS);
		account_claim_threads(baseline);
		CLAIM(lg_stats_read(&stats) == 0);
		CLAIM(stats.totals.in_use == 0);
	} while (!clock_passed(end));
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:1ms" },
	{ "anon", "backing:anon,interval:1ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
