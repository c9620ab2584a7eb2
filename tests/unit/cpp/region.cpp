/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg::region: who owns what, and what the bytes are. */
#include "unit/cpp/claim.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>

#ifdef __cpp_lib_span
#include <span>
#endif

#define MIB (std::size_t{ 1 } << 20)

static_assert(!std::is_copy_constructible_v<lg::region>);
static_assert(std::is_nothrow_move_constructible_v<lg::region>);
static_assert(std::is_nothrow_move_assignable_v<lg::region>);
static_assert(sizeof(lg::region) == sizeof(void *));

static void one_owner_gives_it_back()
{
	{
		lg::region none, empty(0);
		lg::region one(3 * MIB);
		const lg::region &read = one;

		CLAIM(none.data() == nullptr);
		CLAIM(none.size() == 0);
		CLAIM(empty.empty());
		CLAIM(!empty);
		CLAIM(none.advise(LG_NORMAL) == -EINVAL);
		CLAIM(one);
		CLAIM(one.size() == 4 * MIB);
		CLAIM(in_use_bytes() == 4 * MIB);
		CLAIM(read.data() == one.data());
		CLAIM(lg_region_of(one.data() + 12345) == one.handle());

		lg::region other(std::move(one));
		CLAIM(one.empty());
		one = std::move(other);
		CLAIM(other.empty());
		lg::region &self = one;
		one = std::move(self);
		CLAIM(one.size() == 4 * MIB);
		other = lg::region(8 * MIB);
		swap(one, other);
		CLAIM(one.size() == 8 * MIB);
		one = std::move(other); /* 8 MiB go */
		CLAIM(in_use_bytes() == 4 * MIB);

		lg_region *handle = one.release();
		CLAIM(one.empty());
		CLAIM(in_use_bytes() == 4 * MIB);
		other = lg::region::adopt(handle);
		CLAIM(other.handle() == handle);
		other.reset();
		CLAIM(in_use_bytes() == 0);
		other.reset(lg_region_new(MIB));
		CLAIM(in_use_bytes() == MIB);
	}
	CLAIM(in_use_bytes() == 0);
}

static void zeroed_reads_zero()
{
	for (int round = 0; round < 2; round++) {
		lg::region region = lg::region::zeroed(2 * MIB);

		CLAIM(std::all_of(region.data(), region.data() + region.size(),
				  [](std::byte byte) { return byte == std::byte{ 0 }; }));
		std::fill_n(region.data(), region.size(), std::byte{ 1 }); /* for the next one */
	}
	CLAIM(lg::region::zeroed(0).empty());
}

static void resize_keeps_the_bytes()
{
	lg::region region;

	region.resize(64 << 10); /* of none: a new one */
	auto words = region.as<std::uint32_t>();
	std::iota(words.begin(), words.end(), 1u);
	const std::size_t count = words.size();
	for (std::size_t bytes : { 8 * MIB, MIB, std::size_t{ 64 } << 10 }) {
		region.resize(bytes);
		CLAIM(region.size() >= bytes);
		words = region.as<std::uint32_t>();
		for (std::size_t i = 0; i < count; i++)
			CLAIM(words[i] == i + 1);
	}
	errno = 0;
	CLAIM(throws<std::bad_alloc>([&] { region.resize(std::size_t{ 1 } << 43); }));
	CLAIM(errno == ENOMEM);
	CLAIM(region.as<std::uint32_t>().data() == words.data());
	CLAIM(words[count - 1] == count);
	region.resize(0);
	CLAIM(region.empty());
	CLAIM(in_use_bytes() == 0);
	CLAIM(throws<std::bad_alloc>([] { lg::region(std::size_t{ 1 } << 43); }));
	CLAIM(throws<std::bad_alloc>(
		[] { lg::region too_large = lg::region::zeroed(std::size_t{ 1 } << 43); }));
}

static void bytes_are_seen_as_objects()
{
	struct point {
		double x, y, z;
	};
	lg::region region(MIB);
	const lg::region &read = region;
	lg::span<point> points = region.as<point>();

	CLAIM(points.size() == MIB / sizeof(point));
	CLAIM(!points.empty());
	points[7].y = 2;
	lg::span<const point> same = read.as<point>();
	CLAIM(same[7].y > 1 && same[7].y < 3);
	CLAIM(same.end() == same.begin() + same.size());
	CLAIM(lg::region().as<point>().empty());
#ifdef __cpp_lib_span
	std::span<point> standard = region.as<point>();
	CLAIM(standard.data() == points.data());
	CLAIM(standard.size() == points.size());
#endif
}

static void advice_is_taken()
{
	lg::region region = lg::region::zeroed(4 * MIB);

	CLAIM(region.advise(LG_SEQUENTIAL) == 0);
	CLAIM(region.advise(LG_WILLNEED, 4096, 8192) == 0);
	CLAIM(region.advise(LG_WILLNEED, 8 * MIB) == -EINVAL);
}

int main()
{
	return run({
		TEST(one_owner_gives_it_back),
		TEST(zeroed_reads_zero),
		TEST(resize_keeps_the_bytes),
		TEST(advice_is_taken),
		TEST(bytes_are_seen_as_objects),
	});
}
