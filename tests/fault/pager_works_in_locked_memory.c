/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a program that locks its memory (mlockall), of what is to come or of what is there, a pager works: its
 * budget holds, pages leave and are given up, and what it has addresses for is not brought in. Where some pages of a
 * map are locked (mlock), which the kernel does not let go, the others have the rest of the budget.
 * Method: mlockall before the pager is made, and after, with pages in the map, in limbo and in the store; in
 * each way to serve faults and to move pages. mlock of what a policy gives up first, and then all else is written.
 * Oracle: contents; the budget; the resident memory of the process, which the frames and tables of a machine's
 * memory would be far beyond; a deadline. What mlock holds is in memory, and leaves when it is let go.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

enum { GROWTH_MOST_MIB = 256 }; /* stacks of the threads, buffers, the budget */

struct
try {
	const char *options;
	size_t bytes;
	int before, after; /* flags of mlockall; 0: not called */
};

static size_t resident_bytes(void)
{
	unsigned long long all, resident = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	CLAIM(statm != NULL);
	CLAIM(fscanf(statm, "%llu %llu", &all, &resident) == 2);
	fclose(statm);
	return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void lock(int flags)
{
	if (flags != 0 && mlockall(flags) != 0)
		SKIP("no mlockall: %s", strerror(errno));
}

static void claim_budget(lg_pager *pager)
{
	struct lg_pager_stats stats;

	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	CLAIM(stats.resident <= stats.budget);
}

static void fill(char *data, size_t bytes, char value)
{
	for (size_t i = 0; i < bytes; i += 4096)
		data[i] = (char)(value + (char)(i >> 12));
}

static void claim_filled(const char *data, size_t bytes, char value)
{
	for (size_t i = 0; i < bytes; i += 4096)
		CLAIM(data[i] == (char)(value + (char)(i >> 12)));
}

static void page_locked(void *argument)
{
	const struct try *try = argument;

	lock(try->before);
	size_t before = resident_bytes();
	lg_pager *pager = lg_pager_new(try->options);
	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, try->bytes, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	fill(data, try->bytes, 1);
	claim_budget(pager);
	lock(try->after);
	claim_filled(data, try->bytes, 1);
	if (try->after == 0)
		CLAIM(resident_bytes() < before + GROWTH_MOST_MIB * MIB);
	fill(data, try->bytes, 2);
	claim_filled(data, try->bytes, 2);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	claim_filled(data, try->bytes, 2);
	CLAIM(lg_map_pin(map, 0, 1) == 0);
	CLAIM(lg_map_unpin(map, 0, 1) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_DEAD) == 0);
	for (size_t i = 0; i < try->bytes; i += 4096)
		CLAIM(data[i] == 0);
	fill(data, try->bytes, 3);
	claim_filled(data, try->bytes, 3);
	claim_budget(pager);
	/* Beside one that mlockall found, one that came after it. */
	lg_map *other = lg_map_memory(pager, try->bytes, NULL);
	CLAIM(other != NULL);
	fill(lg_map_data(other), try->bytes, 4);
	claim_filled(data, try->bytes, 3);
	claim_filled(lg_map_data(other), try->bytes, 4);
	claim_budget(pager);
	CLAIM(lg_map_close(other) == 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

/* What is locked is at the start of a map; so much behind it is touched before. */
struct part {
	const char *options;
	size_t locked, before;
};

static size_t pages_in_memory(char *data, size_t bytes)
{
	static unsigned char pages[32 * MIB / 4096];
	size_t count = 0;

	CLAIM(bytes / 4096 <= sizeof(pages));
	CLAIM(mincore(data, bytes, pages) == 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		count += pages[i] & 1;
	return count;
}

static void part_locked(void *argument)
{
	const struct part *part = argument;
	size_t bytes = 32 * MIB, others = bytes - part->locked;
	lg_pager *pager = lg_pager_new(part->options);

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, bytes, "prefetch:off"); /* nothing comes uncalled */
	CLAIM(map != NULL);
	char *locked = lg_map_data(map), *data = locked + part->locked;
	fill(data, part->before, 1);
	fill(locked, part->locked, 1);
	if (mlock(locked, part->locked) != 0)
		SKIP("no mlock: %s", strerror(errno));
	CLAIM(lg_pager_resize(pager, 8 * MIB) == 0); /* what comes first leaves first */
	for (size_t i = 0; i < others; i += 4096)
		CLAIM(lg_map_write(map, "abc", 3, part->locked + i) == 3);
	for (size_t i = 0; i < others; i += 4096)
		CLAIM(memcmp(data + i, "abc", 3) == 0);
	fill(data, others, 2);
	claim_filled(data, others, 2);
	claim_filled(locked, part->locked, 1);
	CLAIM(pages_in_memory(locked, part->locked) == part->locked / 4096);
	claim_budget(pager);
	CLAIM(munlock(locked, part->locked) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	CLAIM(pages_in_memory(locked, bytes) == 0);
	claim_filled(data, others, 2);
	claim_filled(locked, part->locked, 1);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void try_parts(void)
{
	static struct part parts[] = {
		{ "memory:16M,page:64K,policy:fifo", MIB, 0 },
		{ "memory:16M,page:64K,policy:fifo,without:move", MIB, 0 },
		{ "memory:16M,page:64K,policy:fifo,without:wp", MIB, 0 },
		{ "memory:16M,page:64K,policy:clock", MIB, 0 },
		{ "memory:16M,page:64K,policy:s3fifo", MIB, 0 },
		{ "memory:16M,page:64K,policy:plru", MIB, 0 },
		{ "memory:16M,page:64K,policy:wiro_f", MIB, 0 },
		{ "memory:16M,page:64K,policy:prnd", MIB, 0 },
		{ "memory:16M,page:64K,policy:lifo", MIB, 12 * MIB },
		{ "memory:16M,page:4K,policy:fifo", (size_t)300 * 4096, 0 },
		{ "memory:16M,page:4K,policy:clock", (size_t)300 * 4096, 0 },
		{ "memory:16M,page:4K,policy:lifo", (size_t)300 * 4096, 12 * MIB },
		{ "memory:16M,page:4K,policy:wiro_f", (size_t)300 * 4096, 0 },
		{ "memory:16M,page:4K,policy:wiro_l", (size_t)300 * 4096, 0 },
		{ "memory:16M,page:64K,policy:fifo,faults:threads", MIB, 0 },
		{ "memory:16M,page:4K,policy:clock,faults:threads", (size_t)300 * 4096, 0 },
	};

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		printf("%s: %zu bytes locked\n", parts[i].options, parts[i].locked);
		child_claim(parts[i].options, part_locked, &parts[i]);
	}
}

int main(void)
{
	static const struct {
		const char *options;
		size_t bytes;
	} ways[] = {
		{ "memory:2M,page:16K,faults:inline", 8 * MIB },
		{ "memory:2M,page:16K,faults:inline,without:move", 8 * MIB },
		{ "memory:2M,page:16K,faults:inline,without:wp", 8 * MIB },
		{ "memory:2M,page:16K,faults:threads", 8 * MIB },
		{ "memory:16M,page:2M,faults:inline", 48 * MIB },
		{ "memory:16M,page:2M,faults:threads", 48 * MIB },
	};
	static const int flags[][2] = { { MCL_FUTURE, 0 },
					{ MCL_CURRENT | MCL_FUTURE, 0 },
					{ 0, MCL_CURRENT },
					{ MCL_FUTURE, MCL_CURRENT | MCL_FUTURE } };
	const struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &no_limit);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (unsigned k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
			struct try try = { ways[i].options, ways[i].bytes, flags[k][0],
					   flags[k][1] };

			printf("%s: mlockall(%d) before, (%d) after\n", try.options, try.before,
			       try.after);
			child_claim(try.options, page_locked, &try);
		}
	try_parts();
	return EXIT_SUCCESS;
}
