/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::heap_allocator under the standard's containers, in heaps that are opened again elsewhere. */
#include "unit/cpp/heap.hpp"
#include "unit/cpp/item.hpp"

#include <cerrno>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <numeric>
#include <scoped_allocator>
#include <set>
#include <string_view>
#include <thread>

template <class T>
using allocator = lg::heap_allocator<T>;

static_assert(std::is_same_v<std::allocator_traits<allocator<int>>::pointer, lg::offset_ptr<int>>);
static_assert(
	std::is_same_v<std::allocator_traits<allocator<int>>::void_pointer, lg::offset_ptr<void>>);
static_assert(
	std::is_same_v<std::allocator_traits<allocator<int>>::rebind_alloc<char>, allocator<char>>);
static_assert(!std::is_default_constructible_v<allocator<int>>);
static_assert(!std::is_convertible_v<lg_heap *, allocator<int>>);
static_assert(std::is_convertible_v<allocator<int>, allocator<char>>);

static void allocators_of_a_heap_are_equal()
{
	heap_file one("equal-one"), other("equal-other");
	allocator<int> a(one), b(one), c(other);
	allocator<char> d(a);

	CLAIM(a == b && !(a != b) && a == d && a != c && d != c);
	CLAIM(a.heap() == one && d.heap() == one && c.heap() == other);
	auto memory = a.allocate(10);
	CLAIM(lg_heap_of(memory.get()) == one);
	CLAIM(one.objects() == 1);
	errno = 77;
	b.deallocate(memory, 10);
	CLAIM(errno == 77);
	CLAIM(one.objects() == 0);
	c = a;
	CLAIM(c == a);
}

static void what_cannot_be_is_an_exception()
{
	heap_file heap("refused");
	allocator<std::uint64_t> words(heap);

	CLAIM(throws<std::bad_array_new_length>([&] { (void)words.allocate(SIZE_MAX / 8 + 1); }));
	errno = 0;
	CLAIM(throws<std::bad_alloc>([&] { (void)words.allocate(std::size_t{ 1 } << 40); }));
	CLAIM(errno == ENOMEM);
	CLAIM(*lg_error() != '\0');
	lg::heap_vector<int> numbers(10, 1, allocator<int>(heap));
	CLAIM(throws<std::bad_alloc>([&] { numbers.reserve(std::size_t{ 1 } << 30); }));
	CLAIM(numbers.size() == 10 && numbers.back() == 1);
	item::until_refused = 3;
	CLAIM(throws<refused>(
		[&] { lg::heap_vector<item> items(10, item(1), allocator<item>(heap)); }));
	item::until_refused = 0;
	CLAIM(throws<refused>([&] { (void)lg::heap_new<item>(heap, 1u); }));
	item::until_refused = -1;
	CLAIM(item::live == 0);
	CLAIM(heap.objects() == 1);
}

/* Every member that counts is used after each opening. */
static void vectors_are_there_at_another_address()
{
	heap_file heap("vector");
	auto *numbers = heap.set_root(
		"numbers", lg::heap_new<lg::heap_vector<int>>(heap, allocator<int>(heap)));
	std::vector<int> expected;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 1000 << (2 * round); i++) {
			numbers->push_back(i * round);
			expected.push_back(i * round);
		}
		numbers->insert(numbers->begin() + 5, 3, -round);
		expected.insert(expected.begin() + 5, 3, -round);
		numbers->erase(numbers->begin() + 1, numbers->begin() + 3);
		expected.erase(expected.begin() + 1, expected.begin() + 3);
		heap.reopen_elsewhere();
		numbers = heap.root<lg::heap_vector<int>>("numbers");
		CLAIM(numbers->size() == expected.size());
		CLAIM(std::equal(numbers->begin(), numbers->end(), expected.begin(),
				 expected.end()));
		CLAIM(lg_heap_of(&numbers->front()) == heap);
		CLAIM(numbers->get_allocator().heap() == heap);
	}
	numbers->shrink_to_fit();
	auto copy = *numbers;
	CLAIM(copy == *numbers && copy.get_allocator() == numbers->get_allocator());
	auto moved = std::move(copy);
	copy = std::move(moved);
	copy.swap(*numbers);
	CLAIM(copy == *numbers);
	copy = lg::heap_vector<int>(allocator<int>(heap));
	lg::heap_delete(heap, numbers);
	CLAIM(heap.objects() == 0);
}

/* Short ones lie in the string itself, which then points to itself. */
static void strings_are_there_at_another_address()
{
	heap_file heap("string");
	auto *text = heap.set_root(
		"short", lg::heap_new<lg::heap_string>(heap, "short", allocator<char>(heap)));
	auto *long_text =
		heap.set_root("long", lg::heap_new<lg::heap_string>(heap, std::size_t{ 100 }, 'x',
								    allocator<char>(heap)));

	heap.reopen_elsewhere();
	text = heap.root<lg::heap_string>("short");
	long_text = heap.root<lg::heap_string>("long");
	CLAIM(*text == "short" && std::strlen(text->c_str()) == 5);
	CLAIM(*long_text == std::string(100, 'x').c_str());
	*text += " no more, since it has grown";
	long_text->resize(3);
	long_text->shrink_to_fit();
	heap.reopen_elsewhere();
	text = heap.root<lg::heap_string>("short");
	CLAIM(std::string_view(*text) == "short no more, since it has grown");
	CLAIM(*heap.root<lg::heap_string>("long") == "xxx");
	auto copy = *text;
	copy.swap(*heap.root<lg::heap_string>("long"));
	CLAIM(*heap.root<lg::heap_string>("long") == *text);
	CLAIM(copy == "xxx");
	CLAIM(text->find("since") == 15 && text->compare(0, 5, "short") == 0);
}

static void deques_are_there_at_another_address()
{
	using numbers = std::deque<int, allocator<int>>;
	heap_file heap("deque");
	auto *both = heap.set_root("deque", lg::heap_new<numbers>(heap, allocator<int>(heap)));

	for (int i = 0; i < 5000; i++) {
		both->push_back(i);
		both->push_front(-i);
	}
	heap.reopen_elsewhere();
	both = heap.root<numbers>("deque");
	CLAIM(both->size() == 10000);
	for (int i = 0; i < 5000; i++)
		CLAIM((*both)[static_cast<std::size_t>(5000 + i)] == i);
	CLAIM(std::accumulate(both->begin(), both->end(), 0) == 0);
	for (int i = 0; i < 5000; i++)
		both->pop_front();
	both->push_back(5000);
	heap.reopen_elsewhere();
	both = heap.root<numbers>("deque");
	CLAIM(both->size() == 5001 && both->front() == 0 && both->back() == 5000);
	lg::heap_delete(heap, both);
	CLAIM(heap.objects() == 0);
}

/* Vectors of strings: each with the allocator by hand, and all by the scoped adaptor. */
static void containers_of_containers_are_there_at_another_address()
{
	using names = lg::heap_vector<lg::heap_string>;
	using scoped = std::vector<lg::heap_string,
				   std::scoped_allocator_adaptor<allocator<lg::heap_string>>>;
	heap_file heap("nested");
	auto *by_hand = heap.set_root("names", lg::heap_new<names>(heap, allocator<char>(heap)));
	auto *by_itself = heap.set_root(
		"scoped", lg::heap_new<scoped>(heap, allocator<lg::heap_string>(heap)));

	for (int i = 0; i < 300; i++) {
		std::string name =
			std::string(static_cast<std::size_t>(i % 60), 'n') + std::to_string(i);

		by_hand->emplace_back(name.c_str(), allocator<char>(heap));
		by_itself->emplace_back(name.c_str());
	}
	for (int round = 0; round < 2; round++) {
		heap.reopen_elsewhere();
		by_hand = heap.root<names>("names");
		by_itself = heap.root<scoped>("scoped");
		CLAIM(by_hand->size() == 300 && by_itself->size() == 300);
		for (std::size_t i = 0; i < 300; i++) {
			CLAIM((*by_hand)[i] == (*by_itself)[i]);
			CLAIM(by_itself->at(i).get_allocator().heap() == heap);
			CLAIM(std::string_view((*by_hand)[i]) ==
			      std::string(i % 60, 'n') + std::to_string(i));
		}
	}
	lg::heap_delete(heap, by_hand);
	lg::heap_delete(heap, by_itself);
	CLAIM(heap.objects() == 0);
}

/* What was done since is undone, in all its parts. */
static void containers_are_as_committed()
{
	heap_file heap("commit");
	auto *numbers = heap.set_root(
		"numbers", lg::heap_new<lg::heap_vector<int>>(heap, allocator<int>(heap)));

	numbers->assign(1000, 1);
	CLAIM(lg_heap_commit(heap) == 0);
	numbers->assign(100000, 2);
	heap.reopen_without_commit();
	numbers = heap.root<lg::heap_vector<int>>("numbers");
	CLAIM(numbers->size() == 1000 && numbers->back() == 1);
	numbers->clear();
	numbers->shrink_to_fit();
	CLAIM(lg_heap_rollback(heap) == 0);
	CLAIM(numbers->size() == 1000 && numbers->front() == 1);
	CLAIM(heap.objects() == 2);
}

/* Threads fill containers of their own while one commits. */
static void threads_have_containers_of_their_own()
{
	enum { THREADS = 3, COUNT = 20000 };
	using numbers = lg::heap_vector<unsigned>;
	heap_file heap("threads");
	std::vector<std::thread> threads;

	for (unsigned me = 0; me < THREADS; me++) {
		auto *mine = lg::heap_new<numbers>(heap, allocator<unsigned>(heap));
		heap.set_root(std::to_string(me).c_str(), mine);
		threads.emplace_back([&heap, mine, me] {
			for (unsigned i = 0; i < COUNT; i++) {
				lg_heap_begin(heap);
				mine->push_back(i * me);
				lg_heap_end(heap);
			}
		});
	}
	for (int i = 0; i < 20; i++)
		CLAIM(lg_heap_commit(heap) == 0);
	for (auto &thread : threads)
		thread.join();
	heap.reopen_elsewhere();
	for (unsigned me = 0; me < THREADS; me++) {
		auto *mine = heap.root<numbers>(std::to_string(me).c_str());
		CLAIM(mine->size() == COUNT);
		for (unsigned i = 0; i < COUNT; i++)
			CLAIM((*mine)[i] == i * me);
	}
}

int main()
{
	return run({
		TEST(allocators_of_a_heap_are_equal),
		TEST(what_cannot_be_is_an_exception),
		TEST(vectors_are_there_at_another_address),
		TEST(strings_are_there_at_another_address),
		TEST(deques_are_there_at_another_address),
		TEST(containers_of_containers_are_there_at_another_address),
		TEST(containers_are_as_committed),
		TEST(threads_have_containers_of_their_own),
	});
}
