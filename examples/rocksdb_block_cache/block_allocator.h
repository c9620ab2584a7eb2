/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * RocksDB's block cache in regions: a rocksdb::MemoryAllocator. Take this file, block_allocator.cpp and bin.*.
 *
 *     rocksdb::LRUCacheOptions cache_options;
 *     cache_options.memory_allocator = std::make_shared<block_allocator>();
 *
 * Know this first
 *   - Where the blocks live is lgalloc's option `backing`: with `anon` in memory; with `file` the cache may be
 *     larger than memory. A miss of RocksDB's reads a table file and unpacks, a page paged out only reads.
 *   - Blocks up to 32 KiB share 1 MiB regions, in slots of sixteen sizes to each doubling: a block of 4 KiB and
 *     a few bytes would have a region of 8 KiB and two pages of memory to itself. Larger ones are regions of
 *     their own; UsableSize then counts the pages they touch, so the cache charges what it takes.
 *   - A smaller cache leaves slabs with a few blocks each. Trim() gives back the pages between them, and what
 *     is free otherwise; without it lgalloc gives back only whole slabs, after a tick or two.
 */
#ifndef ROCKSDB_BLOCK_CACHE_BLOCK_ALLOCATOR_H
#define ROCKSDB_BLOCK_CACHE_BLOCK_ALLOCATOR_H

#include "bin.h"

#include <rocksdb/memory_allocator.h>

#include <array>

class block_allocator : public rocksdb::MemoryAllocator
{
public:
	block_allocator();

	const char *Name() const override { return "lgalloc"; }

	/*
	 * A block of `bytes`, aligned to 64 bytes at least. std::bad_alloc if there is no memory, as RocksDB's own
	 * operator new does: it does not look for nullptr.
	 */
	void *Allocate(size_t bytes) override;
	void Deallocate(void *block) override;
	size_t UsableSize(void *block, size_t bytes) const override;

	/*
	 * After SetCapacity or EraseUnRefEntries: gives back the whole pages between blocks and all that lgalloc
	 * keeps free (lg_trim). From any thread; 100 MiB take some 10 ms, in which Allocate may wait.
	 */
	void Trim();

private:
	static constexpr size_t slot_bytes_max = 32 << 10;
	static constexpr unsigned steps = 16, smallest_shift = 10, doublings = 5;

	static unsigned index_of(size_t bytes);

	std::array<bin, steps * doublings + 1> bins_;
};

#endif
