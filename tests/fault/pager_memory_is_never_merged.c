/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a process all of whose memory the kernel may merge (KSM), it merges nothing that a pager moves: a page that
 * is shared with others cannot be moved, and would stay.
 * Method: PR_SET_MEMORY_MERGE before a pager is made; maps with small pages and huge ones; a page that could not be read,
 * which is mapped anew.
 * Oracle: the flags of /proc/self/smaps for the maps, their frames and the nursery; a mapping of the test's own has the one
 * that says mergeable.
 */
#include "fault/child.h"
#include "pager/map.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

#define MIB ((size_t)1 << 20)

struct range {
	uintptr_t from, to;
};

static struct range range_of(const void *base, size_t bytes)
{
	return (struct range){ (uintptr_t)base, (uintptr_t)base + bytes };
}

/* Parts of the range, each with flags of its own: how many, and of these how many are mergeable. */
static unsigned parts_of(struct range range, unsigned *mergeable)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned parts = 0;
	bool within = false;
	char line[1024];

	CLAIM(smaps != NULL);
	*mergeable = 0;
	while (fgets(line, sizeof(line), smaps) != NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			within = from < range.to && to > range.from;
		if (!within || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		parts++;
		*mergeable += strstr(line, " mg") != NULL;
	}
	fclose(smaps);
	return parts;
}

static void claim_not_merged(const void *base, size_t bytes)
{
	unsigned mergeable;

	CLAIM(parts_of(range_of(base, bytes), &mergeable) > 0);
	CLAIM(mergeable == 0);
}

static void claim_map(const lg_map *map)
{
	const struct lg_frames *frames = lg_pager_frames(map->pager, map->shift);

	claim_not_merged(map->base, map->pages << map->shift);
	claim_not_merged(frames->base, (size_t)frames->count << map->shift);
}

/* Merging is for this process from now on, and a mapping shows it. */
static void merge_all(void)
{
	unsigned mergeable;

	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) != 0)
		SKIP("no merging of all memory: %s", strerror(errno));
	void *own = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CLAIM(own != MAP_FAILED);
	CLAIM(parts_of(range_of(own, MIB), &mergeable) > 0);
	CLAIM(mergeable > 0);
}

/* A page that could not be read is mapped anew, where it has to be, when it can be. */
static void heal(lg_map *map, struct shelf *shelf)
{
	char byte;

	atomic_store(&shelf->reads_fail, SHELF_FOR_EVER);
	CLAIM(lg_map_read(map, &byte, 1, 0) == -EIO);
	atomic_store(&shelf->reads_fail, 0);
	CLAIM(lg_map_retry(map) == 1);
	CLAIM(lg_map_read(map, &byte, 1, 0) == 1);
	CLAIM(byte == shelf_byte(0));
}

static void make_pager(void *options)
{
	static struct shelf shelf;
	lg_pager *pager = lg_pager_new(options);

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	shelf_make(&shelf, MIB);
	lg_map *maps[] = { lg_map_memory(pager, 8 * MIB, "page:4K"),
			   lg_map_memory(pager, 8 * MIB, "page:2M"),
			   lg_map_store(pager, &shelf_ops, &shelf, MIB, "page:64K") };
	CLAIM(maps[0] != NULL);
	CLAIM(maps[1] != NULL);
	CLAIM(maps[2] != NULL);
	heal(maps[2], &shelf);
	for (unsigned i = 0; i < 3; i++)
		claim_map(maps[i]);
	claim_not_merged(pager->nursery.base, (size_t)LG_NURSERY_PAGES << LG_PAGE_SHIFT_HUGE);
	for (unsigned i = 0; i < 3; i++)
		CLAIM(lg_map_close(maps[i]) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	static char in_handlers[] = "memory:32M,faults:inline,prefetch:off";
	static char in_threads[] = "memory:32M,faults:threads,without:poison,prefetch:off";

	merge_all();
	child_claim("faults in handlers", make_pager, in_handlers);
	child_claim("faults in threads", make_pager, in_threads);
	return EXIT_SUCCESS;
}
