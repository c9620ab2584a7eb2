/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The memory of a vector_buffer: how large it is, whether it is a region, and how it becomes another. */
#ifndef LG_CPP_VECTOR_STORAGE_HPP
#define LG_CPP_VECTOR_STORAGE_HPP

#include <lgalloc/cpp/block.hpp>
#include <lgalloc/lgalloc.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace lg
{

/*
 * Room for objects of T, none of which it knows: they are made, destroyed and counted by its owner. Its
 * bytes are a power of two from 64 up, so growth by what is needed doubles them. From region_bytes_min up
 * they are a region.
 */
template <class T>
class vector_storage
{
public:
	vector_storage() noexcept = default;
	vector_storage(const vector_storage &) = delete;
	vector_storage &operator=(const vector_storage &) = delete;

	~vector_storage()
	{
		if (region_ != nullptr)
			lg_region_free(region_);
		else if (begin_ != nullptr)
			block_delete(begin_, capacity() * sizeof(T), alignof(T));
	}

	[[nodiscard]] T *begin() const noexcept { return begin_; }

	/* Behind the last object there is room for. */
	[[nodiscard]] T *limit() const noexcept { return limit_; }

	[[nodiscard]] std::size_t capacity() const noexcept
	{
		return static_cast<std::size_t>(limit_ - begin_);
	}

	[[nodiscard]] lg_region *region() const noexcept { return region_; }

	/*
	 * Room for `count` objects; the bytes of the first `used`, at most `count`, come along. Throws
	 * std::bad_alloc, and then nothing has changed.
	 */
	void resize(std::size_t used, std::size_t count)
	{
		const std::size_t bytes = block_bytes(count);

		if (region_ != nullptr && bytes >= region_bytes_min &&
		    !is_mostly_unused(used, bytes)) {
			own(checked(lg_region_resize(region_, bytes)));
			return;
		}
		if (region_ == nullptr && bytes / sizeof(T) == capacity())
			return;
		vector_storage other;
		other.take(bytes);
		if (used != 0)
			std::memcpy(static_cast<void *>(other.begin_),
				    static_cast<const void *>(begin_), used * sizeof(T));
		swap(*this, other);
	}

	/* Room for `count` objects in place of none, all of it zero. Throws std::bad_alloc. */
	void take_zeroed(std::size_t count)
	{
		const std::size_t bytes = block_bytes(count);

		if (bytes >= region_bytes_min) {
			own(checked(lg_region_new_zeroed(bytes)));
			return;
		}
		take(bytes);
		if (bytes != 0)
			std::memset(static_cast<void *>(begin_), 0, bytes);
	}

	friend void swap(vector_storage &one, vector_storage &other) noexcept
	{
		std::swap(one.begin_, other.begin_);
		std::swap(one.limit_, other.limit_);
		std::swap(one.region_, other.region_);
	}

private:
	static constexpr std::size_t block_bytes_min = 64;

	static std::size_t block_bytes(std::size_t count) noexcept
	{
		const std::size_t wanted = count * sizeof(T);
		std::size_t bytes = wanted != 0 ? block_bytes_min : 0;

		while (bytes < wanted && bytes < region_bytes_min)
			bytes *= 2;
		return bytes < wanted ? wanted : bytes; /* the library rounds up what is a region */
	}

	/* lg_region_resize keeps the whole capacity, and where it copies it would copy what nobody wrote. */
	[[nodiscard]] bool is_mostly_unused(std::size_t used, std::size_t bytes) const noexcept
	{
		return bytes > lg_region_size(region_) && used <= capacity() / 4;
	}

	static lg_region *checked(lg_region *region)
	{
		if (region == nullptr)
			failure::memory();
		return region;
	}

	void own(lg_region *region) noexcept
	{
		region_ = region;
		begin_ = static_cast<T *>(lg_region_data(region));
		limit_ = begin_ + lg_region_size(region) / sizeof(T);
	}

	void take(std::size_t bytes)
	{
		if (bytes >= region_bytes_min) {
			own(checked(lg_region_new(bytes)));
		} else if (bytes != 0) {
			begin_ = static_cast<T *>(block_new(bytes, alignof(T)));
			limit_ = begin_ + bytes / sizeof(T);
		}
	}

	T *begin_ = nullptr;
	T *limit_ = nullptr;
	lg_region *region_ = nullptr;
};

} // namespace lg

#endif
