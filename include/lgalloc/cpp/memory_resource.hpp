/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Regions for std::pmr. */
#ifndef LG_CPP_MEMORY_RESOURCE_HPP
#define LG_CPP_MEMORY_RESOURCE_HPP

#include <lgalloc/cpp/block.hpp>

#include <cstddef>
#include <memory_resource>
#include <new>

#pragma GCC visibility push(default)
namespace lg
{

/*
 * Requests from `bytes_min` bytes up become regions, whatever their alignment; smaller ones go to the
 * upstream resource, which must outlive this one.
 *
 *     std::pmr::vector<double> samples(lg::region_resource());
 *     std::pmr::monotonic_buffer_resource arena(std::size_t{ 1 } << 20, lg::region_resource());
 *     std::pmr::unordered_map<int, int> map(&arena);   // its nodes lie in regions
 *
 * Two are equal if they have the same threshold and equal upstreams: then each may free what the other
 * gave. Any thread may use it that may use its upstream. allocate throws std::bad_alloc, or what the
 * upstream throws.
 */
class memory_resource : public std::pmr::memory_resource
{
public:
	explicit memory_resource(
		std::pmr::memory_resource *upstream = std::pmr::new_delete_resource(),
		std::size_t bytes_min = region_bytes_min) noexcept
		: upstream_(upstream), bytes_min_(bytes_min)
	{
	}

	memory_resource(const memory_resource &) = delete;
	memory_resource &operator=(const memory_resource &) = delete;

	[[nodiscard]] std::pmr::memory_resource *upstream_resource() const noexcept
	{
		return upstream_;
	}

	/* The smallest request in bytes that becomes a region. */
	[[nodiscard]] std::size_t bytes_min() const noexcept { return bytes_min_; }

private:
	void *do_allocate(std::size_t bytes, std::size_t alignment) override
	{
		return bytes >= bytes_min_ ? region_block_new(bytes, alignment) :
					     upstream_->allocate(bytes, alignment);
	}

	void do_deallocate(void *address, std::size_t bytes, std::size_t alignment) override
	{
		if (bytes >= bytes_min_)
			lg_free(address);
		else
			upstream_->deallocate(address, bytes, alignment);
	}

	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		if (this == &other)
			return true;
#ifdef __cpp_rtti
		auto *same = dynamic_cast<const memory_resource *>(&other);

		return same != nullptr && bytes_min_ == same->bytes_min_ &&
		       upstream_->is_equal(*same->upstream_);
#else
		return false; /* nothing tells what it is */
#endif
	}

	std::pmr::memory_resource *upstream_;
	std::size_t bytes_min_;
};

/*
 * The one to use: region_bytes_min, and std::pmr::new_delete_resource() for what is smaller. Never NULL; it
 * is never destroyed, so objects of static storage may use it in their destructors.
 */
[[nodiscard]] inline memory_resource *region_resource() noexcept
{
	alignas(memory_resource) static unsigned char bytes[sizeof(memory_resource)];
	static auto *const resource = ::new (static_cast<void *>(bytes)) memory_resource;

	return resource;
}

} // namespace lg
#pragma GCC visibility pop

#endif
