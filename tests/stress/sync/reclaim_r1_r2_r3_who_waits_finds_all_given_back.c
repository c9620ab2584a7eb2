/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: who gives everything back and waits for the others finds that all it had made dirty before is given back, whoever
 * did it (edges R1, R2 and R3).
 * Method: threads make regions dirty, each of a class of its own, give back all that any has made, and wait. To give back
 * sleeps now and then, and other waiters begin and end meanwhile.
 * Oracle: the thread's regions are clean then. Who waited for nearly a second may have given up, and looks at nothing.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "region/class.h"
#include "region/clean.h"
#include "region/pool.h"
#include "region/reclaim.h"
#include "region/refill.h"
#include "region/start.h"

#include <sched.h>

enum { THREADS = 6, CLASS = 4, REGIONS = 4 };

static struct lg_backing slow;
static const struct lg_backing *real;
static _Atomic(uint64_t) rounds, looked;

static int give_back(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	static _Atomic(uint64_t) calls;
	uint64_t random = (lg_add_relaxed(&calls, 1u) + 1) * UINT64_C(0x9e3779b97f4a7c15);

	if (random_one_in(&random, 16))
		clock_breathe();
	return real->give_back(class, offset, bytes, lazily);
}

static struct lg_region *take_one(unsigned class)
{
	struct lg_region *region;
	unsigned count;

	for (;;) {
		CLAIM(lg_clean_take(class, 1, &region, &count) == 0);
		if (count == 1)
			return region;
		CLAIM(lg_refill(class) == 0);
	}
}

static void make_and_look(struct crew_member *member)
{
	unsigned class = CLASS + member->number;
	struct lg_region *regions[REGIONS];

	while (!crew_stopped(member)) {
		for (unsigned i = 0; i < REGIONS; i++)
			regions[i] = take_one(class);
		lg_pool_put(class, regions, REGIONS);
		if (random_one_in(&member->random, 2))
			sched_yield(); /* so that another takes them */
		CLAIM(lg_reclaim_all() == 0);
		double gives_up = clock_seconds() + 0.5;
		lg_reclaim_wait_for_others();
		lg_add_relaxed(&rounds, 1u);
		if (clock_passed(gives_up)) {
			while (lg_region_state(regions[0]) != LG_CLEAN)
				clock_breathe();
			continue;
		}
		for (unsigned i = 0; i < REGIONS; i++)
			CLAIM(lg_region_state(regions[i]) == LG_CLEAN);
		lg_add_relaxed(&looked, 1u);
	}
}

int main(void)
{
	static struct crew crew;
	double end;

	CLAIM(lg_configure("backing:anon,background:off,dirty_bytes:64T") == 0);
	CLAIM(lg_start() == 0);
	real = lg_backing;
	slow = *real;
	slow.give_back = give_back;
	lg_backing = &slow;
	end = clock_end_of_run(4);
	crew_start(&crew, THREADS, random_seed(), make_and_look);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	printf("%llu rounds, %llu looked at\n", (unsigned long long)rounds,
	       (unsigned long long)looked);
	return 0;
}
