/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The standard allocator over regions. */
#ifndef LG_CPP_ALLOCATOR_HPP
#define LG_CPP_ALLOCATOR_HPP

#include <lgalloc/cpp/block.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace lg
{

/*
 * For any container, std::allocate_shared and the like. n objects of region_bytes_min bytes and more
 * together are a region, fewer come from ::operator new (block.hpp).
 *
 *     std::vector<double, lg::allocator<double>> samples;
 *     samples.reserve(std::size_t{ 1 } << 30);   // address space and, with backing:file, disk blocks
 *
 * It has no state: all allocators are equal, whatever their T, so containers move, swap and splice by
 * exchanging pointers, and memory may be freed by any thread and by any other allocator's object. Objects
 * of any alignment are aligned as they ask.
 */
template <class T>
class allocator
{
public:
	using value_type = T;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using is_always_equal = std::true_type;
	using propagate_on_container_move_assignment = std::true_type;

	constexpr allocator() noexcept = default;

	template <class Other>
	constexpr allocator(const allocator<Other> &) noexcept
	{
	}

	/*
	 * Memory for n objects, contents undefined. std::bad_array_new_length if their bytes cannot be
	 * counted; std::bad_alloc if there is no memory, address space, disk space, or no region so large.
	 */
	[[nodiscard]] T *allocate(size_type n)
	{
		if (n > SIZE_MAX / sizeof(T))
			failure::array_length();
		return static_cast<T *>(block_new(n * sizeof(T), alignof(T)));
	}

	/* Gives back what allocate(n) gave, with the same n. */
	void deallocate(T *address, size_type n) noexcept
	{
		block_delete(address, n * sizeof(T), alignof(T));
	}
};

template <class T, class Other>
constexpr bool operator==(const allocator<T> &, const allocator<Other> &) noexcept
{
	return true;
}

template <class T, class Other>
constexpr bool operator!=(const allocator<T> &, const allocator<Other> &) noexcept
{
	return false;
}

} // namespace lg

#endif
