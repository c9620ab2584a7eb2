/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a block's bytes stay as written, and zeroed ones read zero, while pages go from region to region.
 * Method: threads make blocks as the malloc shim does, of more classes than each has dirty regions, so
 * that most are gathered; free them, mostly each other's, resize them, which moves gathered pages on, and
 * make zeroed ones of regions that gave their pages away; one trims, and the worker ticks each millisecond.
 * Oracle: a word on every 64 KiB of a block, made of its number and place, checked before the free, by
 * another thread mostly; each byte of a zeroed block. The books after all frees.
 */
#include "base/option.h"
#include "region/alloc.h"
#include "region/gather.h"
#include "region/start.h"
#include "region/tail.h"
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/exchange.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 4, SIZE_LOW = 20, SIZE_HIGH = 25, STEP = 64 << 10 };

static struct crew crew;
static struct exchange market;
static double end;

static void write_words(struct lg_region *region, uint64_t id, size_t from)
{
	for (size_t at = lg_round_up(from, STEP); at < region->asked; at += STEP)
		*(uint64_t *)(void *)((char *)region->view.data + at) = stamp_word(id, 0, at);
}

static void check_words(struct lg_region *region, uint64_t id)
{
	for (size_t at = 0; at < region->asked; at += STEP)
		CLAIM(*(uint64_t *)(void *)((char *)region->view.data + at) ==
		      stamp_word(id, 0, at));
}

/* Whole words, so that each place is in a block or is not. */
static size_t random_bytes(struct crew_member *me)
{
	return random_size(&me->random, SIZE_LOW, SIZE_HIGH) & ~(sizeof(uint64_t) - 1);
}

/* A region of the caller's, as the shim would have it: `asked` bytes of it are used. */
static struct lg_region *make(struct crew_member *me)
{
	size_t bytes = random_bytes(me);
	bool zeroed = random_one_in(&me->random, 8);
	struct lg_region *region;
	int error;

	if (zeroed) {
		region = lg_region_obtain(bytes, bytes, &error);
		CLAIM(region != NULL);
		for (size_t at = 0; at < bytes; at++)
			CLAIM(((char *)region->view.data)[at] == 0);
	} else {
		region = lg_region_new(bytes);
		CLAIM(region != NULL);
		CLAIM(lg_gather(region, bytes));
	}
	lg_tail_fit(region, bytes);
	return region;
}

static struct lg_region *resize(struct crew_member *me, struct lg_region *region, uint64_t id)
{
	size_t before = region->asked, bytes = random_bytes(me);
	struct lg_region *other = lg_region_resize(region, bytes);

	CLAIM(other != NULL);
	lg_tail_fit(other, bytes);
	write_words(other, id, lg_min(before, bytes));
	return other;
}

static void trade(struct crew_member *me)
{
	while (!clock_passed(end)) {
		struct parcel parcel = { make(me), random_next(&me->random) };

		write_words(parcel.region, parcel.id, 0);
		if (random_one_in(&me->random, 4))
			parcel.region = resize(me, parcel.region, parcel.id);
		if (!exchange_put(&market, random_below(&me->random, 16), parcel)) {
			check_words(parcel.region, parcel.id);
			lg_region_free(parcel.region);
		}
		if (exchange_take(&market, random_below(&me->random, 16), &parcel)) {
			check_words(parcel.region, parcel.id);
			lg_region_free(parcel.region);
		}
		if (me->number == 0 && random_one_in(&me->random, 64))
			CLAIM(lg_trim() == 0);
	}
}

static void body(const struct round *round)
{
	struct parcel parcel;

	(void)round;
	end = clock_end_of_run(3);
	crew_start(&crew, THREADS, random_seed(), trade);
	crew_join(&crew);
	for (size_t i = 0; i < EXCHANGE_SLOTS; i++)
		if (exchange_take(&market, i, &parcel)) {
			check_words(parcel.region, parcel.id);
			lg_region_free(parcel.region);
		}
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "anon", "backing:anon,interval:1ms,second_decay:0,cache_bytes:4M" },
	{ "anon-uncached",
	  "backing:anon,interval:1ms,second_decay:0,cache_bytes:0,retire_delay:0" },
	{ "anon-kept", "backing:anon,background:off,cache_bytes:16M" },
	{ "anon-bounded",
	  "backing:anon,interval:1ms,second_decay:0,cache_bytes:4M,dirty_bytes:64M" },
	{ "anon-small-pages",
	  "backing:anon,hugepages:off,interval:1ms,second_decay:0,cache_bytes:4M" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
