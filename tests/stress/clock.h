/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * How long a stress test runs, and when waiting has become a hang. No test asserts a duration: a
 * deadline is far beyond any wait that ends at all.
 *
 * LGALLOC_STRESS_SECONDS is the run time of each round (a fraction is allowed), LGALLOC_HANG_SECONDS
 * the deadline.
 */
#ifndef STRESS_CLOCK_H
#define STRESS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline double clock_env_seconds(const char *name, double otherwise)
{
	const char *given = getenv(name);
	double seconds = given ? strtod(given, NULL) : 0;

	return seconds > 0 ? seconds : otherwise;
}

static inline double clock_end_of_run(double otherwise)
{
	return clock_seconds() + clock_env_seconds("LGALLOC_STRESS_SECONDS", otherwise);
}

static inline double clock_hang_seconds(void)
{
	return clock_env_seconds("LGALLOC_HANG_SECONDS", 180);
}

static inline double clock_hang(void)
{
	return clock_seconds() + clock_hang_seconds();
}

static inline bool clock_passed(double when)
{
	return clock_seconds() >= when;
}

/* Lets others run between two looks at a condition; correctness never depends on its length. */
static inline void clock_breathe(void)
{
	struct timespec millisecond = { 0, 1000000 };

	nanosleep(&millisecond, NULL);
}

#endif
