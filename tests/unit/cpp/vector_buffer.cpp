/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::vector_buffer holds what std::vector would hold, whatever is done to it and whatever fails. */
#include "unit/cpp/claim.hpp"
#include "unit/cpp/item.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#ifdef __cpp_lib_ranges
#include <ranges>
static_assert(std::ranges::contiguous_range<lg::vector_buffer<int>>);
#endif

using lg::vector_buffer;

static_assert(std::is_nothrow_move_constructible_v<vector_buffer<int>>);
static_assert(std::is_nothrow_move_assignable_v<vector_buffer<int>>);
static_assert(std::is_nothrow_default_constructible_v<vector_buffer<int>>);
static_assert(lg::is_trivially_relocatable_v<std::pair<int, std::unique_ptr<int>>>);
static_assert(!lg::is_trivially_relocatable_v<std::pair<int, std::string>>);
static_assert(!std::is_constructible_v<vector_buffer<std::string>, int *>);

template <class T>
static void check_same(const vector_buffer<T> &mine, const std::vector<T> &its)
{
	CLAIM(std::equal(mine.begin(), mine.end(), its.begin(), its.end()));
	CLAIM(mine.capacity() >= mine.size());
	CLAIM((mine.handle() != nullptr) == is_in_region(mine.data()));
}

template <class T>
static void check_copy_and_move(vector_buffer<T> &mine)
{
	vector_buffer<T> copy(mine), moved(std::move(mine));

	CLAIM(mine.empty() && mine.capacity() == 0 && copy == moved);
	mine = std::move(copy);
}

/* The oracle is std::vector. Sizes cross the threshold to regions in both directions. */
template <class T>
static void agree_with_std_vector(unsigned seed, unsigned steps, unsigned most)
{
	std::minstd_rand random(seed);
	vector_buffer<T> mine;
	std::vector<T> its;
	auto below = [&](std::size_t end) {
		return end != 0 ? static_cast<std::size_t>(random()) % end : 0;
	};

	for (unsigned step = 0; step < steps; step++) {
		const T value(static_cast<unsigned char>(random()));
		const auto at = static_cast<std::ptrdiff_t>(below(its.size() + 1));
		const std::size_t count = below(most / 8);
		const std::vector<T> some(below(50), value);

		switch (random() % 16) {
		case 0:
			mine.resize(count);
			its.resize(count);
			break;
		case 1:
			mine.resize(its.size() + count, value);
			its.resize(its.size() + count, value);
			break;
		case 2:
			CLAIM(mine.insert(mine.cbegin() + at, value) == mine.begin() + at);
			its.insert(its.begin() + at, value);
			break;
		case 3:
			CLAIM(mine.insert(mine.cbegin() + at, count, value) == mine.begin() + at);
			its.insert(its.begin() + at, count, value);
			break;
		case 4:
			mine.insert(mine.cbegin() + at, some.begin(), some.end());
			its.insert(its.begin() + at, some.begin(), some.end());
			break;
		case 5: {
			const auto last =
				at + static_cast<std::ptrdiff_t>(
					     below(its.size() - static_cast<std::size_t>(at) + 1));

			mine.erase(mine.cbegin() + at, mine.cbegin() + last);
			its.erase(its.begin() + at, its.begin() + last);
			break;
		}
		case 6:
			mine.shrink_to_fit();
			break;
		case 7:
			mine.reserve(its.size() + count);
			break;
		case 8:
			check_copy_and_move(mine);
			break;
		case 9:
			mine.assign(some.begin(), some.end());
			its.assign(some.begin(), some.end());
			break;
		case 10:
			mine.assign(count, value);
			its.assign(count, value);
			break;
		case 11:
			if (!its.empty()) {
				mine.pop_back();
				its.pop_back();
			}
			break;
		default:
			for (std::size_t i = 0; i < count; i++) {
				mine.push_back(value);
				its.push_back(value);
			}
		}
		if (its.size() > most) {
			mine.erase(mine.cbegin() + most / 2, mine.cend());
			its.erase(its.begin() + most / 2, its.end());
		}
		check_same(mine, its);
	}
}

static void agrees_with_std_vector()
{
	agree_with_std_vector<std::uint64_t>(1, 3000, 40000);
	agree_with_std_vector<unsigned char>(2, 3000, 300000);
	agree_with_std_vector<item>(3, 500, 20000);
	CLAIM(item::live == 0);
}

static void small_ones_are_no_regions()
{
	vector_buffer<std::uint32_t> buffer;
	std::size_t last = 0;

	CLAIM(buffer.data() == nullptr && buffer.begin() == buffer.end());
	for (std::uint32_t i = 0; i < 100000; i++) {
		buffer.push_back(i);
		if (buffer.capacity() == last)
			continue;
		last = buffer.capacity();
		const std::size_t bytes = last * sizeof(std::uint32_t);
		CLAIM((bytes & (bytes - 1)) == 0 && bytes >= 64);
		CLAIM((buffer.handle() != nullptr) == (bytes >= lg::region_bytes_min));
	}
	CLAIM(last == (1 << 17));
	CLAIM(in_use_bytes() == last * sizeof(std::uint32_t));
	buffer.resize(70000);
	buffer.shrink_to_fit(); /* the same class */
	CLAIM(buffer.capacity() == last);
	buffer.resize(60000);
	buffer.shrink_to_fit();
	CLAIM(buffer.capacity() == last / 2);
	buffer.resize(100);
	buffer.shrink_to_fit();
	CLAIM(buffer.capacity() == 128 && buffer.handle() == nullptr);
	const auto *address = buffer.data();
	buffer.shrink_to_fit();
	CLAIM(buffer.data() == address);
	for (std::uint32_t i = 0; i < 100; i++)
		CLAIM(buffer[i] == i);
	buffer.clear();
	CLAIM(buffer.capacity() == 128);
	buffer.shrink_to_fit();
	CLAIM(buffer.capacity() == 0 && buffer.data() == nullptr);
}

static std::uint64_t resizes()
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	return stats.totals.moved + stats.totals.copied;
}

/* Mostly unused, so that not all of the capacity goes along; then more than a quarter. */
static void reserve_keeps_what_is_there()
{
	for (std::uint32_t used : { 10u, 100000u, 400000u }) {
		vector_buffer<std::uint32_t> buffer;

		buffer.reserve(1 << 19);
		for (std::uint32_t i = 0; i < used; i++)
			buffer.push_back(i);
		CLAIM(buffer.capacity() == 1 << 19);
		const std::uint64_t before = resizes();
		buffer.reserve((1 << 19) + 1);
		CLAIM(resizes() == before + (used > 1 << 17 ? 1 : 0));
		CLAIM(buffer.capacity() == 1 << 20);
		CLAIM(buffer.size() == used);
		for (std::uint32_t i = 0; i < used; i++)
			CLAIM(buffer[i] == i);
	}
}

/* Its copy cannot fail, so it is assigned in place. */
struct shared {
	std::shared_ptr<int> value;
};

template <>
struct lg::is_trivially_relocatable<shared> : std::true_type {
};

static void assignment_in_place_may_be_of_itself()
{
	vector_buffer<shared> buffer;
	const vector_buffer<shared> &itself = buffer;

	for (int i = 0; i < 10; i++)
		buffer.push_back({ std::make_shared<int>(i) });
	const auto *address = buffer.data();
	buffer = itself;
	for (int i = 0; i < 10; i++)
		CLAIM(*buffer[static_cast<std::size_t>(i)].value == i);
	buffer.assign(4, buffer[7]);
	CLAIM(buffer.data() == address && buffer.size() == 4);
	CLAIM(*buffer[3].value == 7 && buffer[0].value.use_count() == 4);
}

/* At every size, so also when it is full and the bytes move. */
static void arguments_may_be_elements()
{
	for (unsigned size = 1; size < 70; size++) {
		vector_buffer<item> buffer;

		for (unsigned i = 0; i < size; i++)
			buffer.push_back(item(i + 1));
		buffer.push_back(buffer.front());
		buffer.emplace_back(buffer[size / 2]);
		buffer.insert(buffer.cbegin(), buffer.back());
		buffer.insert(buffer.cbegin() + 1, 3, buffer.back());
		buffer.resize(buffer.size() + 9, buffer[4]);
		CLAIM(buffer[0] == item(size / 2 + 1) && buffer[3] == item(size / 2 + 1));
		CLAIM(buffer[4] == item(1) && buffer.back() == item(1));
		buffer.assign(2, buffer[5]);
		CLAIM(buffer.size() == 2 && buffer[1] == item(2 <= size ? 2u : 1u));
		buffer.assign(5, buffer[1]);
		const vector_buffer<item> &itself = buffer;
		buffer = itself;
		CLAIM(buffer.size() == 5 && buffer[4] == buffer[0]);
	}
	CLAIM(item::live == 0);
}

/* The nth element made fails, n = 0, 1, …, until none does. */
template <class Change>
static void check_strong(unsigned size, Change change)
{
	for (long made = 0;; made++) {
		vector_buffer<item> buffer;

		for (unsigned i = 0; i < size; i++)
			buffer.emplace_back(i);
		const vector_buffer<item> before(buffer);
		const std::vector<item> some{ 101, 102, 103 };
		item::until_refused = made;
		const bool failed = throws<refused>([&] { change(buffer, some); });
		item::until_refused = -1;
		if (!failed)
			break;
		CLAIM(buffer == before);
	}
	CLAIM(item::live == 0);
}

static void failure_changes_nothing()
{
	using items = vector_buffer<item>;
	using some = std::vector<item>;

	for (unsigned size : { 1u, 7u, 8u, 9u, 31u, 32u }) {
		check_strong(size, [](items &b, const some &s) { b.push_back(s[0]); });
		check_strong(size, [](items &b, const some &) { b.push_back(b[0]); });
		check_strong(size, [](items &b, const some &) { b.insert(b.cbegin(), b.back()); });
		check_strong(size, [](items &b, const some &s) { b.insert(b.cbegin(), 5, s[0]); });
		check_strong(size, [](items &b, const some &s) {
			b.insert(b.cbegin() + 1, s.begin(), s.end());
		});
		check_strong(size, [](items &b, const some &) { b.resize(b.size() + 3); });
		check_strong(size, [](items &b, const some &s) { b.resize(b.size() + 3, s[0]); });
		check_strong(size, [](items &b, const some &s) { b.assign(3, s[0]); });
		check_strong(size, [](items &b, const some &s) { b.assign(s.begin(), s.end()); });
		check_strong(size, [](items &b, const some &) {
			const items other(40, item(1));

			b = other;
		});
		check_strong(size, [](items &b, const some &) {
			std::istringstream words("1 2 3 4 5 6 7 8 9");

			b.insert(b.cbegin() + 1, std::istream_iterator<unsigned>(words),
				 std::istream_iterator<unsigned>());
		});
		check_strong(size, [](items &, const some &) { items made(5); });
		check_strong(size, [](items &, const some &) {
			std::istringstream words("1 2 3 4 5 6 7 8 9");
			items made{ std::istream_iterator<unsigned>(words),
				    std::istream_iterator<unsigned>() };
		});
	}
}

/* Where a region is refused: none is as large. */
static void refused_memory_changes_nothing()
{
	const std::size_t most = vector_buffer<std::uint64_t>::max_size();
	vector_buffer<std::uint64_t> buffer{ 1, 2, 3 };

	for (std::size_t count : { most, std::size_t{ 1 } << 40 }) {
		errno = 0;
		CLAIM(throws<std::bad_alloc>([&] { buffer.reserve(count); }));
		CLAIM(errno == ENOMEM);
		CLAIM(throws<std::bad_alloc>([&] { buffer.resize(count); }));
		CLAIM(throws<std::bad_alloc>([&] { buffer.resize_uninitialized(count); }));
		CLAIM(throws<std::bad_alloc>([&] { vector_buffer<std::uint64_t> made(count); }));
	}
	CLAIM(throws<std::length_error>([&] { buffer.reserve(most + 1); }));
	CLAIM(throws<std::length_error>([&] { buffer.resize(SIZE_MAX); }));
	CLAIM(throws<std::length_error>([&] { buffer.insert(buffer.cbegin(), most, 7); }));
	CLAIM(throws<std::length_error>([&] { vector_buffer<std::uint64_t> made(SIZE_MAX); }));
	CLAIM(throws<std::length_error>([] { vector_buffer<char>(3, 'x').resize(SIZE_MAX, 'y'); }));
	CLAIM(throws<std::length_error>([] {
		vector_buffer<char> chars(3, 'x');

		chars.insert(chars.cbegin(), SIZE_MAX, 'y');
	}));
	CLAIM(throws<std::out_of_range>([&] { buffer.at(3) = 0; }));
	CLAIM((buffer == vector_buffer<std::uint64_t>{ 1, 2, 3 }));
}

/* With span:2M no region is larger. */
static void growth_that_is_refused_changes_nothing()
{
	vector_buffer<std::pair<std::uint64_t, item>> buffer;
	errno = 0;
	CLAIM(throws<std::bad_alloc>([&] {
		for (;;)
			buffer.emplace_back(buffer.size(), 7u);
	}));
	CLAIM(errno == ENOMEM);
	CLAIM(buffer.size() == buffer.capacity());
	CLAIM(buffer.size() == (std::size_t{ 2 } << 20) / 16);
	CLAIM(throws<std::bad_alloc>([&] { buffer.insert(buffer.cbegin(), buffer.back()); }));
	CLAIM(throws<std::bad_alloc>([&] { buffer.resize(buffer.size() + 1); }));
	CLAIM(throws<std::bad_alloc>([&] {
		vector_buffer<std::pair<std::uint64_t, item>> more(buffer);

		more.insert(more.cbegin(), buffer.begin(), buffer.end());
	}));
	for (std::size_t i = 0; i < buffer.size(); i++)
		CLAIM(buffer[i].first == i && buffer[i].second == item(7));
	CLAIM(item::live == static_cast<long>(buffer.size()));
}

static void elements_need_not_move()
{
	struct pinned {
		explicit pinned(int first) : value(first) {}
		pinned(const pinned &) = delete;
		pinned &operator=(const pinned &) = delete;
		int value;
	};
	struct alignas(256) wide {
		int value = 1;
	};
	vector_buffer<std::unique_ptr<int>> owners;
	vector_buffer<wide> wides(3);

	for (int i = 0; i < 20000; i++)
		owners.push_back(std::make_unique<int>(i));
	owners.erase(owners.cbegin(), owners.cbegin() + 10000);
	owners.insert(owners.cbegin(), std::make_unique<int>(-1));
	CLAIM(*owners.front() == -1 && *owners[1] == 10000 && *owners.back() == 19999);
	for (int i = 0; i < 1000; i++) {
		wides.emplace_back();
		CLAIM(reinterpret_cast<std::uintptr_t>(&wides.back()) % 256 == 0);
	}
	CLAIM(wides[0].value == 1 && wides.back().value == 1);
	static_assert(lg::is_trivially_relocatable_v<pinned>); /* nothing of it is not trivial */
	vector_buffer<pinned> all;
	for (int i = 0; i < 1000; i++)
		all.emplace_back(i);
	CLAIM(all[999].value == 999);
}

struct node {
	vector_buffer<node> children; /* of a type that is not complete yet */
};

template <>
struct lg::is_trivially_relocatable<node> : lg::is_trivially_relocatable<vector_buffer<node>> {
};

static void may_contain_itself()
{
	node root;

	for (unsigned i = 0; i < 1000; i++) {
		root.children.emplace_back();
		root.children.back().children.resize(i % 3);
	}
	for (unsigned i = 0; i < 1000; i++)
		CLAIM(root.children[i].children.size() == i % 3);
	vector_buffer<lg::region> regions;
	for (unsigned i = 0; i < 100; i++)
		regions.emplace_back(4096);
	CLAIM(in_use_bytes() == 100 * regions[0].size());
}

static void has_the_interface_of_a_vector()
{
	const std::vector<int> source{ 3, 1, 2 };
	vector_buffer from(source.begin(), source.end());
	const vector_buffer<int> list{ 3, 1, 2 };
	vector_buffer<int> other(4, 9);

	CLAIM((std::is_same_v<decltype(from), vector_buffer<int>>));
	CLAIM(from == list && from != other);
	CLAIM(list < other && list <= other && other > list && other >= list);
	CLAIM(list.front() == 3 && list.back() == 2 && list.at(1) == 1 && *list.data() == 3);
	CLAIM(*list.rbegin() == 2 && *(list.crend() - 1) == 3 && *from.rbegin() == 2);
	std::sort(from.begin(), from.end());
	CLAIM((from == vector_buffer<int>{ 1, 2, 3 }));
	from.erase(std::remove(from.begin(), from.end(), 2), from.end());
	CLAIM((from == vector_buffer<int>{ 1, 3 }));
	swap(from, other);
	CLAIM(from.size() == 4 && other.size() == 2);
	from = { 5, 6 };
	from.insert(from.cend(), { 7, 8 });
	CLAIM(from.erase(from.cbegin()) == from.begin());
	CLAIM(from.emplace(from.cbegin() + 1, 1) == from.begin() + 1);
	CLAIM((from == vector_buffer<int>{ 6, 1, 7, 8 }));
	from.assign({ 1 });
	from.resize_uninitialized(3);
	CLAIM(from.size() == 3 && from[0] == 1);
	for (std::size_t count : { 100u, 100000u }) {
		vector_buffer<double>(count, 1.5); /* whose memory is next */
		const vector_buffer<double> zeros(count);
		CLAIM(std::all_of(zeros.begin(), zeros.end(),
				  [](double d) { return !(d > 0 || d < 0); }));
	}
	CLAIM(vector_buffer<bool>(3, true).size() == 3);
}

/* `vector_buffer small`: the one for span:2M. */
int main(int count, char **)
{
	if (count > 1)
		return run({ TEST(growth_that_is_refused_changes_nothing) });
	return run({
		TEST(agrees_with_std_vector),
		TEST(small_ones_are_no_regions),
		TEST(reserve_keeps_what_is_there),
		TEST(arguments_may_be_elements),
		TEST(assignment_in_place_may_be_of_itself),
		TEST(failure_changes_nothing),
		TEST(refused_memory_changes_nothing),
		TEST(elements_need_not_move),
		TEST(may_contain_itself),
		TEST(has_the_interface_of_a_vector),
	});
}
