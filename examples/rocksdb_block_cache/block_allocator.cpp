/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "block_allocator.h"

#include <new>

/* 1 KiB, then sixteen sizes to each doubling: 1 KiB + 64, … 2 KiB, 2 KiB + 128, … 32 KiB. */
unsigned block_allocator::index_of(size_t bytes)
{
	if (bytes <= size_t(1) << smallest_shift)
		return 0;
	unsigned shift = 63 - static_cast<unsigned>(__builtin_clzll(bytes - 1));
	size_t above = bytes - 1 - (size_t(1) << shift);

	return (shift - smallest_shift) * steps + static_cast<unsigned>(above * steps >> shift) + 1;
}

block_allocator::block_allocator()
{
	bins_[0].set_slot_bytes(size_t(1) << smallest_shift);
	for (unsigned i = 1; i < bins_.size(); i++) {
		size_t start = size_t(1) << (smallest_shift + (i - 1) / steps);

		bins_[i].set_slot_bytes(start + start / steps * ((i - 1) % steps + 1));
	}
}

void *block_allocator::Allocate(size_t bytes)
{
	void *block = bytes <= slot_bytes_max ? bins_[index_of(bytes)].take() : lg_malloc(bytes);

	if (block == nullptr)
		throw std::bad_alloc();
	return block;
}

void block_allocator::Deallocate(void *block)
{
	if (block == nullptr)
		return;
	lg_region *region = lg_region_of(block);

	if (region == nullptr || lg_region_data(region) == block)
		lg_free(block); /* which stops at a block that is nobody's */
	else
		bin::of(region)->put(region, block);
}

size_t block_allocator::UsableSize(void *block, size_t bytes) const
{
	lg_region *region = lg_region_of(block);

	if (region != nullptr && lg_region_data(region) != block)
		return bin::of(region)->slot_bytes();
	/* Of a region of its own only the pages a block touches are memory. */
	return (bytes + 4095) / 4096 * 4096;
}

void block_allocator::Trim()
{
	for (bin &bin : bins_)
		bin.trim();
	(void)lg_trim(); /* what the kernel keeps stays usable */
}
