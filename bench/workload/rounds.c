/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/rounds.h"

#include "workload/clock.h"
#include "workload/median.h"

/* The shortest of a few: one that was interrupted says nothing about how many fit. */
static uint64_t shortest(rounds_work *work, void *context, uint64_t times)
{
	enum { ATTEMPTS = 4 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t begin = clock_ns();
		work(context, times);
		uint64_t took = clock_ns() - begin + 1;
		if (took < least)
			least = took;
	}
	return least;
}

uint64_t rounds_calibrate(rounds_work *work, void *context, uint64_t ns)
{
	work(context, 1); /* the first time is like no other: threads begin, pages come */
	for (uint64_t times = 1;; times *= 2) {
		uint64_t took = shortest(work, context, times);
		if (took >= ns / 8 || times > (UINT64_C(1) << 40)) {
			uint64_t fitting = times * ns / took;
			return fitting > 0 ? fitting : 1;
		}
	}
}

double rounds_one(rounds_work *work, void *context, uint64_t times)
{
	uint64_t begin = clock_ns();

	work(context, times);
	return (double)(clock_ns() - begin) / (double)times;
}

double rounds_measure(rounds_work *work, void *context, uint64_t ms)
{
	double ns[ROUNDS];
	uint64_t times = rounds_calibrate(work, context, ms * 1000000 / ROUNDS);

	for (int i = 0; i < ROUNDS; i++)
		ns[i] = rounds_one(work, context, times);
	return median_of(ns, ROUNDS);
}
