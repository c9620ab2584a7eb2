/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/memory.h"

#include "workload/block.h"
#include "workload/result.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef BENCH_REGIONS
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <malloc.h>
#endif

/*
 * From /proc/self/smaps_rollup: it counts the page tables themselves, status adds up per-CPU
 * guesses.
 */
static void read_resident(uint64_t *resident, uint64_t *anonymous)
{
	char line[256];
	unsigned long long kib;
	FILE *file = fopen("/proc/self/smaps_rollup", "re");

	*resident = 0;
	*anonymous = 0;
	if (file == NULL)
		result_skip("no /proc/self/smaps_rollup");
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Rss: %llu", &kib) == 1)
			*resident = (uint64_t)kib << 10;
		else if (sscanf(line, "Anonymous: %llu", &kib) == 1)
			*anonymous = (uint64_t)kib << 10;
	}
	fclose(file);
}

#ifdef BENCH_REGIONS

/* Shared file pages mapped before there were areas: programs and libraries. */
static uint64_t mapped_at_start;
static bool have_start;

void memory_read(struct memory *memory)
{
	static struct lg_stats stats;
	struct lg_usage usage;
	uint64_t anonymous;

	read_resident(&memory->resident, &anonymous);
	if (!have_start) {
		mapped_at_start = memory->resident - anonymous;
		have_start = true;
	}
	if (lg_stats_read(&stats) != 0 || lg_usage_read(&usage) != 0)
		result_fail("statistics cannot be read: %s", lg_error());
	memory->address = stats.area_bytes;
	memory->disk = usage.disk_bytes;
	/*
	 * Area pages of a file are in the page cache whether mapped or not, those of anonymous
	 * memory are in Rss. The sum would count mapped ones twice, so the larger of the two views
	 * is taken; for anonymous areas `resident_bytes` is part of Rss already.
	 */
	uint64_t cache =
		mapped_at_start + anonymous + (usage.disk_bytes > 0 ? usage.resident_bytes : 0);
	memory->physical = cache > memory->resident ? cache : memory->resident;
}

bool memory_trim(void)
{
	return lg_trim() == 0;
}

void memory_report_allocator(void)
{
	result_text("allocator", "lgalloc");
	result_text("version", lg_version());
}

#else

void memory_read(struct memory *memory)
{
	unsigned long long pages = 0;
	uint64_t anonymous;
	FILE *file = fopen("/proc/self/statm", "re");

	read_resident(&memory->resident, &anonymous);
	memory->physical = memory->resident;
	memory->disk = 0;
	if (file == NULL || fscanf(file, "%llu", &pages) != 1)
		result_skip("no /proc/self/statm");
	fclose(file);
	memory->address = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

typedef int mallctl_call(const char *, void *, size_t *, void *, size_t);
typedef void collect_call(bool);
typedef void plain_call(void);
typedef int number_call(void);
typedef const char *version_call(int *, int *, const char **);

/*
 * ISO C has no cast from an object's pointer to a function's; POSIX says their bytes are the same.
 */
#define FIND(name, function)                                                                       \
	do {                                                                                       \
		void *found = dlsym(RTLD_DEFAULT, name);                                           \
		memcpy(&(function), &found, sizeof(found));                                        \
	} while (0)

bool memory_trim(void)
{
	mallctl_call *mallctl;
	collect_call *collect;
	plain_call *release;

	FIND("mallctl", mallctl);
	if (mallctl != NULL) /* 4096 is MALLCTL_ARENAS_ALL */
		return mallctl("arena.4096.purge", NULL, NULL, NULL, 0) == 0;
	FIND("mi_collect", collect);
	if (collect != NULL) {
		collect(true);
		return true;
	}
	FIND("MallocExtension_ReleaseFreeMemory", release);
	if (release != NULL) {
		release();
		return true;
	}
	malloc_trim(0);
	return true;
}

void memory_report_allocator(void)
{
	mallctl_call *mallctl;
	number_call *mimalloc;
	version_call *tcmalloc;

	FIND("mallctl", mallctl);
	FIND("mi_version", mimalloc);
	FIND("tc_version", tcmalloc);
	if (mallctl != NULL) {
		const char *version = "unknown";
		size_t bytes = sizeof(version);
		mallctl("version", (void *)&version, &bytes, NULL, 0);
		result_text("allocator", "jemalloc");
		result_text("version", version);
	} else if (mimalloc != NULL) {
		char version[32];
		int number = mimalloc();
		snprintf(version, sizeof(version), "%d.%d.%d", number / 100, number / 10 % 10,
			 number % 10);
		result_text("allocator", "mimalloc");
		result_text("version", version);
	} else if (tcmalloc != NULL) {
		int major, minor;
		const char *patch;
		result_text("allocator", "tcmalloc");
		result_text("version", tcmalloc(&major, &minor, &patch));
	} else {
		result_text("allocator", "glibc");
		result_text("version", gnu_get_libc_version());
	}
}

#endif
