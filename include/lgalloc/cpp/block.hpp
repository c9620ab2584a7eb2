/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Which requests become regions.
 *
 * A region is one page or more, a power of two, and has a descriptor of its own. A request of 100 bytes
 * would waste 97 % of its page; at 64 KiB the page that is not full is a sixteenth at most. Containers ask
 * for many small blocks (a deque for 512 bytes at a time, a map for one node), and a general allocator packs
 * these well. So from 64 KiB up a request is a region and below it goes to ::operator new.
 *
 * The size alone decides, because it is what deallocate(p, n) is told as well: no table, no header before
 * the block, no look at the address. The threshold is therefore part of the ABI of every program, constant,
 * and the same in all its parts. lg::memory_resource can be given another, which it then keeps.
 */
#ifndef LG_CPP_BLOCK_HPP
#define LG_CPP_BLOCK_HPP

#include <lgalloc/cpp/failure.hpp>

#include <cstddef>
#include <new>

namespace lg
{

/* The smallest request, in bytes, that becomes a region. */
inline constexpr std::size_t region_bytes_min = std::size_t{ 64 } << 10;

/* A region's first byte, aligned to `alignment`, a power of two. Throws std::bad_alloc. */
[[nodiscard]] inline void *region_block_new(std::size_t bytes, std::size_t alignment)
{
	void *block = lg_aligned_alloc(alignment, bytes);

	if (block == nullptr)
		failure::memory();
	return block;
}

/* A region from region_bytes_min up, else what ::operator new gives. Throws std::bad_alloc. */
[[nodiscard]] inline void *block_new(std::size_t bytes, std::size_t alignment)
{
	if (bytes >= region_bytes_min)
		return region_block_new(bytes, alignment);
	if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
		return ::operator new (bytes, std::align_val_t{ alignment });
	return ::operator new(bytes);
}

/* Gives a block of block_new back: the same bytes and alignment. */
inline void block_delete(void *block, std::size_t bytes, std::size_t alignment) noexcept
{
	if (bytes >= region_bytes_min)
		lg_free(block);
	else if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
		::operator delete (block, std::align_val_t{ alignment });
	else
		::operator delete(block);
}

} // namespace lg

#endif
