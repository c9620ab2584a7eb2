/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A C++ program outside: it includes what is installed, and uses one of each. */
#include <lgalloc/lgalloc.hpp>

#include <cstdio>
#include <memory_resource>
#include <new>
#include <vector>

static bool use_containers()
{
	std::vector<int, lg::allocator<int>> vector(100000, 7);
	std::pmr::vector<int> other(vector.begin(), vector.end(), lg::region_resource());
	lg::vector_buffer<int> buffer(other.begin(), other.end());
	lg::region region(1 << 20);

	buffer.push_back(8);
	region.as<int>()[1000] = buffer.back();
	return lg_region_of(vector.data()) != nullptr && lg_region_of(other.data()) != nullptr &&
	       buffer.size() == 100001 && region.as<int>()[1000] == 8;
}

int main()
{
	struct lg_stats stats;

	try {
		if (!use_containers())
			return 1;
	} catch (const std::bad_alloc &) {
		std::fprintf(stderr, "%s\n", lg_error());
		return 1;
	}
	return lg_stats_read(&stats) == 0 && stats.in_use_bytes == 0 ? 0 : 1;
}
