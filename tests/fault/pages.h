/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pages of a store, each filled with words that tell which page it is and which writing of it. */
#ifndef FAULT_PAGES_H
#define FAULT_PAGES_H

#include "store/store.h"
#include "stress/claim.h"

#include <stdbool.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096, PAGE_WORDS = PAGE_BYTES / 8 };

static inline uint64_t *pages_new(unsigned count)
{
	uint64_t *start = mmap(NULL, (size_t)count * PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CLAIM(start != MAP_FAILED);
	return start;
}

static inline uint64_t pages_word(unsigned page, uint64_t version, unsigned i)
{
	return version == 0 ? 0 : (uint64_t)page << 40 ^ version << 16 ^ i;
}

static inline void pages_fill(uint64_t *start, unsigned page, uint64_t version)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		start[i] = pages_word(page, version, i);
}

static inline bool pages_hold(const uint64_t *start, unsigned page, uint64_t version)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		if (start[i] != pages_word(page, version, i))
			return false;
	return true;
}

static inline int pages_write(struct lg_store *store, uint64_t *start, unsigned page,
			      unsigned count)
{
	struct iovec part = { start, (size_t)count * PAGE_BYTES };

	return store->calls->write(store, &part, 1, (uint64_t)page * PAGE_BYTES);
}

static inline int pages_read(struct lg_store *store, uint64_t *start, unsigned page, unsigned count)
{
	struct iovec part = { start, (size_t)count * PAGE_BYTES };

	return store->calls->read(store, &part, 1, (uint64_t)page * PAGE_BYTES);
}

#endif
