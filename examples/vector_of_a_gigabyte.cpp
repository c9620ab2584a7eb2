/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The C++ header in one program: vector_of_a_gigabyte [MIB].
 *
 * A lg::vector_buffer grows to a gigabyte by push_back. With LGALLOC_CONF=backing:anon the pages move each
 * time it doubles; with the default, backing:file, they are copied, and reserve() avoids that.
 */
#include <lgalloc/lgalloc.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory_resource>
#include <new>
#include <vector>

struct sample {
	std::uint64_t time;
	double value;
};

static void tell(const char *what)
{
	struct lg_stats stats;

	lg_stats_read(&stats);
	std::printf("%s: %llu MiB in regions, %llu resizes moved pages, %llu copied them\n", what,
		    static_cast<unsigned long long>(stats.in_use_bytes >> 20),
		    static_cast<unsigned long long>(stats.totals.moved),
		    static_cast<unsigned long long>(stats.totals.copied));
}

static double sum_of(const lg::vector_buffer<sample> &samples)
{
	double sum = 0;

	for (const sample &one : samples)
		sum += one.value;
	return sum;
}

static void work(std::size_t count)
{
	lg::vector_buffer<sample> samples;

	for (std::uint64_t i = 0; i < count; i++)
		samples.push_back({ i, 0.5 });
	tell("grown by push_back");
	std::printf("%zu samples, their sum is %.1f\n", samples.size(), sum_of(samples));

	/* Room for all there will be, before anything is there: untouched pages take no memory. */
	std::vector<double, lg::allocator<double>> values;
	values.reserve(count);
	for (const sample &one : samples)
		values.push_back(one.value);
	tell("a std::vector with room");

	/* Nodes are small; an arena makes regions of them. */
	std::pmr::monotonic_buffer_resource arena(std::size_t{ 1 } << 20, lg::region_resource());
	std::pmr::map<std::uint64_t, double> index(&arena);
	for (std::size_t i = 0; i < count; i += 1000)
		index[samples[i].time] = samples[i].value;
	std::printf("a node of the map is in a region: %s\n",
		    lg_region_of(&*index.begin()) != nullptr ? "yes" : "no");
}

int main(int argc, char **argv)
{
	const unsigned long mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;

	if (mib == 0 || mib > 16384) {
		std::fprintf(stderr, "usage: %s [MIB], from 1 to 16384\n", argv[0]);
		return 2;
	}
	try {
		work((mib << 20) / sizeof(sample));
	} catch (const std::bad_alloc &) {
		std::fprintf(stderr, "vector_of_a_gigabyte: %s\n", lg_error());
		return 1;
	}
	tell("given back");
	return 0;
}
