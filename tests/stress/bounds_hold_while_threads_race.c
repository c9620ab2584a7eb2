/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a thread's cache stays within cache_bytes and the dirty pools within dirty_bytes, however the
 * threads race, and a lowered cache_bytes takes effect on threads that work and on threads that rest.
 * Method: bursts of racing allocations and frees of mixed classes. Between bursts all threads stand
 * at a barrier, just as the race left them, and the main thread reads the statistics.
 * Oracle: the bounds themselves, exactly, since nobody moves at a barrier (the worker is off). While
 * the threads race, one snapshot may count a region that moves in two places, so there the least of
 * some snapshots in a row must be within the bound: what really is beyond it is in all of them.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 6, HELD = 32, BURST = 3000, SNAPSHOTS = 16, SIZE_LOW = 12, SIZE_HIGH = 22 };
#define CACHE_BYTES ((uint64_t)4 << 20)
#define DIRTY_BYTES ((uint64_t)16 << 20)
#define LOW_CACHE_BYTES ((uint64_t)256 << 10)

static struct crew crew;
static pthread_barrier_t stand;

static void burst(struct crew_member *me, lg_region **held)
{
	for (unsigned i = 0; i < BURST; i++) {
		lg_region **one = &held[random_below(&me->random, HELD)];

		lg_region_free(*one);
		*one = NULL;
		if (random_one_in(&me->random, 2)) {
			*one = lg_region_new(random_size(&me->random, SIZE_LOW, SIZE_HIGH));
			CLAIM(*one != NULL);
		}
		/* Now and then a flood of frees: caches overflow into the pools. */
		if (random_one_in(&me->random, 200))
			for (unsigned j = 0; j < HELD; j++) {
				lg_region_free(held[j]);
				held[j] = NULL;
			}
	}
}

/* One barrier before a burst, one after it: between the second and the next first all stand. */
static void work(struct crew_member *me)
{
	lg_region *held[HELD] = { NULL };

	for (;;) {
		pthread_barrier_wait(&stand);
		if (crew_stopped(me))
			break;
		burst(me, held);
		pthread_barrier_wait(&stand);
	}
	for (unsigned i = 0; i < HELD; i++)
		lg_region_free(held[i]);
}

static void claim_bounds(uint64_t cache_bytes, uint64_t dirty_bytes)
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	if (stats.cached_bytes > THREADS * cache_bytes || stats.dirty_bytes > dirty_bytes)
		account_print(&stats);
	CLAIM(stats.cached_bytes <= THREADS * cache_bytes);
	CLAIM(stats.dirty_bytes <= dirty_bytes);
	CLAIM(account_balances(&stats));
}

static void *watch(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&crew.stop, memory_order_relaxed)) {
		uint64_t cached_bytes = UINT64_MAX;
		uint64_t dirty_bytes = UINT64_MAX;

		for (unsigned i = 0; i < SNAPSHOTS; i++) {
			struct lg_stats stats;

			CLAIM(lg_stats_read(&stats) == 0);
			if (stats.cached_bytes < cached_bytes)
				cached_bytes = stats.cached_bytes;
			if (stats.dirty_bytes < dirty_bytes)
				dirty_bytes = stats.dirty_bytes;
		}
		CLAIM(cached_bytes <= THREADS * CACHE_BYTES);
		CLAIM(dirty_bytes <= DIRTY_BYTES);
	}
	return NULL;
}

static void claim_bounds_after_a_burst(uint64_t cache_bytes)
{
	pthread_barrier_wait(&stand);
	pthread_barrier_wait(&stand);
	claim_bounds(cache_bytes, DIRTY_BYTES);
}

/* Nobody moves but the worker: only it can bring full caches below a lowered bound. */
static void claim_lowering_reaches_the_resting(void)
{
	double hang = clock_hang();
	struct lg_stats stats;

	CLAIM(lg_configure("cache_bytes:256K,background:on,interval:1ms") == 0);
	do {
		CLAIM(!clock_passed(hang));
		clock_breathe();
		CLAIM(lg_stats_read(&stats) == 0);
	} while (stats.cached_bytes > THREADS * LOW_CACHE_BYTES);
}

/* Each thread misses in each class within a burst, and a miss obeys. */
static void claim_lowering_reaches_the_working(void)
{
	CLAIM(lg_configure("cache_bytes:256K") == 0);
	claim_bounds_after_a_burst(LOW_CACHE_BYTES);
	CLAIM(lg_configure("cache_bytes:0") == 0);
	claim_bounds_after_a_burst(0);
	CLAIM(lg_configure("cache_bytes:4M") == 0);
	claim_bounds_after_a_burst(CACHE_BYTES);
}

static void body(const struct round *round)
{
	double end = clock_end_of_run(3);
	pthread_t watcher;

	CLAIM(pthread_barrier_init(&stand, NULL, THREADS + 1) == 0);
	crew_start(&crew, THREADS, random_seed(), work);
	CLAIM(pthread_create(&watcher, NULL, watch, NULL) == 0);
	do {
		claim_bounds_after_a_burst(CACHE_BYTES);
	} while (!clock_passed(end));
	if (strstr(round->name, "resting"))
		claim_lowering_reaches_the_resting();
	else
		claim_lowering_reaches_the_working();
	crew_stop(&crew);
	pthread_barrier_wait(&stand);
	CLAIM(pthread_join(watcher, NULL) == 0);
	crew_join(&crew);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,background:off,cache_bytes:4M,dirty_bytes:16M" },
	{ "anon", "backing:anon,background:off,cache_bytes:4M,dirty_bytes:16M" },
	{ "paged", "backing:paged,background:off,cache_bytes:4M,dirty_bytes:16M" },
	{ "file-resting", "backing:file,background:off,cache_bytes:4M,dirty_bytes:16M" },
	{ "anon-resting", "backing:anon,background:off,cache_bytes:4M,dirty_bytes:16M" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
