/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Numbers as SQLite files hold them: big-endian, or in 1 to 9 bytes of 7 bits, most significant first. */
#ifndef BUFFER_POOL_BYTES_H
#define BUFFER_POOL_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t bytes_get2(const unsigned char *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t bytes_get4(const unsigned char *at)
{
	return bytes_get2(at) << 16 | bytes_get2(at + 2);
}

static inline void bytes_put2(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static inline void bytes_put4(unsigned char *at, uint32_t value)
{
	bytes_put2(at, value >> 16);
	bytes_put2(at + 2, value);
}

/* How many bytes the number at `at` has; 0: it does not end before `end`. */
static inline size_t bytes_get_varint(const unsigned char *at, const unsigned char *end,
				      uint64_t *value)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < 9 && at + i < end; i++) {
		if (i == 8) {
			*value = sum << 8 | at[i]; /* the ninth byte has all its eight bits */
			return 9;
		}
		sum = sum << 7 | (at[i] & 0x7fu);
		if (at[i] < 0x80) {
			*value = sum;
			return i + 1;
		}
	}
	return 0;
}

/* Values under 2^56, which take at most 8 bytes. */
static inline size_t bytes_put_varint(unsigned char *at, uint64_t value)
{
	size_t count = 1;

	while (count < 8 && value >> (7 * count) != 0)
		count++;
	for (size_t i = 0; i < count; i++)
		at[i] = (unsigned char)((value >> (7 * (count - 1 - i)) & 0x7f) |
					(i + 1 < count ? 0x80u : 0));
	return count;
}

#endif
