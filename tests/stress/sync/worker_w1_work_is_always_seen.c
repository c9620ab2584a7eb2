/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: work that is made while the worker is going to sleep is seen (edge W1): it never sleeps for ever
 * with memory left to give back.
 * Method: threads make the least of work, one free each, of regions that take all ways back (magazine,
 * pool, beyond the bound), after a pause that is different each time; then they wait, doing nothing.
 * Oracle: everything went back, however late. What was missed never comes, and is a hang.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "os/thread.h"

enum { THREADS = 2 };

static struct crew crew;
static pthread_barrier_t together;
static _Atomic(bool) go_on = true;

static bool all_went_back(void)
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	return stats.cached_bytes == 0 && stats.dirty_bytes == 0 && stats.lazy_bytes == 0 &&
	       stats.area_bytes == 0;
}

static void spin(uint64_t turns)
{
	for (volatile uint64_t i = 0; i < turns; i = i + 1)
		;
}

static void make_work(struct crew_member *member)
{
	static const size_t sizes[] = { 4 << 10, 64 << 10, 2 << 20, 128 << 20 };

	while (atomic_load(&go_on)) {
		size_t bytes = sizes[random_below(&member->random, 4)];

		spin(random_below(&member->random, (size_t)1 << random_below(&member->random, 22)));
		lg_region *region = lg_region_new(bytes);
		CLAIM(region != NULL);
		spin(random_below(&member->random, 2000));
		lg_region_free(region);
		if (random_one_in(&member->random, 3))
			lg_thread_flush();
		pthread_barrier_wait(&together);
		pthread_barrier_wait(&together); /* the main thread waits for the worker */
	}
}

int main(void)
{
	double end = clock_end_of_run(4);
	uint64_t rounds = 0;

	if (!lg_os_barrier_make())
		SKIP("no membarrier here: the worker never sleeps without a timer");
	CLAIM(lg_configure("backing:anon,interval:1ms,second_decay:0,retire_delay:0") == 0);
	CLAIM(pthread_barrier_init(&together, NULL, THREADS + 1) == 0);
	crew_start(&crew, THREADS, random_seed(), make_work);
	for (bool last = false; !last; rounds++) {
		double hang = clock_hang();

		pthread_barrier_wait(&together);
		while (!all_went_back()) {
			if (clock_passed(hang))
				BROKEN("work was not seen");
			clock_breathe();
		}
		last = clock_passed(end);
		if (last)
			atomic_store(&go_on, false);
		pthread_barrier_wait(&together);
	}
	crew_join(&crew);
	printf("%llu times to sleep and back\n", (unsigned long long)rounds);
	return 0;
}
