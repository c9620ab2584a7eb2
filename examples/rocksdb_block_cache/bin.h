/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A bin: slots of one size for blocks, cut from 1 MiB regions (slabs).
 *
 *     | struct slab, its stack of free slots | slot 0 | slot 1 | … |
 *
 * Which slots are free is kept at the slab's start and not in the slots: no page that was paged out is touched to
 * free or to take one. A slab with no slot in use is freed; the allocator keeps it warm for the next.
 *
 * All members may be called from any thread.
 */
#ifndef ROCKSDB_BLOCK_CACHE_BIN_H
#define ROCKSDB_BLOCK_CACHE_BIN_H

#include <lgalloc/lgalloc.h>

#include <cstddef>
#include <mutex>

struct slab;

class bin
{
public:
	/* Not 2 MiB: from there on the kernel reads ahead in the file backing, and blocks are read at random. */
	static constexpr size_t slab_bytes = 1 << 20;

	bin() = default;
	bin(const bin &) = delete;
	bin &operator=(const bin &) = delete;

	/* Once, before the first take. */
	void set_slot_bytes(size_t bytes);
	size_t slot_bytes() const { return slot_bytes_; }

	/* nullptr: no memory. */
	void *take();

	/* Gives back the whole pages of free slots. Takes wait meanwhile. */
	void trim();

	/* The bin whose slot this is: `region` is the region around it. */
	static bin *of(lg_region *region);
	void put(lg_region *region, void *slot);

private:
	slab *make_slab();
	void enter(slab *slab);
	void leave(slab *slab);

	std::mutex mutex_;
	slab *with_room_ = nullptr;
	size_t slot_bytes_ = 0;
};

#endif
