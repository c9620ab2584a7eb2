/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: after everything is freed, threads that are alive but idle pin nothing: their caches empty,
 * memory and disk go back, and after retire_delay the areas' address space too; and when they go on,
 * they work as before.
 * Method: threads allocate, write every page and free regions of many classes, then park on a barrier
 * without exiting. Only the worker acts. Then they do it again.
 * Oracle: cached_bytes, dirty_bytes, disk_bytes and area_bytes become 0 and resident_bytes small. The
 * wait has no duration to assert, only a deadline beyond which it is a hang.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 8, HELD = 10, SIZE_LOW = 12, SIZE_HIGH = 22, TIMES = 3 };

static struct crew crew;
static pthread_barrier_t park;

static void live(struct crew_member *me)
{
	for (unsigned time = 0; time < TIMES; time++) {
		lg_region *held[HELD];

		for (unsigned i = 0; i < HELD; i++) {
			held[i] = lg_region_new(random_size(&me->random, SIZE_LOW, SIZE_HIGH));
			CLAIM(held[i] != NULL);
			memset(lg_region_data(held[i]), 0xa5, lg_region_size(held[i]));
		}
		for (unsigned i = 0; i < HELD; i++)
			lg_region_free(held[i]);
		/* Parked here while the main thread waits for the memory to go. */
		pthread_barrier_wait(&park);
		pthread_barrier_wait(&park);
	}
}

static void wait_until_all_is_given_back(void)
{
	double hang = clock_hang();
	struct lg_stats stats;
	struct lg_usage usage;

	for (;;) {
		CLAIM(lg_stats_read(&stats) == 0);
		CLAIM(lg_usage_read(&usage) == 0);
		if (stats.cached_bytes == 0 && stats.dirty_bytes == 0 && stats.lazy_bytes == 0 &&
		    stats.area_bytes == 0 && stats.clean_bytes == 0 && usage.disk_bytes == 0 &&
		    usage.resident_bytes == 0)
			break;
		if (clock_passed(hang)) {
			account_print(&stats);
			fprintf(stderr, "resident %" PRIu64 " disk %" PRIu64 "\n",
				usage.resident_bytes, usage.disk_bytes);
			BROKEN("idle threads pin nothing");
		}
		clock_breathe();
	}
	CLAIM(stats.totals.in_use == 0);
	/* They are alive, and so are their caches' records. */
	CLAIM(SANITIZED_ADDRESS || stats.threads >= THREADS);
}

static void body(const struct round *round)
{
	(void)round;
	CLAIM(pthread_barrier_init(&park, NULL, THREADS + 1) == 0);
	crew_start(&crew, THREADS, random_seed(), live);
	for (unsigned time = 0; time < TIMES; time++) {
		pthread_barrier_wait(&park);
		wait_until_all_is_given_back();
		pthread_barrier_wait(&park);
	}
	crew_join(&crew);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:10ms,retire_delay:50ms" },
	{ "anon", "backing:anon,interval:10ms,second_decay:50ms,retire_delay:50ms" },
	{ "anon-slowly", "backing:anon,interval:10ms,second_decay:20ms,retire_delay:50ms,"
			 "reclaim_bytes:1M" },
	{ "paged", "backing:paged,interval:10ms,retire_delay:50ms" },
	{ "file-unreserved", "backing:file,reserve:off,interval:10ms,retire_delay:0" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
