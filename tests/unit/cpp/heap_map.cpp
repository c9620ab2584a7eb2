/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::heap_map against std::map, through openings at other addresses. */
#include "unit/cpp/heap.hpp"
#include "unit/cpp/item.hpp"

#include <map>
#include <random>
#include <string_view>

using table = lg::heap_map<std::uint64_t, std::uint64_t>;

static_assert(!std::is_copy_constructible_v<table> && !std::is_copy_assignable_v<table>);
static_assert(std::is_convertible_v<table::iterator, table::const_iterator>);
static_assert(!std::is_convertible_v<table::const_iterator, table::iterator>);

static void same(const table &one, const std::map<std::uint64_t, std::uint64_t> &oracle)
{
	auto expected = oracle.begin();

	CLAIM(one.size() == oracle.size() && one.empty() == oracle.empty());
	for (const auto &[key, value] : one) {
		CLAIM(expected != oracle.end());
		CLAIM(key == expected->first && value == expected->second);
		++expected;
	}
	CLAIM(expected == oracle.end());
}

static void it_does_as_the_standards_map()
{
	heap_file heap("map");
	auto *map = heap.set_root("map", lg::heap_new<table>(heap, heap));
	std::map<std::uint64_t, std::uint64_t> oracle;
	std::mt19937_64 random(5);

	same(*map, oracle);
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < 5000; i++) {
			const std::uint64_t key = random() % 3000, value = random();

			switch (random() % 4) {
			case 0:
				CLAIM(map->erase(key) == oracle.erase(key));
				break;
			case 1:
				(*map)[key] = oracle[key] = value;
				break;
			case 2: {
				auto [at, made] = map->try_emplace(key, value);
				auto [expected, expected_made] = oracle.try_emplace(key, value);

				CLAIM(made == expected_made && at->first == key);
				CLAIM(at->second == expected->second);
				break;
			}
			default: {
				auto at = map->lower_bound(key);
				auto expected = oracle.lower_bound(key);

				CLAIM((at == map->end()) == (expected == oracle.end()));
				CLAIM(expected == oracle.end() || at->first == expected->first);
				CLAIM(map->contains(key) == (oracle.count(key) == 1));
				CLAIM((map->find(key) == map->end()) == (oracle.count(key) == 0));
			}
			}
		}
		same(*map, oracle);
		heap.reopen_elsewhere();
		map = heap.root<table>("map");
		same(*map, oracle);
	}
	CLAIM(throws<std::out_of_range>([&] { (void)map->at(std::uint64_t{ 3000 }); }));
	const table &fixed = *map;
	CLAIM(fixed.at(oracle.begin()->first) == oracle.begin()->second);
	CLAIM(fixed.find(oracle.begin()->first) == fixed.begin());
	map->clear();
	oracle.clear();
	same(*map, oracle);
	CLAIM(heap.objects() == 1);
	(*map)[1] = 2;
	lg::heap_delete(heap, map);
	CLAIM(heap.objects() == 0);
}

/* Keys and values that allocate, looked up by what is no key. */
static void strings_are_keys()
{
	using names = lg::heap_map<lg::heap_string, lg::heap_string>;
	heap_file heap("map-strings");
	lg::heap_allocator<char> allocator(heap);
	auto *map = heap.set_root("map", lg::heap_new<names>(heap, heap));

	for (int i = 0; i < 500; i++) {
		std::string key = "key " + std::to_string(i * 7919 % 500);
		std::string value(static_cast<std::size_t>(i % 40), 'v');

		map->try_emplace(lg::heap_string(key.c_str(), allocator), value.c_str(), allocator);
	}
	heap.reopen_elsewhere();
	map = heap.root<names>("map");
	CLAIM(map->size() == 500);
	for (int i = 0; i < 500; i++) {
		std::string key = "key " + std::to_string(i * 7919 % 500);

		CLAIM(map->at(std::string_view(key)).size() == static_cast<std::size_t>(i % 40));
		CLAIM(map->contains(key.c_str()));
	}
	CLAIM(!map->contains("key"));
	CLAIM(map->erase("key 3") == 1 && map->erase("key 3") == 0);
	for (auto at = map->begin(), next = at; ++next != map->end(); at = next)
		CLAIM(at->first < next->first);
	lg::heap_delete(heap, map);
	CLAIM(heap.objects() == 0);
}

static void failing_element_leaks_nothing()
{
	heap_file heap("map-fails");
	auto *map = lg::heap_new<lg::heap_map<int, item>>(heap, heap);

	for (int i = 0; i < 100; i++)
		map->try_emplace(i, static_cast<unsigned>(i));
	item::until_refused = 0;
	CLAIM(throws<refused>([&] { map->try_emplace(1000, 1u); }));
	item::until_refused = -1;
	CLAIM(map->size() == 100 && !map->contains(1000));
	CLAIM(heap.objects() == 101);
	lg::heap_delete(heap, map);
	CLAIM(item::live == 0);
	CLAIM(heap.objects() == 0);
}

int main()
{
	return run({
		TEST(it_does_as_the_standards_map),
		TEST(strings_are_keys),
		TEST(failing_element_leaks_nothing),
	});
}
