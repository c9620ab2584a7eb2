/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The hash: four lanes, each multiplies 64 by 64 to 128 bits and folds, as wyhash and its kin do; lanes so that
 * multiplications overlap. A lane takes 16 bytes, of which it mixes both halves with different
 * constants, so that no input word makes the product zero for all others.
 */
#include "pager/content.h"

#include "base/bits.h"

#include <string.h>

enum { LANES = 4, STEP = 64 };

static const uint64_t secrets[2 * LANES] = {
	0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93,
	0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
};

/*
 * Pages are read here while nobody writes to them: they are out of their map, or write-protected there. That is an order
 * between threads that the kernel makes, and ThreadSanitizer cannot see. (One that is pinned may be written to: it stays dirty,
 * whatever is found.)
 */
#define ORDERED_BY_KERNEL __attribute__((no_sanitize("thread")))

ORDERED_BY_KERNEL static uint64_t word_at(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

ORDERED_BY_KERNEL bool lg_content_is_zero(const void *at, size_t bytes)
{
	const char *from = at;

	for (size_t i = 0; i < bytes; i += STEP) {
		uint64_t some = 0;

		for (size_t k = 0; k < STEP; k += sizeof(some))
			some |= word_at(from + i + k);
		if (some != 0)
			return false;
	}
	return true;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

ORDERED_BY_KERNEL uint64_t lg_content_hash(const void *at, size_t bytes)
{
	const char *from = at;
	uint64_t lanes[LANES] = { secrets[0], secrets[1], secrets[2], secrets[3] };

	for (size_t i = 0; i < bytes; i += STEP)
		for (unsigned k = 0; k < LANES; k++) {
			size_t place = i + k * 16;

			/* The lane is added and not multiplied: a product of 0 then forgets nothing. */
			lanes[k] = lg_rotate_right(lanes[k], 23) +
				   fold(word_at(from + place) ^ secrets[k],
					word_at(from + place + 8) ^ secrets[LANES + k] ^ lanes[k]);
		}
	uint64_t hash = fold(lanes[0] ^ secrets[4], lanes[1] ^ secrets[5]) ^
			lg_rotate_right(fold(lanes[2] ^ secrets[6], lanes[3] ^ secrets[7]), 32) ^
			bytes;
	return hash > 1 ? hash : 2;
}
