/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Objects one after the other that somebody else owns: what std::span is from C++20 on, and converts to it. */
#ifndef LG_CPP_SPAN_HPP
#define LG_CPP_SPAN_HPP

#include <cstddef>

#if __cplusplus >= 202002L && __has_include(<ranges>)
#include <ranges>
#endif

namespace lg
{

/* Valid as long as what it was taken from stays as it is. Indices are not checked. */
template <class T>
class span
{
public:
	constexpr span() noexcept = default;

	constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

	[[nodiscard]] constexpr T *data() const noexcept { return data_; }

	/* In objects. */
	[[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

	[[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

	[[nodiscard]] constexpr T *begin() const noexcept { return data_; }

	[[nodiscard]] constexpr T *end() const noexcept { return data_ + size_; }

	[[nodiscard]] constexpr T &operator[](std::size_t index) const noexcept
	{
		return data_[index];
	}

private:
	T *data_ = nullptr;
	std::size_t size_ = 0;
};

} // namespace lg

#ifdef __cpp_lib_ranges
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<lg::span<T>> = true;
#endif

#endif
