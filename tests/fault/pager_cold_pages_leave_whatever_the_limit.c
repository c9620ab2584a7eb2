/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: LG_COLD takes every page of a map out of memory, also where limbo has addresses for fewer pages than the map
 * has in memory, as the memory cgroup allows little more than the budget; and a sync that has to take them out, as
 * they cannot be write-protected, ends.
 * Method: a child in a cgroup of 160 MiB with a budget of 128 fills most of it, and gives advice or syncs.
 * Oracle: what the pager has resident then, and the contents; those of the file; a deadline.
 */
#include "fault/cgroup.h"
#include "fault/child.h"

#include <lgalloc/pager.h>

#define MIB ((size_t)1 << 20)

enum { LIMIT_MIB = 160, FILLED_MIB = 120, STEP = 4096 };

static struct cgroup cgroup;

static char stamp(size_t offset)
{
	return (char)(1 + (offset / STEP) % 251);
}

static lg_pager *start(const char *options)
{
	cgroup_enter(&cgroup);
	lg_pager *pager = lg_pager_new(options);

	if (pager == NULL)
		SKIP("no pager: %s", lg_error());
	return pager;
}

static void fill(lg_map *map)
{
	CLAIM(map != NULL);
	char *data = lg_map_data(map);

	for (size_t at = 0; at < FILLED_MIB * MIB; at += STEP)
		data[at] = stamp(at);
}

static void end(lg_pager *pager, lg_map *map)
{
	const char *data = lg_map_data(map);

	for (size_t at = 0; at < FILLED_MIB * MIB; at += STEP)
		CLAIM(data[at] == stamp(at));
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void make_cold(void *options)
{
	struct lg_pager_stats stats;
	lg_pager *pager = start(options);
	lg_map *map = lg_map_memory(pager, FILLED_MIB * MIB, NULL);

	fill(map);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	CLAIM(stats.resident == 0);
	end(pager, map);
}

static void sync_file(void *options)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX", byte;
	int fd = mkstemp(path);
	lg_pager *pager = start(options);
	lg_map *map = lg_map_file(pager, path, FILLED_MIB * MIB, NULL);

	CLAIM(fd >= 0);
	CLAIM(unlink(path) == 0);
	fill(map);
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	for (size_t at = 0; at < FILLED_MIB * MIB; at += STEP) {
		CLAIM(pread(fd, &byte, 1, (off_t)at) == 1);
		CLAIM(byte == stamp(at));
	}
	close(fd);
	end(pager, map);
}

int main(void)
{
	static const struct {
		const char *options;
		void (*body)(void *options);
	} tries[] = {
		{ "memory:128M,page:4K", make_cold },
		{ "memory:128M,page:64K", make_cold },
		{ "memory:128M,page:2M", make_cold },
		{ "memory:128M,page:4K,without:wp", sync_file },
		{ "memory:128M,page:64K,without:wp", sync_file },
		{ "memory:128M,page:2M,without:wp", sync_file },
	};

	if (geteuid() != 0)
		SKIP("only root may make a cgroup");
	for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		cgroup_make(&cgroup, LIMIT_MIB * MIB);
		bool done = child_claim(tries[i].options, tries[i].body,
					(void *)(uintptr_t)tries[i].options);
		cgroup_remove(&cgroup);
		if (!done)
			return EXIT_SKIPPED;
	}
	return 0;
}
