/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a thread that is cancelled inside a call leaves no lock held and no region lost.
 * Method: threads allocate and free without caches, trimming now and then, so that they open files,
 * reserve blocks and wait for each other's refills; each has a cancellation pending from the start of
 * some call, at a random one. Then others take their place.
 * Oracle: every join returns; then a refill works, the books balance, and after a trim nothing is mapped.
 */
#include "stress/account.h"
#include "stress/random.h"
#include "stress/rounds.h"

#include <pthread.h>

enum { THREADS = 8, CALLS = 200 };

static const size_t sizes[] = { 4096, 1 << 16, 1 << 20, 4 << 20 };

static void *allocate(void *argument)
{
	uint64_t random = *(uint64_t *)argument;
	unsigned fatal = (unsigned)random_below(&random, CALLS);

	for (unsigned call = 0; call < CALLS; call++) {
		lg_region *region;

		if (call == fatal)
			pthread_cancel(pthread_self());
		region = lg_region_new(sizes[random_below(&random, 4)]);
		CLAIM(region != NULL);
		lg_region_free(region);
		if (random_one_in(&random, 8))
			CLAIM(lg_trim() == 0);
		if (random_one_in(&random, 64))
			CLAIM(lg_configure("dirty_bytes:32M") == 0);
		pthread_testcancel();
	}
	return NULL;
}

static void body(const struct round *round)
{
	uint64_t random = random_seed();
	uint64_t seeds[THREADS];
	pthread_t threads[THREADS];
	double end = clock_end_of_run(3);
	unsigned cancelled = 0;

	(void)round;
	do {
		for (unsigned i = 0; i < THREADS; i++) {
			seeds[i] = random_next(&random);
			CLAIM(pthread_create(&threads[i], NULL, allocate, &seeds[i]) == 0);
		}
		for (unsigned i = 0; i < THREADS; i++) {
			void *result;

			CLAIM(pthread_join(threads[i], &result) == 0);
			cancelled += result == PTHREAD_CANCELED;
		}
	} while (!clock_passed(end));
	CLAIM(cancelled > 0);
	for (unsigned i = 0; i < 4; i++)
		lg_region_free(lg_region_new(sizes[i]));
	CLAIM(lg_configure("cache_bytes:1M") == 0);
	account_claim_nothing_lost();
	printf("%u cancelled\n", cancelled);
}

static const struct round rounds[] = {
	{ "file", "backing:file,cache_bytes:0,retire_delay:0,interval:1ms,area_max:32M" },
	{ "anon", "backing:anon,cache_bytes:0,retire_delay:0,interval:1ms,area_max:32M" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
