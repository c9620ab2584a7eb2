/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Goal: blocks of all sizes, taken and freed by several threads, each also others' blocks, overlap nowhere, keep
 * their bytes through Trim(), and go back in the end; no memory is std::bad_alloc.
 * Oracle: every byte of a block is written with a number of its own and compared before it is freed.
 */
#include "block_allocator.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <thread>
#include <vector>

#define REQUIRE(condition, ...)                                                                    \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "FAILED %s:%d: %s: ", __FILE__, __LINE__, #condition);     \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			exit(EXIT_FAILURE);                                                        \
		}                                                                                  \
	} while (0)

static std::atomic<bool> exhausted;

/* In front of the library's, which it calls. */
extern "C" lg_region *lg_region_new(size_t bytes)
{
	using function = lg_region *(*)(size_t);
	static function next = reinterpret_cast<function>(dlsym(RTLD_NEXT, "lg_region_new"));

	if (!exhausted)
		return next(bytes);
	errno = ENOMEM;
	return nullptr;
}

namespace
{
constexpr unsigned THREADS = 3, SHELVES = 4000, STEPS = 30000;

struct block {
	unsigned char *bytes;
	size_t count;
	uint64_t number;
};

/* One block at most in each; whoever exchanges it owns it. */
std::atomic<block *> shelves[SHELVES];
std::atomic<uint64_t> numbers;

unsigned char byte_of(const block *block, size_t at)
{
	return static_cast<unsigned char>(block->number * 0x9e3779b97f4a7c15u >> 40 ^ at * 31);
}

block *make(block_allocator &allocator, size_t count)
{
	block *made = new block{ nullptr, count, ++numbers };

	made->bytes = static_cast<unsigned char *>(allocator.Allocate(count));
	REQUIRE(made->bytes != nullptr, "%zu bytes", count);
	REQUIRE(reinterpret_cast<uintptr_t>(made->bytes) % 64 == 0, "%p",
		static_cast<void *>(made->bytes));
	size_t usable = allocator.UsableSize(made->bytes, count);
	REQUIRE(usable >= count && (count < 1024 || usable <= count + count / 16 + 4096),
		"%zu bytes have %zu", count, usable);
	for (size_t at = 0; at < count; at++)
		made->bytes[at] = byte_of(made, at);
	return made;
}

void check_and_free(block_allocator &allocator, block *block)
{
	if (block == nullptr)
		return;
	for (size_t at = 0; at < block->count; at++)
		REQUIRE(block->bytes[at] == byte_of(block, at), "byte %zu of %zu", at,
			block->count);
	allocator.Deallocate(block->bytes);
	delete block;
}

void work(block_allocator &allocator, unsigned seed)
{
	std::minstd_rand random(seed + 1);

	for (unsigned i = 0; i < STEPS; i++) {
		size_t count = random() % 4 != 0 ? 3900 + random() % 300 :
			       random() % 8 != 0 ? random() % 6000 :
						   random() % 80000;
		block *made = random() % 3 != 0 ? make(allocator, count) : nullptr;

		check_and_free(allocator, shelves[random() % SHELVES].exchange(made));
		if (i % 1000 == 999)
			allocator.Trim();
	}
}

uint64_t bytes_in_use()
{
	lg_stats stats;

	lg_stats_read(&stats);
	return stats.in_use_bytes;
}

uint64_t resident_bytes()
{
	lg_usage usage;

	REQUIRE(lg_usage_read(&usage) == 0, "%s", lg_error());
	return usage.resident_bytes;
}

void race()
{
	block_allocator allocator;
	std::vector<std::thread> threads;

	for (unsigned i = 0; i < THREADS; i++)
		threads.emplace_back(work, std::ref(allocator), i);
	for (std::thread &thread : threads)
		thread.join();
	for (std::atomic<block *> &shelf : shelves)
		check_and_free(allocator, shelf.exchange(nullptr));
	REQUIRE(bytes_in_use() == 0, "%llu bytes lost",
		static_cast<unsigned long long>(bytes_in_use()));
}

/* Every size at its edges: a slot too small would touch its neighbour. */
void fit_every_size()
{
	block_allocator allocator;
	std::vector<block *> blocks;

	for (size_t count = 0; count < 70000; count += count < 2000 ? 1 : 13)
		blocks.push_back(make(allocator, count));
	for (size_t power = 512; power <= 65536; power *= 2)
		for (size_t count = power - 2; count <= power + 2; count++)
			blocks.push_back(make(allocator, count));
	for (block *block : blocks)
		check_and_free(allocator, block);
	allocator.Deallocate(nullptr);
	REQUIRE(bytes_in_use() == 0, "%llu bytes lost",
		static_cast<unsigned long long>(bytes_in_use()));
}

/* One block in eight stays: the pages between go back, and what stays keeps its bytes. */
void trim()
{
	constexpr size_t BLOCKS = 8192, BYTES = 4100;
	block_allocator allocator;
	std::vector<block *> blocks, kept;

	for (size_t i = 0; i < BLOCKS; i++)
		blocks.push_back(make(allocator, BYTES));
	REQUIRE(resident_bytes() > BLOCKS * BYTES, "%zu blocks", BLOCKS);
	for (size_t i = BLOCKS; i-- > 0;)
		if (i % 8 == 0)
			kept.push_back(blocks[i]);
		else
			check_and_free(allocator, blocks[i]);
	allocator.Trim();
	REQUIRE(resident_bytes() < BLOCKS * BYTES / 2, "%llu bytes still in memory",
		static_cast<unsigned long long>(resident_bytes()));
	for (block *block : kept)
		check_and_free(allocator, block);
	allocator.Trim();
	REQUIRE(resident_bytes() < 1 << 20, "%llu bytes still in memory",
		static_cast<unsigned long long>(resident_bytes()));
}

void run_out()
{
	block_allocator allocator;
	block *before = make(allocator, 5000);

	exhausted = true;
	for (size_t count : { size_t(4000), size_t(9000) }) {
		bool refused = false;

		try {
			allocator.Allocate(count);
		} catch (const std::bad_alloc &) {
			refused = true;
		}
		REQUIRE(refused, "%zu bytes without memory", count);
	}
	exhausted = false;
	check_and_free(allocator, make(allocator, 4000));
	check_and_free(allocator, before);
}
} // namespace

int main()
{
	fit_every_size();
	trim();
	run_out();
	race();
	printf("%llu blocks\n", static_cast<unsigned long long>(numbers));
	return 0;
}
