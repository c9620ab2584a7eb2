/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A stamp is what a test writes into a region to know it again: first, middle and last page carry a
 * word made of the owner's number, the page's own address and the size; small regions carry it on
 * every page. So a region handed out twice, two areas over the same bytes of a file, and pages lost
 * in a move or a give-back all show.
 */
#ifndef STRESS_STAMP_H
#define STRESS_STAMP_H

#include "stress/claim.h"

#include <stdbool.h>
#include <stdint.h>

enum { STAMP_PAGE = 4096, STAMP_EVERY_PAGE_BYTES = 64 << 10 };

static inline uint64_t stamp_word(uint64_t id, size_t bytes, size_t offset)
{
	uint64_t word = id ^ (uint64_t)bytes << 20 ^ (uint64_t)offset * 0x9e3779b97f4a7c15u;

	return word ? word : 1;
}

/* The offset after this one that carries a word: page by page, or first, middle, last. */
static inline size_t stamp_next(size_t bytes, size_t offset)
{
	if (bytes <= STAMP_EVERY_PAGE_BYTES)
		return offset + STAMP_PAGE;
	if (offset < bytes / 2)
		return bytes / 2;
	return offset < bytes - STAMP_PAGE ? bytes - STAMP_PAGE : bytes;
}

/* Both ends of each page: a page half zeroed is seen too. */
static inline void stamp_write(void *data, size_t bytes, uint64_t id)
{
	for (size_t at = 0; at < bytes; at = stamp_next(bytes, at)) {
		uint64_t *page = (uint64_t *)(void *)((char *)data + at);

		page[0] = stamp_word(id, bytes, at);
		page[STAMP_PAGE / sizeof(*page) - 1] = ~stamp_word(id, bytes, at);
	}
}

static inline bool stamp_holds(const void *data, size_t bytes, uint64_t id)
{
	for (size_t at = 0; at < bytes; at = stamp_next(bytes, at)) {
		const uint64_t *page = (const uint64_t *)(const void *)((const char *)data + at);

		if (page[0] != stamp_word(id, bytes, at) ||
		    page[STAMP_PAGE / sizeof(*page) - 1] != ~stamp_word(id, bytes, at)) {
			fprintf(stderr,
				"stamp of %p, %zu bytes, lost at offset %zu: is %llx %llx, was %llx\n",
				data, bytes, at, (unsigned long long)page[0],
				(unsigned long long)page[STAMP_PAGE / sizeof(*page) - 1],
				(unsigned long long)stamp_word(id, bytes, at));
			return false;
		}
	}
	return true;
}

/* Every byte zero: the first is, and each equals its neighbour. */
static inline bool stamp_all_zero(const void *data, size_t bytes)
{
	const char *byte = data;

	return byte[0] == 0 && memcmp(byte, byte + 1, bytes - 1) == 0;
}

#endif
