/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * xorshift64* (Marsaglia 2003, Vigna 2014): about one ns a number, and the same numbers for every
 * allocator from the same seed.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 … bound - 1; bound below 2^32. */
static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
	return ((random_next(state) >> 32) * bound) >> 32;
}

static inline uint64_t random_between(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + random_below(state, high - low + 1);
}

#endif
