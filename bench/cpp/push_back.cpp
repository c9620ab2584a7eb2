/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What it costs to fill a container of 64-bit numbers by push_back: lgalloc-bench-push-back [MIB [REPEATS]].
 *
 * Each container has a process of its own, one after the other and the whole round REPEATS times; medians.
 * Before each, more memory than the largest of them takes is written and given back, so that no first touch
 * waits for the host of a virtual machine.
 *
 * ms: from the empty container to the full one. cpu: the processor time of the process, which others on the
 * machine disturb less. Peak: its resident set. Faults: minor ones.
 */
#include <lgalloc/lgalloc.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using word = std::uint64_t;

template <class Container, bool reserve>
static double fill(std::size_t count)
{
	using clock = std::chrono::steady_clock;
	const auto begin = clock::now();
	Container container;

	if (reserve)
		container.reserve(count);
	for (word i = 0; i < count; i++)
		container.push_back(i);
	const std::chrono::duration<double, std::milli> took = clock::now() - begin;
	for (std::size_t i = 0; i < count; i += count / 1000 + 1)
		if (container[i] != i) {
			std::fprintf(stderr, "element %zu is lost\n", i);
			std::_Exit(1);
		}
	return took.count();
}

struct lane {
	const char *name, *options;
	double (*fill)(std::size_t count);
};

using with_std = std::vector<word>;
using with_lg = std::vector<word, lg::allocator<word>>;
using buffer = lg::vector_buffer<word>;

static const lane lanes[] = {
	{ "std::vector, std::allocator", nullptr, fill<with_std, false> },
	{ "std::vector, lg::allocator, anon", "backing:anon", fill<with_lg, false> },
	{ "std::vector, lg::allocator, file", "backing:file", fill<with_lg, false> },
	{ "lg::vector_buffer, anon", "backing:anon", fill<buffer, false> },
	{ "lg::vector_buffer, file", "backing:file", fill<buffer, false> },
	{ "std::vector, std::allocator, reserve()", nullptr, fill<with_std, true> },
	{ "lg::vector_buffer, anon, reserve()", "backing:anon", fill<buffer, true> },
	{ "lg::vector_buffer, file, reserve()", "backing:file", fill<buffer, true> },
};

struct outcome {
	double ms, cpu_ms, peak_mib, faults;
};

[[noreturn]] static void fail(const char *what)
{
	std::perror(what);
	std::exit(1);
}

static double ms_of(const struct timeval &time)
{
	return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

/* Runs in a child: what `run` answers, and what the kernel has counted until then. */
template <class Run>
static outcome in_child(Run run)
{
	int ends[2], status;
	outcome result;

	if (pipe(ends) != 0)
		fail("pipe");
	const pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		struct rusage usage;

		result.ms = run();
		getrusage(RUSAGE_SELF, &usage);
		result.cpu_ms = ms_of(usage.ru_utime) + ms_of(usage.ru_stime);
		result.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
		result.faults = static_cast<double>(usage.ru_minflt);
		std::_Exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
	}
	close(ends[1]);
	const bool whole = read(ends[0], &result, sizeof(result)) == sizeof(result);
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || status != 0 || !whole) {
		std::fprintf(stderr, "a process failed (status %#x)\n",
			     static_cast<unsigned>(status));
		std::exit(1);
	}
	return result;
}

static double warm(std::size_t bytes)
{
	void *memory =
		mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, bytes, MADV_HUGEPAGE); /* as regions are */
	std::memset(memory, 1, bytes);
	return 0;
}

static double run(const lane &lane, std::size_t count)
{
	if (lane.options != nullptr && lg_configure(lane.options) != 0) {
		std::fprintf(stderr, "%s\n", lg_error());
		std::_Exit(1);
	}
	return lane.fill(count);
}

static double median(std::vector<outcome> &all, double outcome::*value)
{
	std::sort(all.begin(), all.end(), [value](const outcome &one, const outcome &other) {
		return one.*value < other.*value;
	});
	return all[all.size() / 2].*value;
}

int main(int argc, char **argv)
{
	const std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
	const unsigned long repeats = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 3;
	const std::size_t count = (mib << 20) / sizeof(word);
	std::vector<std::vector<outcome>> outcomes(std::size(lanes));

	if (mib == 0 || mib > 65536 || repeats == 0) {
		std::fprintf(stderr, "usage: %s [MIB [REPEATS]], MIB from 1 to 65536\n", argv[0]);
		return 2;
	}
	for (unsigned long i = 0; i < repeats; i++)
		for (std::size_t row = 0; row < std::size(lanes); row++) {
			in_child([&] { return warm(3 * (mib << 20)); });
			outcomes[row].push_back(in_child([&] { return run(lanes[row], count); }));
		}
	std::printf("%zu MiB of 64-bit numbers by push_back, median of %lu\n", mib, repeats);
	std::printf("%-40s %8s %8s %8s %9s %8s\n", "", "ms", "cpu ms", "ns each", "peak MiB",
		    "faults");
	for (std::size_t row = 0; row < std::size(lanes); row++) {
		const double ms = median(outcomes[row], &outcome::ms);

		std::printf("%-40s %8.0f %8.0f %8.2f %9.0f %8.0f\n", lanes[row].name, ms,
			    median(outcomes[row], &outcome::cpu_ms),
			    ms * 1e6 / static_cast<double>(count),
			    median(outcomes[row], &outcome::peak_mib),
			    median(outcomes[row], &outcome::faults));
	}
	return 0;
}
