/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a region belongs to one holder at a time, its bytes are nobody else's, and none is ever lost.
 * Method: threads allocate sizes of 4 KiB to 8 MiB, free, and hand each other regions to free, with a
 * roomy configuration (caches and deques do the work) and a starved one (pools, reclaim and retiring
 * do), on both backings.
 * Oracle: a table of owners by address, changed by atomic exchange: an owner who is not expected is a
 * region handed out twice. A stamp in first, middle and last page, checked before each free: bytes
 * shared by two regions. The books after all frees: a region lost.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/exchange.h"
#include "stress/owner.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 6, HELD_MAX = 48, HELD_BYTES_MAX = 48 << 20, SIZE_LOW = 12, SIZE_HIGH = 24 };

struct holder {
	unsigned count;
	size_t bytes;
	struct parcel held[HELD_MAX];
};

static struct crew crew;
static struct exchange market;
static double end;

static unsigned char owner_of(const struct crew_member *member)
{
	return (unsigned char)(member->number + 1);
}

static void take_one(struct crew_member *member, struct holder *holder)
{
	size_t bytes = random_size(&member->random, SIZE_LOW, SIZE_HIGH - 1);
	struct parcel parcel = { lg_region_new(bytes), random_next(&member->random) };

	CLAIM(parcel.region != NULL);
	CLAIM(lg_region_size(parcel.region) >= bytes);
	owner_change(lg_region_data(parcel.region), lg_region_size(parcel.region), 0,
		     owner_of(member));
	stamp_write(lg_region_data(parcel.region), lg_region_size(parcel.region), parcel.id);
	holder->bytes += lg_region_size(parcel.region);
	holder->held[holder->count++] = parcel;
}

static struct parcel pick_one(struct crew_member *member, struct holder *holder)
{
	size_t which = random_below(&member->random, holder->count);
	struct parcel parcel = holder->held[which];

	holder->held[which] = holder->held[--holder->count];
	holder->bytes -= lg_region_size(parcel.region);
	return parcel;
}

static void give_back(struct parcel parcel, unsigned char owner)
{
	void *data = lg_region_data(parcel.region);
	size_t bytes = lg_region_size(parcel.region);

	CLAIM(stamp_holds(data, bytes, parcel.id));
	owner_change(data, bytes, owner, 0);
	lg_region_free(parcel.region);
}

/* Puts one of ours on the market; whoever takes it frees it. */
static void sell_one(struct crew_member *member, struct holder *holder)
{
	struct parcel parcel = pick_one(member, holder);
	void *data = lg_region_data(parcel.region);
	size_t bytes = lg_region_size(parcel.region);

	owner_change(data, bytes, owner_of(member), UINT8_MAX);
	if (!exchange_put(&market, random_below(&member->random, EXCHANGE_SLOTS), parcel))
		give_back(parcel, UINT8_MAX);
}

static void trade(struct crew_member *member)
{
	struct holder holder = { 0 };

	while (!clock_passed(end)) {
		for (unsigned i = 0; i < 64; i++) {
			size_t what = random_below(&member->random, 8);
			struct parcel bought;

			if (holder.count == HELD_MAX || holder.bytes > HELD_BYTES_MAX)
				what = 5 + what % 2;
			if (what < 4)
				take_one(member, &holder);
			else if (what == 4 && random_one_in(&member->random, 512))
				lg_thread_flush();
			else if (what == 5 && holder.count > 0)
				give_back(pick_one(member, &holder), owner_of(member));
			else if (what == 6 && holder.count > 0)
				sell_one(member, &holder);
			else if (exchange_take(&market,
					       random_below(&member->random, EXCHANGE_SLOTS),
					       &bought))
				give_back(bought, UINT8_MAX);
		}
	}
	while (holder.count > 0)
		give_back(pick_one(member, &holder), owner_of(member));
}

static void body(const struct round *round)
{
	struct parcel left;

	(void)round;
	owner_open();
	end = clock_end_of_run(3);
	crew_start(&crew, THREADS, random_seed(), trade);
	crew_join(&crew);
	for (size_t i = 0; i < EXCHANGE_SLOTS; i++)
		if (exchange_take(&market, i, &left))
			give_back(left, UINT8_MAX);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,dirty_bytes:256M" },
	{ "anon", "backing:anon,dirty_bytes:256M" },
	{ "file-starved",
	  "backing:file,cache_bytes:1M,dirty_bytes:8M,interval:1ms,retire_delay:0" },
	{ "anon-starved", "backing:anon,cache_bytes:1M,dirty_bytes:8M,interval:1ms,retire_delay:0,"
			  "second_decay:0" },
	{ "paged", "backing:paged,paged_memory:64M,dirty_bytes:256M" },
	{ "paged-starved",
	  "backing:paged,paged_memory:8M,cache_bytes:1M,dirty_bytes:8M,interval:1ms,"
	  "retire_delay:0" },
	{ "anon-uncached", "backing:anon,cache_bytes:0,interval:1ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
