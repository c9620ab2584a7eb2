/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: work that is made while the worker is going to sleep is seen (edge W1): it never sleeps for ever
 * with memory left to give back.
 * Method: one region is put into the pool just when the worker has given back the one before and is about
 * to sleep, after a pause of some nanoseconds to microseconds, different each time. Every other round
 * it is a thread's magazine that the work lies in, for which the worker has to look elsewhere.
 * Oracle: the region becomes clean, however late. What was missed never does, and is a hang.
 */
#include "stress/account.h"
#include "stress/random.h"

#include "os/thread.h"
#include "region/class.h"
#include "region/clean.h"
#include "region/pool.h"
#include "region/refill.h"
#include "region/start.h"

enum { CLASS = 4, PAUSE_SHIFT_MAX = 14 };

static void pause_for(uint64_t turns)
{
	for (volatile uint64_t i = 0; i < turns; i = i + 1)
		;
}

static struct lg_region *take_one(void)
{
	struct lg_region *region;
	unsigned count;

	for (;;) {
		CLAIM(lg_clean_take(CLASS, 1, &region, &count) == 0);
		if (count == 1)
			return region;
		CLAIM(lg_refill(CLASS) ==
		      0); /* the first: the worker may be faster and retire it */
	}
}

/* Looks without a pause: the next work is to come at once. */
static void wait_until_clean(struct lg_region *region)
{
	double hang = clock_hang();

	for (uint64_t looks = 1; lg_region_state(region) != LG_CLEAN; looks++)
		if (looks % 4096 == 0 && clock_passed(hang))
			BROKEN("work was not seen");
}

int main(void)
{
	uint64_t random = random_seed(), rounds = 0;
	double end;

	CLAIM(lg_configure("backing:file,interval:1ms,retire_delay:0") == 0);
	CLAIM(lg_start() == 0);
	if (!lg_start_has_barrier())
		SKIP("no membarrier here: the worker never sleeps without a timer");
	end = clock_end_of_run(4);
	struct lg_region *keeps_the_area = take_one(), *next = take_one();
	for (; !clock_passed(end); rounds++) {
		struct lg_region *region = next;

		if (rounds % 8 == 7) { /* through the magazine: an idle thread's, two looks later */
			lg_area_give(&lg_classes[CLASS], &region, 1);
			region = lg_region_new(lg_class_bytes(CLASS));
			CLAIM(region != NULL);
			lg_region_free(region);
		} else {
			lg_pool_put(CLASS, &region, 1);
		}
		wait_until_clean(region);
		next = take_one();
		pause_for(
			random_below(&random, (size_t)1 << random_below(&random, PAUSE_SHIFT_MAX)));
	}
	lg_area_give(&lg_classes[CLASS], &next, 1);
	lg_area_give(&lg_classes[CLASS], &keeps_the_area, 1);
	printf("%llu times to sleep and back\n", (unsigned long long)rounds);
	account_claim_nothing_lost();
	return 0;
}
