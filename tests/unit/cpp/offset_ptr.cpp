/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::offset_ptr as a pointer, an iterator, and in a heap that moves. */
#include "unit/cpp/heap.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <numeric>
#include <type_traits>
#include <unordered_set>

struct base {
	int first;
};

struct derived : base {
	int second;
};

template <class T>
using pointer = lg::offset_ptr<T>;

/* As the standard asks of fancy pointers, of every kind of target. */
template <class T>
constexpr bool is_fancy =
	std::is_same_v<typename std::pointer_traits<pointer<T>>::element_type, T> &&std::is_same_v<
		typename std::pointer_traits<pointer<T>>::difference_type, std::ptrdiff_t>
		&&std::is_same_v<typename std::pointer_traits<pointer<T>>::template rebind<char>,
				 pointer<char>> &&std::is_nothrow_default_constructible_v<pointer<T>>
			&&std::is_nothrow_copy_constructible_v<pointer<T>>
				&&std::is_nothrow_copy_assignable_v<pointer<T>> &&
	sizeof(pointer<T>) == 8;

static_assert(is_fancy<int> && is_fancy<const int> && is_fancy<volatile int>);
static_assert(is_fancy<void> && is_fancy<const void>);
static_assert(is_fancy<base> && is_fancy<pointer<int>> && is_fancy<int[4]>);
static_assert(std::is_same_v<std::iterator_traits<pointer<const int>>::value_type, int>);
static_assert(std::is_same_v<std::iterator_traits<pointer<const int>>::reference, const int &>);
static_assert(std::is_same_v<std::iterator_traits<pointer<int>>::iterator_category,
			     std::random_access_iterator_tag>);
#if __cplusplus >= 202002L
static_assert(std::contiguous_iterator<pointer<int>>);
static_assert(std::contiguous_iterator<pointer<const base>>);
#endif

/* What converts by itself, what by a cast, and what not. */
static_assert(std::is_convertible_v<pointer<int>, pointer<const int>>);
static_assert(std::is_convertible_v<pointer<derived>, pointer<base>>);
static_assert(std::is_convertible_v<pointer<int>, pointer<void>>);
static_assert(std::is_convertible_v<pointer<const int>, pointer<const void>>);
static_assert(std::is_convertible_v<int *, pointer<const int>>);
static_assert(std::is_convertible_v<std::nullptr_t, pointer<int>>);
static_assert(!std::is_convertible_v<pointer<const int>, pointer<int>>);
static_assert(!std::is_constructible_v<pointer<int>, pointer<const int>>);
static_assert(!std::is_constructible_v<pointer<int>, pointer<char>>);
static_assert(!std::is_convertible_v<pointer<void>, pointer<int>>);
static_assert(std::is_constructible_v<pointer<int>, pointer<void>>);
static_assert(!std::is_constructible_v<pointer<int>, pointer<const void>>);
static_assert(!std::is_convertible_v<pointer<base>, pointer<derived>>);
static_assert(std::is_constructible_v<pointer<derived>, pointer<base>>);
static_assert(!std::is_convertible_v<pointer<int>, int *>);
static_assert(!std::is_convertible_v<pointer<int>, bool>);
static_assert(std::is_convertible_v<pointer<char>, char *>);
static_assert(std::is_convertible_v<pointer<const char>, const char *>);
static_assert(!std::is_convertible_v<pointer<const char>, char *>);
static_assert(std::is_empty_v<lg::offset_ptr_of_characters<pointer<char>, char>>);
static_assert(!lg::is_trivially_relocatable_v<pointer<int>>);

static void null_is_null()
{
	pointer<int> one, other = nullptr;
	int *none = nullptr;
	pointer<const void> nothing = one;

	CLAIM(!one && one.get() == nullptr && one == nullptr && nullptr == one);
	CLAIM(one == other && !(one != other) && one == none);
	CLAIM(!nothing && nothing == nullptr);
	int number = 7;
	one = &number;
	CLAIM(one && one != nullptr && one != other);
	other = one;
	one = nullptr;
	CLAIM(!one && *other == 7);
	pointer<int> copy(one);
	CLAIM(!copy);
	CLAIM(!pointer<int>(pointer<void>(one)));
}

/* Those of characters convert to plain pointers, which must make nothing ambiguous. */
static void characters_compare_as_the_others()
{
	char text[] = "text";
	const char *plain = text;
	pointer<char> one = text, none;
	pointer<const char> other = one;

	CLAIM(one == other && other == one && !(one != other));
	CLAIM(one == text && text == one && one == plain && plain == other && other == text);
	CLAIM(!(one != text) && !(text != one) && one != text + 1 && plain + 1 != other);
	CLAIM(one != nullptr && nullptr != one && none == nullptr && nullptr == none && !none);
	CLAIM(one && !(one == none) && one + 4 - one == 4 && one[1] == 'e' && *(1 + one) == 'e');
	CLAIM(one < one + 1 && one <= other && other >= one && one + 1 > other);
	CLAIM(std::strlen(one) == 4 && std::strlen(other) == 4);
}

static void it_points_where_a_pointer_would()
{
	derived object = {};
	pointer<derived> one(&object);
	pointer<base> up = one;
	pointer<void> any = up;

	one->second = 3;
	up->first = 2;
	(*one).first++;
	CLAIM(object.first == 3 && object.second == 3);
	CLAIM(any.get() == &object);
	CLAIM(pointer<base>(any)->first == 3);
	CLAIM(pointer<derived>(up)->second == 3);
	CLAIM(pointer<derived>::pointer_to(object) == one);
	CLAIM(std::pointer_traits<pointer<derived>>::pointer_to(object).get() == &object);
	CLAIM(up == one && pointer<const base>(up) == up);
}

/* A ring of one: the distance 0 is no null. */
static void it_may_point_to_itself()
{
	struct ring {
		pointer<ring> next;
	} one;

	one.next = &one;
	CLAIM(one.next && one.next.get() == &one && one.next->next == &one);
	pointer<char> inside(reinterpret_cast<char *>(&inside) + 8);
	CLAIM(inside.get() == reinterpret_cast<char *>(&inside) + 8);
}

static void copies_find_the_target_anew()
{
	int numbers[3] = { 1, 2, 3 };
	auto many = std::make_unique<pointer<int>[]>(1000);

	for (int i = 0; i < 1000; i++)
		many[static_cast<std::size_t>(i)] = numbers + i % 3;
	std::vector<pointer<int>> moved(many.get(), many.get() + 1000);
	many.reset();
	moved.insert(moved.begin(), numbers + 2);
	std::swap(moved.front(), moved.back());
	std::reverse(moved.begin(), moved.end());
	CLAIM(*moved.front() == 3 && *moved.back() == 1);
	CLAIM(std::accumulate(moved.begin(), moved.end(), 0,
			      [](int sum, const pointer<int> &one) { return sum + *one; }) == 2002);
	pointer<int> &self = moved.front();
	self = *&self;
	CLAIM(*self == 3);
}

static void it_is_a_random_access_iterator()
{
	int numbers[100];
	pointer<int> first = numbers, end = numbers + 100, at = first;

	std::iota(first, end, 0);
	CLAIM(numbers[99] == 99 && end - first == 100 && first - end == -100);
	CLAIM(*at++ == 0 && *at == 1 && *++at == 2 && *at-- == 2 && *--at == 0);
	at += 10;
	CLAIM(*at == 10 && at[5] == 15 && at[-5] == 5);
	at -= 3;
	CLAIM(*at == 7 && *(at + 1) == 8 && *(1 + at) == 8 && *(at - 1) == 6);
	CLAIM(first < at && at > first && first <= first && first >= first && at <= end &&
	      end >= at);
	CLAIM(!(first > at) && !(at < first) && first < numbers + 1);
	std::reverse(first, end);
	CLAIM(numbers[0] == 99);
	std::sort(first, end);
	CLAIM(std::is_sorted(numbers, numbers + 100));
	CLAIM(*std::lower_bound(pointer<const int>(first), pointer<const int>(end), 42) == 42);
	CLAIM(std::equal(std::make_reverse_iterator(end), std::make_reverse_iterator(first),
			 std::make_reverse_iterator(numbers + 100)));
	std::unordered_set<pointer<int>> set;
	set.insert(first);
	set.insert(first + 1);
	set.insert(at - 6);
	CLAIM(set.size() == 2 && set.count(numbers + 1) == 1);
}

/*
 * What is written through it is seen: the compiler may not take the store for one into the pointer. Loops, so that there is
 * something to optimise; the values are read by plain pointers and by offset pointers on the stack.
 */
static void stores_are_seen()
{
	std::vector<int> numbers(1000);
	int *plain = numbers.data();

	for (int round = 0; round < 100; round++) {
		pointer<int> stack = plain;

		for (int i = 0; i < 1000; i++) {
			int before = plain[i];

			stack[i] += round;
			CLAIM(plain[i] == before + round);
		}
	}
	int local = 1;
	pointer<int> to_local = &local;
	*to_local = 2;
	CLAIM(local == 2);
	local = 3;
	CLAIM(*to_local == 3);
}

struct node {
	int value;
	pointer<node> next;
	pointer<node> before;
};

static void a_ring_in_a_heap_is_whole_at_another_address()
{
	enum { NODES = 1000 };
	heap_file heap("offset_ptr");
	node *head = heap.set_root("ring", lg::heap_new<node>(heap));

	head->next = head->before = head;
	for (int i = 1; i < NODES; i++) {
		node *added = lg::heap_new<node>(heap);

		*added = node{ i, head, head->before };
		head->before->next = added;
		head->before = added;
	}
	for (int round = 0; round < 3; round++) {
		heap.reopen_elsewhere();
		head = heap.root<node>("ring");
		CLAIM(head != nullptr);
		int i = 0;
		pointer<node> at = head;
		do {
			CLAIM(at->value == i++);
			CLAIM(at->next->before == at);
			CLAIM(lg_heap_of(at.get()) == heap);
			at = at->next;
		} while (at != head);
		CLAIM(i == NODES);
	}
}

static void heaps_are_found_by_address()
{
	int local = 0;
	CLAIM(lg_heap_of(nullptr) == nullptr);
	CLAIM(lg_heap_of(&local) == nullptr);
	void *gone;
	{
		heap_file one("of-one"), other("of-other");
		void *in_one = lg_heap_alloc(one, 100), *in_other = lg_heap_alloc(other, 100);

		for (int i = 0; i < 3; i++) {
			CLAIM(lg_heap_of(in_one) == one);
			CLAIM(lg_heap_of(in_other) == other);
			CLAIM(lg_heap_of(in_other) == other);
			CLAIM(lg_heap_of(&local) == nullptr);
		}
		gone = in_one;
		one.reopen_elsewhere();
		CLAIM(lg_heap_of(gone) == nullptr);
		CLAIM(lg_heap_of(in_other) == other);
		CLAIM(lg_heap_of(lg_heap_at(one, 4096)) == one);
	}
	CLAIM(lg_heap_of(gone) == nullptr);
}

int main()
{
	return run({
		TEST(null_is_null),
		TEST(characters_compare_as_the_others),
		TEST(it_points_where_a_pointer_would),
		TEST(it_may_point_to_itself),
		TEST(copies_find_the_target_anew),
		TEST(it_is_a_random_access_iterator),
		TEST(stores_are_seen),
		TEST(a_ring_in_a_heap_is_whole_at_another_address),
		TEST(heaps_are_found_by_address),
	});
}
