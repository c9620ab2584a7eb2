/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Who owns each page of the address space: one byte a page over all of user space, in memory that is
 * only there where touched. Taking what somebody owns, or giving what is not ours, is the failure.
 *
 * The exchange is relaxed on purpose: the table orders nothing, so ThreadSanitizer still sees a
 * hand-over that the library itself failed to order.
 */
#ifndef STRESS_OWNER_H
#define STRESS_OWNER_H

#include "stress/claim.h"
#include "stress/stamp.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { OWNER_ADDRESS_BITS = 48, OWNER_PAGE_BITS = 12 };

static _Atomic(unsigned char) *owner_pages;

static inline void owner_open(void)
{
	void *table = mmap(NULL, (size_t)1 << (OWNER_ADDRESS_BITS - OWNER_PAGE_BITS),
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			   0);

	if (table == MAP_FAILED)
		SKIP("no address space for the owner table: %s", strerror(errno));
	owner_pages = table;
}

static inline void owner_change(const void *data, size_t bytes, unsigned char from,
				unsigned char to)
{
	for (size_t at = 0; at < bytes; at = stamp_next(bytes, at)) {
		uintptr_t page = ((uintptr_t)data + at) >> OWNER_PAGE_BITS;
		unsigned char was;

		CLAIM(page < (uintptr_t)1 << (OWNER_ADDRESS_BITS - OWNER_PAGE_BITS));
		was = atomic_exchange_explicit(&owner_pages[page], to, memory_order_relaxed);
		if (was == from)
			continue;
		fprintf(stderr, "%p + %zu of %zu bytes belongs to %d, not to %d, new owner %d\n",
			data, at, bytes, was, from, to);
		BROKEN("a region has one owner");
	}
}

#endif
