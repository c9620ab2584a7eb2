/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::allocator under the standard's containers. */
#include "unit/cpp/claim.hpp"
#include "unit/cpp/item.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

template <class T>
using vector = std::vector<T, lg::allocator<T>>;

static_assert(std::allocator_traits<lg::allocator<int>>::is_always_equal::value);
static_assert(
	std::allocator_traits<lg::allocator<int>>::propagate_on_container_move_assignment::value);
static_assert(std::is_same_v<std::allocator_traits<lg::allocator<int>>::rebind_alloc<std::string>,
			     lg::allocator<std::string>>);
static_assert(std::is_nothrow_move_assignable_v<vector<int>>);
static_assert(sizeof(vector<int>) == sizeof(std::vector<int>));

static void size_alone_decides()
{
	lg::allocator<char> bytes;

	for (std::size_t n :
	     { std::size_t{ 0 }, std::size_t{ 1 }, std::size_t{ 4096 }, lg::region_bytes_min - 1,
	       lg::region_bytes_min, lg::region_bytes_min + 1, std::size_t{ 1 } << 20 }) {
		char *address = bytes.allocate(n);

		CLAIM(address != nullptr);
		CLAIM(is_in_region(address) == (n >= lg::region_bytes_min));
		std::memset(address, 'a', n);
		bytes.deallocate(address, n);
		CLAIM(in_use_bytes() == 0);
	}
	/* The same bytes as fewer objects. */
	lg::allocator<std::uint64_t> words;
	std::uint64_t *address = words.allocate(lg::region_bytes_min / 8);
	CLAIM(is_in_region(address));
	words.deallocate(address, lg::region_bytes_min / 8);
	CLAIM(in_use_bytes() == 0);
}

template <class T>
static void check_alignment()
{
	lg::allocator<T> allocator;

	for (std::size_t n : { 1u, 3u, 100u }) {
		T *address = allocator.allocate(n);

		CLAIM(reinterpret_cast<std::uintptr_t>(address) % alignof(T) == 0);
		std::memset(static_cast<void *>(address), 'a', n * sizeof(T));
		allocator.deallocate(address, n);
	}
	CLAIM(in_use_bytes() == 0);
}

template <std::size_t Alignment>
struct alignas(Alignment) aligned {
	char bytes[Alignment];
};

static void over_aligned_objects_are_aligned()
{
	check_alignment<aligned<16>>();
	check_alignment<aligned<32>>();
	check_alignment<aligned<256>>();
	check_alignment<aligned<4096>>();
	check_alignment<aligned<(std::size_t{ 128 } << 10)>>();
}

static void what_cannot_be_is_an_exception()
{
	lg::allocator<std::uint64_t> words;
	auto ask = [&](std::size_t n) { words.deallocate(words.allocate(n), n); };

	CLAIM(throws<std::bad_array_new_length>([&] { ask(SIZE_MAX / 8 + 1); }));
	CLAIM(throws<std::bad_array_new_length>([&] { ask(SIZE_MAX); }));
	errno = 0;
	CLAIM(throws<std::bad_alloc>([&] { ask(std::size_t{ 1 } << 40); }));
	CLAIM(errno == ENOMEM);
	CLAIM(*lg_error() != '\0');
	CLAIM(throws<std::length_error>([] { vector<int>(SIZE_MAX); }));
	CLAIM(in_use_bytes() == 0);
}

static void containers_keep_their_elements()
{
	enum { COUNT = 100000 };
	vector<unsigned> vector;
	std::deque<unsigned, lg::allocator<unsigned>> deque;
	std::list<unsigned, lg::allocator<unsigned>> list;
	std::unordered_map<unsigned, unsigned, std::hash<unsigned>, std::equal_to<>,
			   lg::allocator<std::pair<const unsigned, unsigned>>>
		table;
	std::map<unsigned, unsigned, std::less<>, lg::allocator<std::pair<const unsigned, unsigned>>>
		tree;
	std::basic_string<char, std::char_traits<char>, lg::allocator<char>> string;

	for (unsigned i = 0; i < COUNT; i++) {
		vector.push_back(i);
		deque.push_front(i);
		list.push_back(i);
		table[i] = ~i;
		tree[i] = ~i;
		string += static_cast<char>('a' + i % 26);
	}
	CLAIM(is_in_region(vector.data()));
	CLAIM(is_in_region(string.data()));
	CLAIM(in_use_bytes() >= COUNT * sizeof(void *)); /* the table's buckets */
	auto in_list = list.begin();
	for (unsigned i = 0; i < COUNT; i++) {
		CLAIM(vector[i] == i);
		CLAIM(deque[COUNT - 1 - i] == i);
		CLAIM(*in_list++ == i);
		CLAIM(table.at(i) == ~i);
		CLAIM(tree.at(i) == ~i);
		CLAIM(string[i] == static_cast<char>('a' + i % 26));
	}
	auto copy = vector;
	CLAIM(copy == vector);
	const unsigned *data = vector.data();
	auto moved = std::move(vector);
	CLAIM(moved.data() == data);
	copy.swap(moved);
	CLAIM(copy.data() == data);
	std::list<unsigned, lg::allocator<unsigned>> other;
	other.splice(other.end(), list);
	CLAIM(other.size() == COUNT);
	table.clear();
	table.rehash(0);
}

static void nothing_is_left()
{
	CLAIM(in_use_bytes() == 0);
	CLAIM(item::live == 0);
}

static void failing_element_leaks_nothing()
{
	enum { COUNT = 40000 };

	for (long made : { 0L, 1L, 30000L, 60000L }) {
		item::until_refused = made;
		CLAIM(throws<refused>([] {
			vector<item> items(COUNT);

			items.push_back(item(1)); /* moves all of them */
		}));
		item::until_refused = -1;
		nothing_is_left();
	}
}

static void shared_objects_lie_in_regions()
{
	struct page {
		unsigned char bytes[100000];
	};
	auto shared = std::allocate_shared<page>(lg::allocator<page>());
	std::weak_ptr<page> weak = shared;

	CLAIM(is_in_region(shared.get()));
	std::memset(shared->bytes, 's', sizeof(shared->bytes));
	std::thread([last = std::move(shared)]() mutable { last.reset(); }).join();
	CLAIM(weak.expired());
	weak.reset();
	CLAIM(in_use_bytes() == 0);
}

/* Each thread makes blocks of both kinds and the next one checks and frees them. */
static void blocks_are_freed_by_other_threads()
{
	enum { THREADS = 4, BLOCKS = 50 };
	std::vector<std::vector<vector<unsigned>>> made(THREADS);
	std::vector<std::thread> threads;

	for (int round = 0; round < 4; round++) {
		for (unsigned me = 0; me < THREADS; me++)
			threads.emplace_back([&made, me] {
				for (unsigned i = 0; i < BLOCKS; i++)
					made[me].emplace_back((i % 2 != 0 ? 100u : 20000u) + i, me);
			});
		for (auto &thread : threads)
			thread.join();
		threads.clear();
		std::atomic<unsigned> wrong{ 0 };
		for (unsigned me = 0; me < THREADS; me++)
			threads.emplace_back([&made, &wrong, me] {
				unsigned other = (me + 1) % THREADS;

				for (auto &block : made[other])
					for (unsigned value : block)
						wrong += value != other;
				made[other].clear();
			});
		for (auto &thread : threads)
			thread.join();
		threads.clear();
		CLAIM(wrong.load() == 0);
	}
	CLAIM(in_use_bytes() == 0);
}

int main()
{
	return run({
		TEST(size_alone_decides),
		TEST(over_aligned_objects_are_aligned),
		TEST(what_cannot_be_is_an_exception),
		TEST(containers_keep_their_elements),
		TEST(failing_element_leaks_nothing),
		TEST(shared_objects_lie_in_regions),
		TEST(blocks_are_freed_by_other_threads),
	});
}
