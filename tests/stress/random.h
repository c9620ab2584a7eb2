/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* splitmix64: one word of state, any seed is good. LGALLOC_SEED repeats a run as far as threads allow. */
#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline size_t random_below(uint64_t *state, size_t bound)
{
	return (size_t)(random_next(state) % bound);
}

static inline bool random_one_in(uint64_t *state, size_t n)
{
	return random_below(state, n) == 0;
}

/* 2^low to 2^high - 1 bytes, any length, small ones as likely as large ones. */
static inline size_t random_size(uint64_t *state, unsigned low, unsigned high)
{
	size_t base = (size_t)1 << (low + random_below(state, high - low));

	return base + random_below(state, base);
}

/* The seed of this run, printed so that a failure can be tried again. */
static inline uint64_t random_seed(void)
{
	const char *given = getenv("LGALLOC_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) :
		       (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20;
	printf("LGALLOC_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

#endif
