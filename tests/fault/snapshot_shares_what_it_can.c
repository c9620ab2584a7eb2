/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a snapshot is the last commit, in a file of its own; where the file system can clone, it takes no space for what
 * both have; on a disk without room for a copy it is -ENOSPC, leaves no file, and the heap goes on.
 * Method: small file systems, one that clones and one that does not, and a heap that has most of it.
 * Oracle: statfs before and after; a stamp in each page of the object.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "stress/rounds.h"

#include <lgalloc/heap.h>

enum { OBJECT_BYTES = 60 << 20, PAGE = 4096 };

static struct disk disk;

static uint64_t free_bytes(void)
{
	struct statfs status;

	disk_sync(&disk);
	CLAIM(statfs(disk.path, &status) == 0);
	return (uint64_t)status.f_bfree * (uint64_t)status.f_bsize;
}

static void stamp(lg_heap *heap, uint32_t value)
{
	char *object = lg_heap_at(heap, lg_heap_root_get(heap, "object"));

	for (uint32_t at = 0; at < OBJECT_BYTES; at += PAGE)
		*(uint32_t *)(void *)(object + at) = value + at;
}

static void claim_stamp(lg_heap *heap, uint32_t value)
{
	const char *object = lg_heap_at(heap, lg_heap_root_get(heap, "object"));

	CLAIM(object != NULL);
	for (uint32_t at = 0; at < OBJECT_BYTES; at += PAGE)
		CLAIM(*(const uint32_t *)(const void *)(object + at) == value + at);
}

static void claim_heap(const char *path, uint32_t value)
{
	lg_heap *heap = lg_heap_open(path, "readonly:on,reserve:1G");

	CLAIM(heap != NULL);
	claim_stamp(heap, value);
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(lg_heap_check(path, 0, stderr) == 0);
}

static void take_snapshots(void *argument)
{
	const char *kind = argument;
	bool clones = strcmp(kind, "xfs") == 0;
	char path[128], copy[128];

	disk_open(&disk, kind, (size_t)(clones ? 320 : 256) << 20);
	snprintf(path, sizeof(path), "%s/heap", disk.path);
	snprintf(copy, sizeof(copy), "%s/copy", disk.path);
	lg_heap *heap = lg_heap_open(path, "create:on,reserve:1G,journal:4M");
	CLAIM(heap != NULL);
	void *object = lg_heap_alloc(heap, OBJECT_BYTES);
	CLAIM(object != NULL);
	CLAIM(lg_heap_root_set(heap, "object", lg_heap_ref(heap, object)) == 0);
	stamp(heap, 1);
	CLAIM(lg_heap_commit(heap) == 0);
	stamp(heap, 2); /* not of the snapshot */
	uint64_t before = free_bytes();
	CLAIM(lg_heap_snapshot(heap, copy) == 0);
	uint64_t taken = before - free_bytes();
	CLAIM(clones ? taken < OBJECT_BYTES / 4 : taken >= OBJECT_BYTES);
	claim_heap(copy, 1);
	claim_stamp(heap, 2);
	/* What is written to the one is not the other's. */
	CLAIM(lg_heap_commit(heap) == 0);
	claim_heap(copy, 1);
	CLAIM(unlink(copy) == 0);
	disk_fill(&disk, "other", false);
	disk_fill(&disk, "more", true);
	if (!clones) {
		CLAIM(lg_heap_snapshot(heap, copy) == -ENOSPC);
		CLAIM(access(copy, F_OK) != 0);
	}
	claim_stamp(heap, 2);
	CLAIM(lg_heap_close(heap) == 0);
	claim_heap(path, 2);
	disk_close(&disk);
}

static void body(const struct round *round)
{
	if (geteuid() != 0)
		SKIP("only root may mount");
	if (!child_claim(round->name, take_snapshots, (void *)(uintptr_t)round->name))
		exit(EXIT_SKIPPED);
}

static const struct round rounds[] = { { "xfs", "" }, { "ext4", "" } };

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
