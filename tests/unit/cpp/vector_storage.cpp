/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Growing a large vector_buffer with backing:anon copies no page. With huge pages off a copy would touch
 * each of the target's, and while it lasts there would be two of every page: neither is seen, in the faults
 * and in the peak of the resident set. The statistics say the same.
 */
#include "unit/cpp/claim.hpp"

#include <cstddef>
#include <sys/resource.h>

static constexpr std::size_t mib = std::size_t{ 1 } << 20;
static constexpr std::size_t page_bytes_most = 65536;

struct kernel_view {
	long faults;
	std::size_t peak_bytes;
};

static kernel_view look()
{
	struct rusage usage;

	CLAIM(getrusage(RUSAGE_SELF, &usage) == 0);
	return { usage.ru_minflt, static_cast<std::size_t>(usage.ru_maxrss) << 10 };
}

static struct lg_class_stats totals()
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	return stats.totals;
}

static void growth_by_push_back_moves_the_pages()
{
	lg::vector_buffer<std::uint64_t> buffer;
	std::uint64_t next = 0;

	while (buffer.capacity() < 256 * mib / 8 || buffer.size() < buffer.capacity())
		buffer.push_back(next++);
	const auto *address = buffer.data();
	const auto before = look();
	const auto counted = totals();
	buffer.push_back(next++);
	const auto after = look();
	CLAIM(buffer.capacity() == 512 * mib / 8);
	CLAIM(buffer.data() != address);
	CLAIM(after.faults - before.faults < static_cast<long>(256 * mib / page_bytes_most / 16));
	CLAIM(after.peak_bytes - before.peak_bytes < 16 * mib);
	CLAIM(totals().moved == counted.moved + 1);
	CLAIM(totals().copied == counted.copied);
	for (std::uint64_t i = 0; i < next; i++)
		if (buffer[i] != i)
			CLAIM(buffer[i] == i);
}

/* Zero already, or address space only. */
static void what_nobody_wrote_is_not_touched()
{
	const auto before = look();
	lg::vector_buffer<std::uint64_t> zeros(128 * mib), reserved;

	reserved.reserve(128 * mib);
	reserved.resize_uninitialized(128 * mib);
	zeros[127 * mib] = 1;
	reserved[127 * mib] = 1;
	const auto after = look();
	CLAIM(after.faults - before.faults < 1000);
	CLAIM(zeros[64 * mib] == 0);
}

int main()
{
	return run({
		TEST(what_nobody_wrote_is_not_touched),
		TEST(growth_by_push_back_moves_the_pages),
	});
}
