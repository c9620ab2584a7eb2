/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: every byte of a region from lg_region_new_zeroed or lg_calloc is zero, whoever wrote there
 * before, and it stays so until its holder writes.
 * Method: threads allocate plain regions and fill them with ones, free them and allocate zeroed ones
 * of the same classes, while the worker reclaims each millisecond, another thread trims, and regions
 * are advised dead or cold on the way.
 * Oracle: each byte is compared, right after the allocation and again after a few other operations.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 4, SIZE_LOW = 12, SIZE_HIGH = 21, HELD = 12 };

struct kept {
	lg_region *region;
	bool zero;
};

static struct crew crew;
static double end;

static void soil(struct crew_member *me, lg_region *region)
{
	char *data = lg_region_data(region);
	size_t bytes = lg_region_size(region);
	size_t offset = random_below(&me->random, bytes);

	if (random_one_in(&me->random, 2))
		memset(data, 0xff, bytes);
	else
		memset(data + offset, 0xff, bytes - offset);
	if (random_one_in(&me->random, 8))
		CLAIM(lg_region_advise(region, 0, 0, LG_COLD) == 0);
	if (random_one_in(&me->random, 8))
		CLAIM(lg_region_advise(region, offset, 0, LG_DEAD) == 0);
}

static void make(struct crew_member *me, struct kept *kept)
{
	size_t bytes = random_size(&me->random, SIZE_LOW, SIZE_HIGH);
	size_t way = random_below(&me->random, 4);

	kept->zero = way < 2;
	if (way == 0) {
		kept->region = lg_region_new_zeroed(bytes);
	} else if (way == 1) {
		void *data = lg_calloc(bytes / 16, 16);

		CLAIM(data != NULL);
		kept->region = lg_region_of(data);
	} else {
		kept->region = lg_region_new(bytes);
	}
	CLAIM(kept->region != NULL);
	if (kept->zero)
		CLAIM(stamp_all_zero(lg_region_data(kept->region), lg_region_size(kept->region)));
	else
		soil(me, kept->region);
}

static void let_go(struct crew_member *me, struct kept *kept)
{
	if (!kept->region)
		return;
	if (kept->zero) {
		CLAIM(stamp_all_zero(lg_region_data(kept->region), lg_region_size(kept->region)));
		soil(me, kept->region);
	}
	lg_region_free(kept->region);
	kept->region = NULL;
}

static void churn(struct crew_member *me)
{
	struct kept kept[HELD] = { { 0 } };

	while (!clock_passed(end)) {
		struct kept *one = &kept[random_below(&me->random, HELD)];

		let_go(me, one);
		make(me, one);
		if (me->number == 0 && random_one_in(&me->random, 32))
			CLAIM(lg_trim() == 0);
	}
	for (unsigned i = 0; i < HELD; i++)
		let_go(me, &kept[i]);
}

static void body(const struct round *round)
{
	(void)round;
	end = clock_end_of_run(3);
	crew_start(&crew, THREADS, random_seed(), churn);
	crew_join(&crew);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:1ms,dirty_bytes:16M,cache_bytes:4M,retire_delay:0" },
	{ "file-unreserved", "backing:file,reserve:off,interval:1ms,cache_bytes:1M" },
	{ "anon", "backing:anon,interval:1ms,second_decay:0,dirty_bytes:16M,cache_bytes:4M,"
		  "retire_delay:0" },
	{ "anon-lazy",
	  "backing:anon,interval:1ms,second_decay:3600s,dirty_bytes:16M,cache_bytes:1M" },
	{ "paged", "backing:paged,paged_memory:4M,interval:1ms,dirty_bytes:16M,retire_delay:0" },
	{ "paged-inline",
	  "backing:paged,faults:inline,paged_memory:4M,interval:1ms,cache_bytes:1M" },
	{ "anon-kept", "backing:anon,background:off" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
