/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::memory_resource below std::pmr. */
#include "unit/cpp/claim.hpp"

#include <cerrno>
#include <cstring>
#include <memory_resource>
#include <string>
#include <unordered_map>
#include <vector>

/* Counts what it passes on, and what comes back. */
class counting : public std::pmr::memory_resource
{
public:
	std::size_t calls = 0, bytes = 0;

private:
	void *do_allocate(std::size_t asked, std::size_t alignment) override
	{
		calls++;
		bytes += asked;
		return std::pmr::new_delete_resource()->allocate(asked, alignment);
	}

	void do_deallocate(void *address, std::size_t asked, std::size_t alignment) override
	{
		bytes -= asked;
		std::pmr::new_delete_resource()->deallocate(address, asked, alignment);
	}

	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		return this == &other;
	}
};

static void small_requests_go_upstream()
{
	counting upstream;
	lg::memory_resource resource(&upstream, 8192);

	CLAIM(resource.upstream_resource() == &upstream);
	CLAIM(resource.bytes_min() == 8192);
	for (std::size_t bytes : { 1u, 8191u, 8192u, 100000u }) {
		upstream.calls = 0;
		for (std::size_t alignment = 1; alignment <= 1 << 20; alignment *= 16) {
			/* A first one may be aligned by chance. */
			void *addresses[] = { resource.allocate(bytes, alignment),
					      resource.allocate(bytes, alignment) };

			for (void *address : addresses) {
				CLAIM(reinterpret_cast<std::uintptr_t>(address) % alignment == 0);
				CLAIM(is_in_region(address) == (bytes >= 8192));
				std::memset(address, 'a', bytes);
				resource.deallocate(address, bytes, alignment);
			}
		}
		CLAIM(upstream.calls == (bytes < 8192 ? 12u : 0u));
		CLAIM(upstream.bytes == 0);
		CLAIM(in_use_bytes() == 0);
	}
}

static void equal_ones_free_for_each_other()
{
	counting one, other;
	lg::memory_resource a(&one), b(&one), c(&other), d(&one, 4096), e;

	CLAIM(a == a);
	CLAIM(a == b);
	CLAIM(a != c);
	CLAIM(a != d);
	CLAIM(a != *std::pmr::new_delete_resource());
	CLAIM(e == *lg::region_resource());
	CLAIM(lg::region_resource() == lg::region_resource());
	for (std::size_t bytes : { std::size_t{ 100 }, std::size_t{ 100000 } })
		b.deallocate(a.allocate(bytes), bytes);
	CLAIM(one.bytes == 0);
	CLAIM(in_use_bytes() == 0);
}

static void containers_use_it()
{
	{
		std::pmr::vector<unsigned> vector(lg::region_resource());
		std::pmr::string string(lg::region_resource());

		for (unsigned i = 0; i < 50000; i++)
			vector.push_back(i);
		string.assign(100000, 's');
		CLAIM(is_in_region(vector.data()));
		CLAIM(is_in_region(string.data()));
		for (unsigned i = 0; i < 50000; i++)
			CLAIM(vector[i] == i);
		std::pmr::vector<unsigned> moved(std::move(vector), lg::region_resource());
		CLAIM(moved.size() == 50000);
		std::pmr::vector<unsigned> elsewhere(moved); /* takes the default resource */
		CLAIM(!is_in_region(elsewhere.data()));
		CLAIM(elsewhere == moved);
	}
	CLAIM(in_use_bytes() == 0);
}

static void nodes_lie_in_regions_by_way_of_an_arena()
{
	{
		std::pmr::monotonic_buffer_resource arena(std::size_t{ 1 } << 20,
							  lg::region_resource());
		std::pmr::unordered_map<unsigned, unsigned> map(&arena);

		for (unsigned i = 0; i < 50000; i++)
			map[i] = ~i;
		for (unsigned i = 0; i < 50000; i++) {
			CLAIM(map.at(i) == ~i);
			CLAIM(is_in_region(&map.at(i)));
		}
	}
	{
		std::pmr::unsynchronized_pool_resource pool(lg::region_resource());
		std::pmr::vector<std::pmr::string> strings(&pool);

		for (unsigned i = 0; i < 1000; i++)
			strings.emplace_back(i, 'x');
		for (unsigned i = 0; i < 1000; i++)
			CLAIM(strings[i].size() == i);
	}
	CLAIM(in_use_bytes() == 0);
}

static void what_cannot_be_is_an_exception()
{
	auto ask = [](std::size_t bytes) {
		lg::region_resource()->deallocate(lg::region_resource()->allocate(bytes), bytes);
	};

	errno = 0;
	CLAIM(throws<std::bad_alloc>([&] { ask(std::size_t{ 1 } << 43); }));
	CLAIM(errno == ENOMEM);
	CLAIM(throws<std::bad_alloc>([&] { ask(SIZE_MAX); }));
	CLAIM(in_use_bytes() == 0);
}

int main()
{
	return run({
		TEST(small_requests_go_upstream),
		TEST(equal_ones_free_for_each_other),
		TEST(containers_use_it),
		TEST(nodes_lie_in_regions_by_way_of_an_arena),
		TEST(what_cannot_be_is_an_exception),
	});
}
