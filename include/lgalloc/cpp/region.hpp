/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A region and its owner. */
#ifndef LG_CPP_REGION_HPP
#define LG_CPP_REGION_HPP

#include <lgalloc/cpp/failure.hpp>
#include <lgalloc/cpp/relocate.hpp>
#include <lgalloc/cpp/span.hpp>
#include <lgalloc/lgalloc.h>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace lg
{

/*
 * Owns a region, or none: then data() is null and size() 0. Moves, does not copy; gives the region back when
 * it goes. As large as a pointer.
 *
 *     lg::region pages(std::size_t{ 3 } << 20);            // asked for 3 MiB, has 4
 *     for (std::uint64_t &word : pages.as<std::uint64_t>())
 *             word = 7;
 *     pages.resize(std::size_t{ 64 } << 20);               // the bytes come along
 */
class region
{
public:
	/* None. */
	region() noexcept = default;

	/* Of at least `bytes` bytes, contents undefined; of 0 bytes, none. Throws std::bad_alloc. */
	explicit region(std::size_t bytes)
		: handle_(bytes != 0 ? checked(lg_region_new(bytes)) : nullptr)
	{
	}

	/* As region(bytes), and the whole capacity reads zero; what is large is not touched for it. */
	[[nodiscard]] static region zeroed(std::size_t bytes)
	{
		return adopt(bytes != 0 ? checked(lg_region_new_zeroed(bytes)) : nullptr);
	}

	/* Takes over a region of lg_region_new; NULL: none. */
	[[nodiscard]] static region adopt(lg_region *handle) noexcept
	{
		region owner;

		owner.handle_ = handle;
		return owner;
	}

	region(region &&other) noexcept : handle_(other.release()) {}

	region &operator=(region &&other) noexcept
	{
		reset(other.release());
		return *this;
	}

	region(const region &) = delete;
	region &operator=(const region &) = delete;

	~region() { lg_region_free(handle_); }

	[[nodiscard]] std::byte *data() noexcept { return static_cast<std::byte *>(bytes()); }

	[[nodiscard]] const std::byte *data() const noexcept
	{
		return static_cast<const std::byte *>(bytes());
	}

	/* The capacity in bytes, a power of two; all of it may be used. */
	[[nodiscard]] std::size_t size() const noexcept
	{
		return handle_ != nullptr ? lg_region_size(handle_) : 0;
	}

	[[nodiscard]] bool empty() const noexcept { return handle_ == nullptr; }

	explicit operator bool() const noexcept { return handle_ != nullptr; }

	/* The capacity as objects of T, which are what the bytes happen to be. Valid until a resize. */
	template <class T>
	[[nodiscard]] span<T> as() noexcept
	{
		return { view<T>(), size() / sizeof(T) };
	}

	template <class T>
	[[nodiscard]] span<const T> as() const noexcept
	{
		return { view<T>(), size() / sizeof(T) };
	}

	/*
	 * A capacity for `bytes`; the first min(old, new) bytes stay, possibly at another address. What is
	 * new is undefined. 0 bytes: none. Throws std::bad_alloc, and then nothing has changed.
	 */
	void resize(std::size_t bytes)
	{
		if (bytes == 0)
			reset();
		else
			handle_ = checked(lg_region_resize(handle_, bytes));
	}

	/* lg_region_advise: 0 or -errno; -EINVAL where there is none. */
	int advise(enum lg_advice advice, std::size_t offset = 0, std::size_t length = 0) noexcept
	{
		return lg_region_advise(handle_, offset, length, advice);
	}

	/* Still owned here. */
	[[nodiscard]] lg_region *handle() const noexcept { return handle_; }

	/* No longer owned here: the caller frees it with lg_region_free. */
	[[nodiscard]] lg_region *release() noexcept { return std::exchange(handle_, nullptr); }

	/* Gives the region back and owns this one. */
	void reset(lg_region *handle = nullptr) noexcept
	{
		lg_region_free(std::exchange(handle_, handle));
	}

	friend void swap(region &one, region &other) noexcept
	{
		std::swap(one.handle_, other.handle_);
	}

private:
	static lg_region *checked(lg_region *handle)
	{
		if (handle == nullptr)
			failure::memory();
		return handle;
	}

	void *bytes() const noexcept
	{
		return handle_ != nullptr ? lg_region_data(handle_) : nullptr;
	}

	template <class T>
	T *view() const noexcept
	{
		static_assert(std::is_trivially_copyable_v<T> &&
				      std::is_trivially_destructible_v<T>,
			      "bytes can be seen as T only if T is nothing but its bytes");
		static_assert(alignof(T) <= 4096, "a region may be aligned to a page only");
		return static_cast<T *>(bytes());
	}

	lg_region *handle_ = nullptr;
};

template <>
struct is_trivially_relocatable<region> : std::true_type {
};

} // namespace lg

#endif
