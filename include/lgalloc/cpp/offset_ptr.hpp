/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A pointer that means the same object wherever its heap is mapped: it keeps how far the object is from itself.
 *
 *     struct node {
 *             int value;
 *             lg::offset_ptr<node> next;
 *     };
 *
 * It is a random access iterator (in C++20 a contiguous one) and a fancy pointer as the standard's allocators
 * have them, of const and void too. Where it is copied to it finds its object anew, so it may lie in the heap, on
 * the stack or anywhere, but not be copied by its bytes: memcpy, std::bit_cast and lg::is_trivially_relocatable
 * are not for it. One that lies in a heap points into the same heap, or nowhere: what it says of other memory
 * holds in this process only.
 *
 * Null is a distance of 1: nothing of a pointer's target begins inside the pointer, while the distance 0 is needed
 * by rings, whose first member points to itself. So memory of zeros is not null, but a pointer to itself: what
 * lg_heap_calloc gave holds offset pointers only after their constructors have run.
 *
 * It costs an addition and a comparison for each use. lg_ref, from the start of the heap, is the other way to write
 * an address down: relocatable by bytes and null when zero, but of no use without the heap.
 */
#ifndef LG_CPP_OFFSET_PTR_HPP
#define LG_CPP_OFFSET_PTR_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

namespace lg
{

/*
 * GCC's std::basic_string, up to 14 at least, takes for granted that its pointer converts to a plain one by itself. So that
 * one of characters does; all others say get().
 */
template <class Pointer, class T, class Plain = std::remove_const_t<T>>
struct offset_ptr_of_characters {
};

template <class Pointer, class T>
struct offset_ptr_to_plain {
	operator T *() const noexcept { return static_cast<const Pointer &>(*this).get(); }
};

template <class Pointer, class T>
struct offset_ptr_of_characters<Pointer, T, char> : offset_ptr_to_plain<Pointer, T> {
};

template <class Pointer, class T>
struct offset_ptr_of_characters<Pointer, T, wchar_t> : offset_ptr_to_plain<Pointer, T> {
};

template <class Pointer, class T>
struct offset_ptr_of_characters<Pointer, T, char16_t> : offset_ptr_to_plain<Pointer, T> {
};

template <class Pointer, class T>
struct offset_ptr_of_characters<Pointer, T, char32_t> : offset_ptr_to_plain<Pointer, T> {
};

#ifdef __cpp_char8_t
template <class Pointer, class T>
struct offset_ptr_of_characters<Pointer, T, char8_t> : offset_ptr_to_plain<Pointer, T> {
};
#endif

template <class T>
class offset_ptr : public offset_ptr_of_characters<offset_ptr<T>, T>
{
	template <class Other>
	static constexpr bool converts = std::is_convertible_v<Other *, T *>;

	/* As static_cast: from void, and down to a derived class. */
	template <class Other, class = void>
	struct casts : std::false_type {
	};
	template <class Other>
	struct casts<Other, std::void_t<decltype(static_cast<T *>(std::declval<Other *>()))>>
		: std::bool_constant<!converts<Other>> {
	};

public:
	using element_type = T;
	using value_type = std::remove_cv_t<T>;
	using difference_type = std::ptrdiff_t;
	using pointer = T *;
	using reference = std::add_lvalue_reference_t<T>;
	using iterator_category = std::random_access_iterator_tag;
#if __cplusplus >= 202002L
	using iterator_concept = std::contiguous_iterator_tag;
#endif

	offset_ptr() noexcept : distance_(null)
	{
	}

	offset_ptr(std::nullptr_t) noexcept : distance_(null)
	{
	}

	offset_ptr(T *target) noexcept
	{
		set(target);
	}

	offset_ptr(const offset_ptr &other) noexcept
	{
		set(other.get());
	}

	template <class Other, std::enable_if_t<converts<Other>, int> = 0>
	offset_ptr(const offset_ptr<Other> &other) noexcept
	{
		set(other.get());
	}

	template <class Other, std::enable_if_t<casts<Other>::value, int> = 0>
	explicit offset_ptr(const offset_ptr<Other> &other) noexcept
	{
		set(static_cast<T *>(other.get()));
	}

	~offset_ptr() = default;

	offset_ptr &operator=(const offset_ptr &other) noexcept
	{
		set(other.get());
		return *this;
	}

	/* The object, as an address of this opening of the heap; null is nullptr. */
	T *get() const noexcept
	{
		return distance_ == null ? nullptr : behind(0);
	}

	template <class Target = T, std::enable_if_t<!std::is_void_v<Target>, int> = 0>
	static offset_ptr pointer_to(Target &target) noexcept
	{
		return offset_ptr(std::addressof(target));
	}

	explicit operator bool() const noexcept
	{
		return distance_ != null;
	}

	reference operator*() const noexcept
	{
		return *behind(0);
	}

	/* Also of no object, and of an array's end: std::to_address asks here. */
	T *operator->() const noexcept
	{
		return get();
	}

	reference operator[](difference_type index) const noexcept
	{
		return *behind(static_cast<std::uintptr_t>(index) * sizeof(T));
	}

	offset_ptr &operator+=(difference_type count) noexcept
	{
		set(get() + count);
		return *this;
	}

	offset_ptr &operator-=(difference_type count) noexcept
	{
		set(get() - count);
		return *this;
	}

	offset_ptr &operator++() noexcept
	{
		return *this += 1;
	}

	offset_ptr &operator--() noexcept
	{
		return *this -= 1;
	}

	offset_ptr operator++(int) noexcept
	{
		T *before = get();

		set(before + 1);
		return offset_ptr(before);
	}

	offset_ptr operator--(int) noexcept
	{
		T *before = get();

		set(before - 1);
		return offset_ptr(before);
	}

	friend offset_ptr operator+(const offset_ptr &one, difference_type count) noexcept
	{
		return offset_ptr(one.get() + count);
	}

	friend offset_ptr operator+(difference_type count, const offset_ptr &one) noexcept
	{
		return offset_ptr(one.get() + count);
	}

	friend offset_ptr operator-(const offset_ptr &one, difference_type count) noexcept
	{
		return offset_ptr(one.get() - count);
	}

	friend difference_type operator-(const offset_ptr &one, const offset_ptr &other) noexcept
	{
		return one.get() - other.get();
	}

private:
	static constexpr std::ptrdiff_t null = 1;

	/*
	 * What lies so many bytes behind the target, which is not null. A compiler may hold that what is computed from the
	 * address of one object, by way of integers too, points into that object (GCC says so), and so miss that a
	 * store through it changes another. The empty instruction hides from it where the sum came from.
	 */
	T *behind(std::uintptr_t bytes) const noexcept
	{
		std::uintptr_t address = reinterpret_cast<std::uintptr_t>(this) +
					 static_cast<std::uintptr_t>(distance_) + bytes;

		__asm__("" : "+r"(address));
		return reinterpret_cast<T *>(address);
	}

	void set(T *target) noexcept
	{
		distance_ = target == nullptr ? null :
						static_cast<std::ptrdiff_t>(
							reinterpret_cast<std::uintptr_t>(target) -
							reinterpret_cast<std::uintptr_t>(this));
	}

	std::ptrdiff_t distance_;
};

/* What two sides of a comparison are as plain pointers. */
template <class T>
T *offset_ptr_plain(const offset_ptr<T> &pointer) noexcept
{
	return pointer.get();
}

template <class T>
T *offset_ptr_plain(T *pointer) noexcept
{
	return pointer;
}

inline std::nullptr_t offset_ptr_plain(std::nullptr_t) noexcept
{
	return nullptr;
}

template <class T>
inline constexpr bool is_offset_ptr = false;

template <class T>
inline constexpr bool is_offset_ptr<offset_ptr<T>> = true;

/* Offset pointers are compared as their addresses are, with each other, with addresses and with nullptr. */
template <class One, class Other>
using offset_ptr_compared =
	std::enable_if_t<(is_offset_ptr<One> || is_offset_ptr<Other>),
			 decltype(offset_ptr_plain(std::declval<const One &>()) ==
				  offset_ptr_plain(std::declval<const Other &>()))>;

template <class One, class Other>
offset_ptr_compared<One, Other> operator==(const One &one, const Other &other) noexcept
{
	return offset_ptr_plain(one) == offset_ptr_plain(other);
}

template <class One, class Other>
offset_ptr_compared<One, Other> operator!=(const One &one, const Other &other) noexcept
{
	return offset_ptr_plain(one) != offset_ptr_plain(other);
}

template <class One, class Other>
offset_ptr_compared<One, Other> operator<(const One &one, const Other &other) noexcept
{
	return std::less<>()(offset_ptr_plain(one), offset_ptr_plain(other));
}

template <class One, class Other>
offset_ptr_compared<One, Other> operator>(const One &one, const Other &other) noexcept
{
	return other < one;
}

template <class One, class Other>
offset_ptr_compared<One, Other> operator<=(const One &one, const Other &other) noexcept
{
	return !(other < one);
}

template <class One, class Other>
offset_ptr_compared<One, Other> operator>=(const One &one, const Other &other) noexcept
{
	return !(one < other);
}

} // namespace lg

template <class T>
struct std::hash<lg::offset_ptr<T>> {
	std::size_t operator()(const lg::offset_ptr<T> &pointer) const noexcept
	{
		return std::hash<T *>()(pointer.get());
	}
};

#endif
