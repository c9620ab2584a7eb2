/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Powers of two and bits of words. */
#ifndef LG_BASE_BITS_H
#define LG_BASE_BITS_H

#include <stddef.h>
#include <stdint.h>

enum { LG_PAGE_SHIFT_MIN = 12, LG_CACHE_LINE = 64 };

#define LG_LINE_ALIGNED _Alignas(LG_CACHE_LINE)
#define LG_LIKELY(x) __builtin_expect(!!(x), 1)
#define LG_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LG_OUT_OF_LINE __attribute__((cold, noinline))

/* log2 of the largest power of two <= value; value must not be 0. */
static inline unsigned lg_log2_floor(uint64_t value)
{
	return 63u - (unsigned)__builtin_clzll(value);
}

static inline uint64_t lg_round_up(uint64_t value, uint64_t power)
{
	return (value + power - 1) & ~(power - 1);
}

static inline uint64_t lg_round_down(uint64_t value, uint64_t power)
{
	return value & ~(power - 1);
}

static inline uint64_t lg_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t lg_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* `count` ones from bit `first` up; first + count <= 64, count >= 1. */
static inline uint64_t lg_ones(unsigned first, unsigned count)
{
	return (~(uint64_t)0 >> (64 - count)) << first;
}

static inline uint64_t lg_rotate_right(uint64_t value, unsigned by)
{
	return value >> by | value << (64 - by);
}

#endif
