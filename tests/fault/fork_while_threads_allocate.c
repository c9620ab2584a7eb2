/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process may fork at any moment of other threads' allocations, frees, refills, trims and
 * worker ticks; the child, in which none of these threads live on, can then use every class.
 * Method: threads churn all classes with areas that retire at once, so that refills and unmapping
 * happen all the time; the main thread forks again and again; each child allocates, writes, frees and
 * trims in all classes, and now and then forks itself.
 * Oracle: each child ends well before its alarm: a lock left taken or a list left torn is a hang or a
 * crash. The stamps of regions held by the main thread across all forks. The books after all.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 4, HELD = 16, SIZE_LOW = 12, SIZE_HIGH = 24, FORKS_MIN = 20 };

static struct crew crew;
static lg_region *kept[HELD];
static bool children_share; /* anonymous regions are there in a child */

static void churn(struct crew_member *me)
{
	lg_region *held[HELD] = { NULL };

	while (!crew_stopped(me)) {
		size_t which = random_below(&me->random, HELD);

		lg_region_free(held[which]);
		held[which] = lg_region_new(random_size(&me->random, SIZE_LOW, SIZE_HIGH));
		CLAIM(held[which] != NULL);
		*(volatile char *)lg_region_data(held[which]) = 1;
		if (random_one_in(&me->random, 500))
			CLAIM(lg_trim() == 0);
		if (random_one_in(&me->random, 50))
			lg_thread_flush();
	}
	for (unsigned i = 0; i < HELD; i++)
		lg_region_free(held[i]);
}

static void use_every_class(void)
{
	lg_region *own[SIZE_HIGH - SIZE_LOW + 1];

	for (unsigned time = 0; time < 2; time++) {
		for (unsigned bits = SIZE_LOW; bits <= SIZE_HIGH; bits++) {
			lg_region *region = time ? lg_region_new_zeroed((size_t)1 << bits) :
						   lg_region_new((size_t)1 << bits);

			CLAIM(region != NULL);
			if (time)
				CLAIM(stamp_all_zero(lg_region_data(region), (size_t)1 << bits));
			stamp_write(lg_region_data(region), (size_t)1 << bits, bits);
			own[bits - SIZE_LOW] = region;
		}
		for (unsigned bits = SIZE_LOW; bits <= SIZE_HIGH; bits++) {
			lg_region *region = own[bits - SIZE_LOW];

			CLAIM(stamp_holds(lg_region_data(region), (size_t)1 << bits, bits));
			lg_region_free(region);
		}
		CLAIM(lg_trim() == 0);
	}
}

static void be_a_child(void *unused)
{
	(void)unused;
	use_every_class();
	for (unsigned i = 0; children_share && i < HELD; i++) {
		CLAIM(stamp_holds(lg_region_data(kept[i]), lg_region_size(kept[i]), i));
		lg_region_free(kept[i]);
	}
	use_every_class();
}

static void have_a_child(void *unused)
{
	(void)unused;
	child_claim("a grandchild", be_a_child, NULL);
	be_a_child(NULL);
}

static void body(const struct round *round)
{
	uint64_t random = random_seed();
	double end = clock_end_of_run(4);
	unsigned forks = 0;

	children_share = strstr(round->options, "backing:anon") != NULL;
	for (unsigned i = 0; i < HELD; i++) {
		kept[i] = lg_region_new(random_size(&random, SIZE_LOW, SIZE_HIGH));
		CLAIM(kept[i] != NULL);
		stamp_write(lg_region_data(kept[i]), lg_region_size(kept[i]), i);
	}
	crew_start(&crew, THREADS, random, churn);
	while (forks < FORKS_MIN || !clock_passed(end)) {
		if (random_one_in(&random, 4))
			child_claim("a child with a child", have_a_child, NULL);
		else
			child_claim("a child", be_a_child, NULL);
		for (unsigned i = 0; i < HELD; i++)
			CLAIM(stamp_holds(lg_region_data(kept[i]), lg_region_size(kept[i]), i));
		forks++;
	}
	crew_stop(&crew);
	crew_join(&crew);
	for (unsigned i = 0; i < HELD; i++)
		lg_region_free(kept[i]);
	account_claim_nothing_lost();
	printf("%u forks\n", forks);
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:1ms,retire_delay:0,dirty_bytes:32M,cache_bytes:4M" },
	{ "anon", "backing:anon,interval:1ms,retire_delay:0,second_decay:0,dirty_bytes:32M,"
		  "cache_bytes:4M" },
	{ "file-warm", "backing:file" },
	{ "anon-warm", "backing:anon" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
