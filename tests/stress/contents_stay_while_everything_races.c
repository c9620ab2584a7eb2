/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a held region's bytes stay as written whatever goes on around it.
 * Method: threads that only allocate, threads that only free (so regions are stolen and pooled),
 * threads that do both, threads that live for a moment and exit with full caches, one that trims, one
 * that changes the live options up and down, one that reads statistics and asks lg_region_of, and the
 * worker ticking each millisecond with no delays at all.
 * Oracle: the stamp, written after allocation and checked before the free, by another thread mostly;
 * for small regions on every page. The books after all frees.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/exchange.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { MAKERS = 2, TAKERS = 2, MIXERS = 2, SHORT_LIVED = 1, TRIMMER = 1, TUNER = 1, WATCHER = 1 };
enum { THREADS = MAKERS + TAKERS + MIXERS + SHORT_LIVED + TRIMMER + TUNER + WATCHER };
enum { SIZE_LOW = 12, SIZE_HIGH = 22 };

static struct crew crew;
static struct exchange market;

static void make_only(struct crew_member *me)
{
	struct parcel parcel = { 0 };

	while (!crew_stopped(me)) {
		if (!parcel.region)
			parcel = parcel_make(&me->random, SIZE_LOW, SIZE_HIGH);
		if (exchange_put(&market, random_below(&me->random, EXCHANGE_SLOTS), parcel))
			parcel.region = NULL;
	}
	if (parcel.region)
		parcel_check_and_free(parcel);
}

static void take_only(struct crew_member *me)
{
	struct parcel parcel;

	while (!crew_stopped(me))
		if (exchange_take(&market, random_below(&me->random, EXCHANGE_SLOTS), &parcel))
			parcel_check_and_free(parcel);
}

static void mix(struct crew_member *me)
{
	struct parcel held[16] = { { 0 } };

	while (!crew_stopped(me)) {
		struct parcel *one = &held[random_below(&me->random, 16)];

		if (one->region)
			parcel_check_and_free(*one);
		*one = parcel_make(&me->random, SIZE_LOW, SIZE_HIGH);
	}
	for (unsigned i = 0; i < 16; i++)
		if (held[i].region)
			parcel_check_and_free(held[i]);
}

/* Exits with regions in its cache and with one of its own still held, passed on as its result. */
static void *live_shortly(void *argument)
{
	uint64_t random = *(const uint64_t *)argument;
	struct parcel *left = malloc(sizeof(*left));
	struct parcel some[8];

	CLAIM(left != NULL);
	for (unsigned i = 0; i < 8; i++)
		some[i] = parcel_make(&random, SIZE_LOW, SIZE_HIGH);
	for (unsigned i = 0; i < 8; i++)
		parcel_check_and_free(some[i]);
	*left = parcel_make(&random, SIZE_LOW, SIZE_HIGH);
	return left;
}

static void start_short_lives(struct crew_member *me)
{
	while (!crew_stopped(me)) {
		uint64_t seed[4];
		pthread_t thread[4];

		for (unsigned i = 0; i < 4; i++) {
			seed[i] = random_next(&me->random);
			CLAIM(pthread_create(&thread[i], NULL, live_shortly, &seed[i]) == 0);
		}
		for (unsigned i = 0; i < 4; i++) {
			void *left;

			CLAIM(pthread_join(thread[i], &left) == 0);
			parcel_check_and_free(*(struct parcel *)left);
			free(left);
		}
	}
}

static void trim(struct crew_member *me)
{
	while (!crew_stopped(me)) {
		CLAIM(lg_trim() == 0);
		clock_breathe();
	}
}

static void tune(struct crew_member *me)
{
	static const char *const settings[] = {
		"cache_bytes:0",
		"cache_bytes:256K",
		"cache_bytes:64M",
		"dirty_bytes:0",
		"dirty_bytes:4M",
		"dirty_bytes:1G",
		"interval:1ms",
		"interval:20ms",
		"second_decay:0",
		"second_decay:5ms",
		"retire_delay:0",
		"retire_delay:5ms",
		"background:off",
		"background:on",
		"reclaim_bytes:1M",
		"reclaim_bytes:1G",
		"area_max:16M,growth_dampener:3",
		"area_max:4G,growth_dampener:0",
	};

	while (!crew_stopped(me)) {
		size_t which = random_below(&me->random, sizeof(settings) / sizeof(settings[0]));

		CLAIM(lg_configure(settings[which]) == 0);
		clock_breathe();
	}
	CLAIM(lg_configure("background:on,interval:1ms") == 0);
}

static void watch(struct crew_member *me)
{
	struct lg_stats stats;
	struct lg_usage usage;

	while (!crew_stopped(me)) {
		lg_region *mine = lg_region_new((size_t)64 << 10);
		char *data;

		CLAIM(mine != NULL);
		data = lg_region_data(mine);
		CLAIM(lg_region_of(data + random_below(&me->random, lg_region_size(mine))) == mine);
		lg_region_of(data + random_next(&me->random) % ((uint64_t)1 << 32));
		CLAIM(lg_stats_read(&stats) == 0);
		CLAIM(lg_usage_read(&usage) == 0);
		lg_region_free(mine);
		clock_breathe();
	}
}

static void play(struct crew_member *me)
{
	static const struct {
		unsigned count;
		void (*job)(struct crew_member *me);
	} parts[] = {
		{ MAKERS, make_only }, { TAKERS, take_only },
		{ MIXERS, mix },       { SHORT_LIVED, start_short_lives },
		{ TRIMMER, trim },     { TUNER, tune },
		{ WATCHER, watch },
	};
	unsigned number = me->number;
	size_t part = 0;

	while (number >= parts[part].count)
		number -= parts[part++].count;
	parts[part].job(me);
}

static void body(const struct round *round)
{
	struct parcel left;
	double end = clock_end_of_run(5);

	(void)round;
	crew_start(&crew, THREADS, random_seed(), play);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	for (size_t i = 0; i < EXCHANGE_SLOTS; i++)
		if (exchange_take(&market, i, &left))
			parcel_check_and_free(left);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:1ms,second_decay:0,retire_delay:0,dirty_bytes:64M" },
	{ "anon", "backing:anon,interval:1ms,second_decay:0,retire_delay:0,dirty_bytes:64M" },
	{ "anon-small-pages", "backing:anon,hugepages:off,interval:1ms,second_decay:3ms" },
	{ "paged", "backing:paged,paged_memory:8M,interval:1ms,retire_delay:0,dirty_bytes:64M" },
	{ "paged-inline",
	  "backing:paged,faults:inline,paged_memory:8M,interval:1ms,retire_delay:0" },
	{ "file-unreserved", "backing:file,reserve:off,interval:1ms,retire_delay:3ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
