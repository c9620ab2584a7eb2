/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a taker that rests without a timer is woken for the record that was put while it went to sleep
 * (edge T3).
 * Method: two threads in turn put one record and wait until it was taken, so that almost every put meets a
 * taker that is just about to rest.
 * Oracle: all of them end; a wake that is lost is a hang, which the deadline finds.
 */
#include "stress/clock.h"
#include "stress/crew.h"

#include "pager/trace_ring.h"

enum { PUTTERS = 2 };

static struct lg_trace_ring ring;
static struct crew crew;
static _Atomic(uint64_t) taken[PUTTERS];
static atomic_bool over;

static void put_and_wait(struct crew_member *member)
{
	uint64_t count = 0;

	while (!crew_stopped(member)) {
		struct lg_trace_record record = { .thread = member->number };
		double hang = clock_hang();

		CLAIM(lg_trace_ring_put(&ring, &record));
		count++;
		for (unsigned spins = 1; atomic_load(&taken[member->number]) != count; spins++)
			if (spins % 4096 == 0) {
				CLAIM(!clock_passed(hang));
				clock_breathe();
			}
	}
}

static void *take_all(void *unused)
{
	struct lg_trace_record record;

	(void)unused;
	while (!atomic_load(&over)) {
		uint32_t calls = lg_load_relaxed(&ring.calls);

		while (lg_trace_ring_take(&ring, &record))
			atomic_fetch_add(&taken[record.thread], 1);
		if (!atomic_load(&over))
			lg_trace_ring_rest(&ring, calls);
	}
	return NULL;
}

int main(void)
{
	double end = clock_end_of_run(2);
	pthread_t taker;

	CLAIM(lg_trace_ring_make(&ring, 8) == 0);
	CLAIM(pthread_create(&taker, NULL, take_all, NULL) == 0);
	crew_start(&crew, PUTTERS, 0, put_and_wait);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	atomic_store(&over, true);
	lg_trace_ring_call(&ring);
	CLAIM(pthread_join(taker, NULL) == 0);
	CLAIM(atomic_load(&taken[0]) > 0 && atomic_load(&taken[1]) > 0);
	printf("%llu rests ended\n",
	       (unsigned long long)(atomic_load(&taken[0]) + atomic_load(&taken[1])));
	lg_trace_ring_end(&ring);
	return 0;
}
