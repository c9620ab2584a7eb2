/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A vector whose growth moves pages instead of copying elements.
 *
 * std::vector with lg::allocator writes every element once more at each doubling: the standard's allocators
 * have no call to enlarge a block, and a container may change the address of its elements only by
 * constructing new ones. lg::vector_buffer asks lg_region_resize instead:
 *
 *   backing:anon  from 512 KiB up the pages are moved to the new address by the page table: no byte is
 *                 copied, no page is touched, and there is never a moment with two of them. (While the
 *                 budget of mappings lasts, lgalloc(7); under Valgrind and the sanitizers they are copied.)
 *   backing:file  a page belongs to its place in the file, so it cannot move: the bytes are copied, old and
 *                 new region exist for that time, both with their disk blocks. Call reserve() with all there
 *                 may ever be; untouched pages take no memory, only (with reserve:on) disk blocks.
 *
 * In return elements must be trivially relocatable (relocate.hpp). A program that cannot promise that keeps
 * std::vector, and calls reserve().
 */
#ifndef LG_CPP_VECTOR_BUFFER_HPP
#define LG_CPP_VECTOR_BUFFER_HPP

#include <lgalloc/cpp/failure.hpp>
#include <lgalloc/cpp/relocate.hpp>
#include <lgalloc/cpp/vector_storage.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace lg
{

/*
 * The interface is std::vector's, with the same complexity and the same rules for iterators, which are
 * pointers. What differs:
 *   - The capacity in bytes is a power of two, from 64 up; up to 32 KiB they come from ::operator new, and
 *     from 64 KiB up they are a region. An empty one owns nothing.
 *   - Every call keeps the strong guarantee: it succeeds, or throws and has changed nothing but perhaps the
 *     capacity. That goes for insert in the middle too, and for elements that cannot be moved or whose move may throw: elements
 *     change places by their bytes alone. Where elements are assigned and one could fail, new ones are made
 *     beside the old ones.
 *   - vector_buffer(n) of numbers, enumerations or pointers begins as zero, and a large one is not touched
 *     for it. resize_uninitialized leaves what it adds as it is.
 *   - handle() is the region, for lg_region_advise.
 *   - An element added while the container is full is made on the stack first.
 *   - vector_buffer<bool> has nothing special about it.
 *
 * Throws std::length_error beyond max_size(), std::bad_alloc where a region is refused (errno and lg_error()
 * say why), and what T throws. One object is used by one thread at a time.
 */
template <class T>
class vector_buffer
{
	template <class Iterator>
	using category_of = typename std::iterator_traits<Iterator>::iterator_category;

public:
	using value_type = T;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using reference = T &;
	using const_reference = const T &;
	using pointer = T *;
	using const_pointer = const T *;
	using iterator = T *;
	using const_iterator = const T *;
	using reverse_iterator = std::reverse_iterator<iterator>;
	using const_reverse_iterator = std::reverse_iterator<const_iterator>;

	vector_buffer() noexcept = default;

	/* `count` elements, each T(). */
	explicit vector_buffer(size_type count)
	{
		check_length(count);
		if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> ||
			      std::is_pointer_v<T>) {
			storage_.take_zeroed(count);
			end_ = begin() + count;
		} else {
			storage_.resize(0, count);
			end_ = std::uninitialized_value_construct_n(begin(), count);
		}
	}

	vector_buffer(size_type count, const T &value)
	{
		reserve(count);
		end_ = std::uninitialized_fill_n(begin(), count, value);
	}

	template <class Iterator, class = category_of<Iterator>>
	vector_buffer(Iterator first, Iterator last)
		: vector_buffer() /* if one fails, the others go */
	{
		append(first, last, category_of<Iterator>());
	}

	vector_buffer(std::initializer_list<T> list) : vector_buffer(list.begin(), list.end()) {}

	vector_buffer(const vector_buffer &other) : vector_buffer(other.begin(), other.end()) {}

	vector_buffer(vector_buffer &&other) noexcept { swap(other); }

	~vector_buffer()
	{
		static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>>);
		static_assert(
			is_trivially_relocatable_v<T>,
			"lg::vector_buffer moves elements by their bytes: if T allows that, specialise "
			"lg::is_trivially_relocatable<T>");
		static_assert(std::is_nothrow_destructible_v<T>);
		static_assert(alignof(T) <= std::size_t{ 2 } << 20, "regions are aligned to 2 MiB");
		std::destroy(begin(), end());
	}

	vector_buffer &operator=(const vector_buffer &other)
	{
		if (this != &other)
			assign(other.begin(), other.end());
		return *this;
	}

	vector_buffer &operator=(vector_buffer &&other) noexcept
	{
		vector_buffer moved(std::move(other));

		swap(moved);
		return *this;
	}

	vector_buffer &operator=(std::initializer_list<T> list)
	{
		assign(list.begin(), list.end());
		return *this;
	}

	void assign(size_type count, const T &value)
	{
		if constexpr (std::is_nothrow_copy_constructible_v<T>) {
			if (count <= capacity()) {
				const T copy(value); /* it may be one of those that go */
				clear();
				end_ = std::uninitialized_fill_n(begin(), count, copy);
				return;
			}
		}
		vector_buffer other(count, value);
		swap(other);
	}

	template <class Iterator, class = category_of<Iterator>>
	void assign(Iterator first, Iterator last)
	{
		if constexpr (is_nothrow_range<Iterator>()) {
			if (count_of(first, last) <= capacity()) {
				clear();
				end_ = std::uninitialized_copy(first, last, begin());
				return;
			}
		}
		vector_buffer other(first, last);
		swap(other);
	}

	void assign(std::initializer_list<T> list) { assign(list.begin(), list.end()); }

	/* --- elements --- */

	[[nodiscard]] reference at(size_type index)
	{
		check_index(index);
		return begin()[index];
	}

	[[nodiscard]] const_reference at(size_type index) const
	{
		check_index(index);
		return begin()[index];
	}

	[[nodiscard]] reference operator[](size_type index) noexcept { return begin()[index]; }

	[[nodiscard]] const_reference operator[](size_type index) const noexcept
	{
		return begin()[index];
	}

	[[nodiscard]] reference front() noexcept { return *begin(); }

	[[nodiscard]] const_reference front() const noexcept { return *begin(); }

	[[nodiscard]] reference back() noexcept { return end_[-1]; }

	[[nodiscard]] const_reference back() const noexcept { return end_[-1]; }

	[[nodiscard]] T *data() noexcept { return begin(); }

	[[nodiscard]] const T *data() const noexcept { return begin(); }

	[[nodiscard]] iterator begin() noexcept { return storage_.begin(); }

	[[nodiscard]] const_iterator begin() const noexcept { return storage_.begin(); }

	[[nodiscard]] const_iterator cbegin() const noexcept { return storage_.begin(); }

	[[nodiscard]] iterator end() noexcept { return end_; }

	[[nodiscard]] const_iterator end() const noexcept { return end_; }

	[[nodiscard]] const_iterator cend() const noexcept { return end_; }

	[[nodiscard]] reverse_iterator rbegin() noexcept { return reverse_iterator(end()); }

	[[nodiscard]] const_reverse_iterator rbegin() const noexcept
	{
		return const_reverse_iterator(end());
	}

	[[nodiscard]] const_reverse_iterator crbegin() const noexcept
	{
		return const_reverse_iterator(end());
	}

	[[nodiscard]] reverse_iterator rend() noexcept { return reverse_iterator(begin()); }

	[[nodiscard]] const_reverse_iterator rend() const noexcept
	{
		return const_reverse_iterator(begin());
	}

	[[nodiscard]] const_reverse_iterator crend() const noexcept
	{
		return const_reverse_iterator(begin());
	}

	/* --- size --- */

	[[nodiscard]] bool empty() const noexcept { return begin() == end_; }

	[[nodiscard]] size_type size() const noexcept
	{
		return static_cast<size_type>(end_ - begin());
	}

	[[nodiscard]] size_type capacity() const noexcept { return storage_.capacity(); }

	[[nodiscard]] static constexpr size_type max_size() noexcept
	{
		return static_cast<size_type>(PTRDIFF_MAX) / sizeof(T);
	}

	/* The region the elements lie in, or null while they are few. It stays this object's. */
	[[nodiscard]] lg_region *handle() const noexcept { return storage_.region(); }

	void reserve(size_type count)
	{
		check_length(count);
		if (count > capacity())
			reallocate(count);
	}

	/* The smallest capacity that holds the elements; none for none. */
	void shrink_to_fit() { reallocate(size()); }

	/* What is added is T(). */
	void resize(size_type count)
	{
		if (count > size()) {
			reserve(count);
			end_ = std::uninitialized_value_construct_n(end_, count - size());
		} else {
			drop(begin() + count);
		}
	}

	void resize(size_type count, const T &value)
	{
		if (count > size())
			insert(cend(), count - size(), value);
		else
			drop(begin() + count);
	}

	/* What is added is whatever the memory held: write it before you read it. No page of it is touched. */
	void resize_uninitialized(size_type count)
	{
		static_assert(std::is_trivially_default_constructible_v<T> &&
				      std::is_trivially_copyable_v<T>,
			      "an element of T is there only after its constructor");
		reserve(count);
		end_ = begin() + count;
	}

	void clear() noexcept { drop(begin()); }

	/* --- adding and removing --- */

	template <class... Arguments>
	reference emplace_back(Arguments &&...arguments)
	{
		if (end_ == storage_.limit())
			return emplace_grown(std::forward<Arguments>(arguments)...);
		T *made = construct(end_, std::forward<Arguments>(arguments)...);
		++end_;
		return *made;
	}

	void push_back(const T &value) { emplace_back(value); }

	void push_back(T &&value) { emplace_back(std::move(value)); }

	void pop_back() noexcept { drop(end_ - 1); }

	template <class... Arguments>
	iterator emplace(const_iterator at, Arguments &&...arguments)
	{
		held made(std::forward<Arguments>(arguments)...);
		gap room(*this, at, 1);

		made.place(room.begin());
		return room.fill();
	}

	iterator insert(const_iterator at, const T &value) { return emplace(at, value); }

	iterator insert(const_iterator at, T &&value) { return emplace(at, std::move(value)); }

	iterator insert(const_iterator at, size_type count, const T &value)
	{
		const T copy(value); /* it may be one of ours, which are about to move */
		gap room(*this, at, count);

		std::uninitialized_fill_n(room.begin(), count, copy);
		return room.fill();
	}

	/* The range must not be of this container. */
	template <class Iterator, class = category_of<Iterator>>
	iterator insert(const_iterator at, Iterator first, Iterator last)
	{
		if constexpr (is_counted<Iterator>) {
			gap room(*this, at, count_of(first, last));

			std::uninitialized_copy(first, last, room.begin());
			return room.fill();
		} else {
			vector_buffer more(first, last);
			gap room(*this, at, more.size());

			more.hand_over(room.begin());
			return room.fill();
		}
	}

	iterator insert(const_iterator at, std::initializer_list<T> list)
	{
		return insert(at, list.begin(), list.end());
	}

	iterator erase(const_iterator at) noexcept { return erase(at, at + 1); }

	iterator erase(const_iterator first, const_iterator last) noexcept
	{
		T *from = begin() + (first - begin());
		T *to = begin() + (last - begin());

		std::destroy(from, to);
		move_bytes(from, to, static_cast<size_type>(end_ - to));
		end_ -= to - from;
		return from;
	}

	void swap(vector_buffer &other) noexcept
	{
		using std::swap;

		swap(storage_, other.storage_);
		swap(end_, other.end_);
	}

	friend void swap(vector_buffer &one, vector_buffer &other) noexcept { one.swap(other); }

	friend bool operator==(const vector_buffer &one, const vector_buffer &other)
	{
		return std::equal(one.begin(), one.end(), other.begin(), other.end());
	}

	friend bool operator!=(const vector_buffer &one, const vector_buffer &other)
	{
		return !(one == other);
	}

	friend bool operator<(const vector_buffer &one, const vector_buffer &other)
	{
		return std::lexicographical_compare(one.begin(), one.end(), other.begin(),
						    other.end());
	}

	friend bool operator>(const vector_buffer &one, const vector_buffer &other)
	{
		return other < one;
	}

	friend bool operator<=(const vector_buffer &one, const vector_buffer &other)
	{
		return !(other < one);
	}

	friend bool operator>=(const vector_buffer &one, const vector_buffer &other)
	{
		return !(one < other);
	}

private:
	template <class Iterator>
	static constexpr bool is_counted =
		std::is_base_of_v<std::forward_iterator_tag, category_of<Iterator>>;

	/* Whether nothing can fail while elements are made of it. */
	template <class Iterator>
	static constexpr bool is_nothrow_range()
	{
		constexpr bool made = noexcept(T(*std::declval<Iterator &>()));
		constexpr bool steps = noexcept(++std::declval<Iterator &>());
		constexpr bool ends =
			noexcept(std::declval<Iterator &>() != std::declval<Iterator &>());

		return is_counted<Iterator> && made && steps && ends;
	}

	/*
	 * An element before there is room for it: its arguments may lie in the bytes that are to move, and
	 * making it may fail.
	 */
	class held
	{
	public:
		template <class... Arguments>
		explicit held(Arguments &&...arguments)
			: value_(construct(bytes_, std::forward<Arguments>(arguments)...))
		{
		}

		held(const held &) = delete;
		held &operator=(const held &) = delete;

		~held()
		{
			if (value_ != nullptr)
				std::destroy_at(value_);
		}

		void place(T *at) noexcept { move_bytes(at, std::exchange(value_, nullptr), 1); }

	private:
		alignas(T) unsigned char bytes_[sizeof(T)];
		T *value_;
	};

	/* Room for elements in the middle. Unless it was filled it closes again. */
	class gap
	{
	public:
		gap(vector_buffer &owner, const_iterator at, size_type count)
			: owner_(owner), count_(count),
			  behind_(static_cast<size_type>(owner.end_ - at))
		{
			const auto index = at - owner.begin();

			owner.reserve_more(count);
			begin_ = owner.begin() + index;
			move_bytes(begin_ + count_, begin_, behind_);
		}

		gap(const gap &) = delete;
		gap &operator=(const gap &) = delete;

		~gap()
		{
			if (!filled_)
				move_bytes(begin_, begin_ + count_, behind_);
			owner_.end_ = begin_ + behind_ + (filled_ ? count_ : 0);
		}

		[[nodiscard]] T *begin() const noexcept { return begin_; }

		T *fill() noexcept
		{
			filled_ = true;
			return begin_;
		}

	private:
		vector_buffer &owner_;
		size_type count_, behind_;
		T *begin_ = nullptr;
		bool filled_ = false;
	};

/* What converts an argument was written where emplace_back is called; the warning would come from here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
	template <class... Arguments>
	static T *construct(void *at, Arguments &&...arguments)
	{
		return ::new (at) T(std::forward<Arguments>(arguments)...);
	}
#pragma GCC diagnostic pop

	/* Tells gcc, which warns of copies of more. */
	static size_type possible(size_type count) noexcept
	{
		if (count > max_size())
			__builtin_unreachable();
		return count;
	}

	static void move_bytes(T *to, const T *from, size_type count) noexcept
	{
		if (possible(count) != 0)
			std::memmove(static_cast<void *>(to), static_cast<const void *>(from),
				     count * sizeof(T));
	}

	template <class Iterator>
	static size_type count_of(Iterator first, Iterator last)
	{
		return static_cast<size_type>(std::distance(first, last));
	}

	template <class Iterator>
	void append(Iterator first, Iterator last, std::forward_iterator_tag)
	{
		reserve_more(count_of(first, last));
		end_ = std::uninitialized_copy(first, last, end_);
	}

	template <class Iterator>
	void append(Iterator first, Iterator last, std::input_iterator_tag)
	{
		for (; first != last; ++first)
			emplace_back(*first);
	}

	template <class... Arguments>
	[[gnu::noinline]] reference emplace_grown(Arguments &&...arguments)
	{
		held made(std::forward<Arguments>(arguments)...);

		reserve_more(1);
		made.place(end_);
		return *end_++;
	}

	/* All elements by their bytes; they are no longer ours then. */
	void hand_over(T *to) noexcept
	{
		move_bytes(to, begin(), size());
		end_ = begin();
	}

	void drop(T *from) noexcept
	{
		std::destroy(from, end_);
		end_ = from;
	}

	void reserve_more(size_type count)
	{
		if (count > max_size() - size())
			failure::length("lg::vector_buffer");
		reserve(size() + count);
	}

	void reallocate(size_type count)
	{
		const size_type used = possible(size());

		storage_.resize(used, count);
		end_ = begin() + used;
	}

	static void check_length(size_type count)
	{
		if (count > max_size())
			failure::length("lg::vector_buffer");
	}

	void check_index(size_type index) const
	{
		if (index >= size())
			failure::range("lg::vector_buffer::at");
	}

	vector_storage<T> storage_;
	T *end_ = nullptr;
};

template <class T>
struct is_trivially_relocatable<vector_buffer<T>> : std::true_type {
};

template <class Iterator>
vector_buffer(Iterator, Iterator)
	-> vector_buffer<typename std::iterator_traits<Iterator>::value_type>;

} // namespace lg

#endif
