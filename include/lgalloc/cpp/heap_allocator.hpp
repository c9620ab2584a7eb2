/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The standard allocator over a persistent heap: containers that lie in a file, with all they hold. */
#ifndef LG_CPP_HEAP_ALLOCATOR_HPP
#define LG_CPP_HEAP_ALLOCATOR_HPP

#include <lgalloc/cpp/failure.hpp>
#include <lgalloc/cpp/offset_ptr.hpp>
#include <lgalloc/heap.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lg
{

/*
 * For containers that keep what the allocator calls a pointer, which here is lg::offset_ptr: they are well when
 * the heap is opened again, at whatever address. The container itself is made in the heap too, and found by a root:
 *
 *     using numbers = lg::heap_vector<int>;   // std::vector<int, lg::heap_allocator<int>>
 *
 *     lg_heap *heap = lg_heap_open("data.heap", "create:on");
 *     auto *list = static_cast<numbers *>(lg_heap_at(heap, lg_heap_root_get(heap, "numbers")));
 *     if (list == nullptr) {
 *             list = lg::heap_new<numbers>(heap, lg::heap_allocator<int>(heap));
 *             lg_heap_root_set(heap, "numbers", lg_heap_ref(heap, list));
 *     }
 *     list->push_back(1);
 *     lg_heap_commit(heap);
 *
 * Which containers
 *   Each library decides which of its containers keep their allocator's pointers. GCC's, of which version 12 is what is
 *   tested here, does so in std::vector, std::basic_string and std::deque. In std::list, forward_list, map, set,
 *   their unordered kin and std::vector<bool> it keeps plain pointers, which the next opening makes wrong: none of
 *   these compiles with this allocator. What is there for ordered pairs instead is lg::heap_map (heap_map.hpp).
 *   Objects with virtual functions have a plain pointer, too, to their class's table, and are refused in the same way.
 *   What nobody can see for you: a T *, reference, std::string_view, std::function or std::shared_ptr as a member.
 *
 * It keeps, as an offset pointer, a place in its heap, and asks lg_heap_of for the heap that is there: so it may lie in
 * the heap itself, on the stack or anywhere, as long as the heap is open. Allocators of one heap are equal; a
 * container's copy is in the heap of the original.
 *
 * Steps of a container are not atomic for a commit in another thread: put them between lg_heap_begin and
 * lg_heap_end, as any change of the heap. An exception leaves the container as the standard says, but what the
 * last commit has is what a crash leaves.
 */
template <class T>
class heap_allocator
{
	template <class Other>
	friend class heap_allocator;

	static_assert(!std::is_same_v<T, bool>,
		      "std::vector<bool> keeps plain pointers; take char");

public:
	using value_type = T;
	using pointer = offset_ptr<T>;
	using const_pointer = offset_ptr<const T>;
	using void_pointer = offset_ptr<void>;
	using const_void_pointer = offset_ptr<const void>;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using is_always_equal = std::false_type;
	using propagate_on_container_move_assignment = std::true_type;
	using propagate_on_container_swap = std::true_type;

	explicit heap_allocator(lg_heap *heap) noexcept
		: place_(static_cast<char *>(lg_heap_at(heap, place)))
	{
	}

	template <class Other>
	heap_allocator(const heap_allocator<Other> &other) noexcept : place_(other.place_)
	{
	}

	/* The heap, while it is open. */
	lg_heap *heap() const noexcept { return lg_heap_of(place_.get()); }

	/*
	 * Memory for n objects, contents undefined. std::bad_array_new_length if their bytes cannot be counted;
	 * std::bad_alloc where lg_heap_alloc gives NULL: errno and lg_error() are its.
	 */
	[[nodiscard]] pointer allocate(size_type n)
	{
		static_assert(alignof(T) <= 16, "objects in a heap are aligned to 16 bytes");
		static_assert(
			!std::is_polymorphic_v<T>,
			"an object with virtual functions has a plain pointer to their table");
		static_assert(!keeps_plain_pointers(),
			      "this container keeps plain pointers between its nodes");
		if (n > SIZE_MAX / sizeof(T))
			failure::array_length();
		void *memory = lg_heap_alloc(heap(), n * sizeof(T));
		if (memory == nullptr)
			failure::memory();
		return pointer(static_cast<T *>(memory));
	}

	/* Gives back what allocate(n) of an equal allocator gave. */
	void deallocate(pointer address, size_type) noexcept
	{
		const int before = errno;

		(void)lg_heap_free(heap(), address.get());
		errno = before;
	}

private:
	/* GCC's nodes of forward lists and hash tables take memory from any allocator, and forget its pointer. */
	static constexpr bool keeps_plain_pointers() noexcept
	{
		const std::string_view name = __PRETTY_FUNCTION__;

		return name.find("T = std::_Fwd_list_node<") != name.npos ||
		       name.find("T = std::__detail::_Hash_node<") != name.npos;
	}

	/* Any ref would do. The first page's contents are the file's, and nobody's here. */
	static constexpr lg_ref place = 16;

	offset_ptr<char> place_;
};

template <class T, class Other>
bool operator==(const heap_allocator<T> &one, const heap_allocator<Other> &other) noexcept
{
	return one.heap() == other.heap();
}

template <class T, class Other>
bool operator!=(const heap_allocator<T> &one, const heap_allocator<Other> &other) noexcept
{
	return !(one == other);
}

template <class T>
using heap_vector = std::vector<T, heap_allocator<T>>;

using heap_string = std::basic_string<char, std::char_traits<char>, heap_allocator<char>>;

/* An object in the heap, made of these arguments. std::bad_alloc, or what its constructor throws. */
template <class T, class... Arguments>
[[nodiscard]] T *heap_new(lg_heap *heap, Arguments &&...arguments)
{
	struct guard {
		heap_allocator<T> allocator;
		offset_ptr<T> memory;

		~guard()
		{
			if (memory)
				allocator.deallocate(memory, 1);
		}
	};
	heap_allocator<T> allocator(heap);
	guard unmade{ allocator, allocator.allocate(1) };
	T *made = ::new (static_cast<void *>(unmade.memory.get()))
		T(std::forward<Arguments>(arguments)...);

	unmade.memory = nullptr;
	return made;
}

/* Destroys it and gives its memory back. nullptr does nothing. */
template <class T>
void heap_delete(lg_heap *heap, T *object) noexcept
{
	if (object == nullptr)
		return;
	object->~T();
	heap_allocator<T>(heap).deallocate(offset_ptr<T>(object), 1);
}

} // namespace lg

#endif
