/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Aligned memory with a pattern that tells where each byte belongs, and stores seen as one long range. */
#ifndef UNIT_STORE_BYTES_H
#define UNIT_STORE_BYTES_H

#include "store/store.h"
#include "unit/unit.h"

#include <sys/mman.h>

enum { BLOCK = 4096 };

static inline char *bytes_new(size_t length)
{
	char *start =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(start != MAP_FAILED);
	return start;
}

static inline char bytes_at(uint64_t offset, unsigned seed)
{
	return (char)(offset * 7 + offset / BLOCK * 3 + seed + 1);
}

static inline void bytes_fill(char *start, size_t length, uint64_t offset, unsigned seed)
{
	for (size_t i = 0; i < length; i++)
		start[i] = bytes_at(offset + i, seed);
}

static inline void bytes_claim(const char *start, size_t length, uint64_t offset, unsigned seed)
{
	for (size_t i = 0; i < length; i++)
		if (start[i] != bytes_at(offset + i, seed))
			fail_msg("byte %llu is %d", (unsigned long long)(offset + i), start[i]);
}

static inline void bytes_claim_zero(const char *start, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (start[i] != 0)
			fail_msg("byte %zu is %d", i, start[i]);
}

static inline int bytes_write(struct lg_store *store, char *start, size_t length, uint64_t offset)
{
	struct iovec part = { start, length };

	return store->calls->write(store, &part, 1, offset);
}

static inline int bytes_read(struct lg_store *store, char *start, size_t length, uint64_t offset)
{
	struct iovec part = { start, length };

	memset(start, 0x11, length);
	return store->calls->read(store, &part, 1, offset);
}

#endif
