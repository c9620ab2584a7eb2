/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: on a full disk a heap answers NULL and ENOSPC from an allocation, or -ENOSPC from a commit, and goes on: objects
 * can be read, written and freed, nothing that was committed is lost, also where it is opened again on the full disk, and
 * with space again all is as before. Of mode:shared no store is a SIGBUS.
 * Method: small file systems of each kind, which another program's file fills to the last block; objects of
 * 64 bytes to 2 MiB come, change and go.
 * Oracle: a copy of the directory at each commit, and a stamp in every 512 bytes of each object.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "stress/random.h"
#include "stress/rounds.h"

#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>

enum { OBJECTS = 400, STEP = 512, ROUNDS_EACH = 3 };

struct object {
	lg_ref ref;
	uint64_t bytes;
	uint64_t stamp;
};

struct directory {
	uint64_t generation;
	struct object objects[OBJECTS];
};

static struct disk disk;
static lg_heap *heap;
static char path[128];
static bool shared;
static uint64_t random_state;
static unsigned long refused;
static struct directory committed, tried;

static struct directory *directory_of(void)
{
	return lg_heap_at(heap, lg_heap_root_get(heap, "directory"));
}

static void stamp(const struct object *object)
{
	uint64_t *words = lg_heap_at(heap, object->ref);

	for (uint64_t i = 0; i * STEP + sizeof(*words) <= object->bytes; i++)
		words[i * STEP / sizeof(*words)] = object->stamp + i;
}

static void claim_object(const struct object *object)
{
	const uint64_t *words = lg_heap_at(heap, object->ref);

	CLAIM(lg_heap_usable_size(heap, words) >= object->bytes);
	for (uint64_t i = 0; i * STEP + sizeof(*words) <= object->bytes; i++)
		CLAIM(words[i * STEP / sizeof(*words)] == object->stamp + i);
}

static void claim_all(void)
{
	const struct directory *directory = directory_of();

	for (unsigned i = 0; i < OBJECTS; i++)
		if (directory->objects[i].ref != 0)
			claim_object(&directory->objects[i]);
}

static uint64_t size_of_next(void)
{
	uint64_t dice = random_next(&random_state) % 10;

	return (dice < 5 ? 64 :
		dice < 9 ? 40000 :
			   2 << 20) *
		       (1 + random_next(&random_state) % 8) / 8 +
	       64;
}

static void change(unsigned index)
{
	struct object *object = &directory_of()->objects[index];

	if (object->ref != 0 && random_next(&random_state) % 3 == 0) {
		lg_ref ref = object->ref;

		*object = (struct object){ 0 };
		CLAIM(lg_heap_free(heap, lg_heap_at(heap, ref)) == 0);
		return;
	}
	if (object->ref == 0) {
		uint64_t bytes = size_of_next();
		void *memory = lg_heap_alloc(heap, bytes);

		if (memory == NULL) {
			CLAIM(errno == ENOSPC);
			CLAIM(strstr(lg_error(), "ENOSPC") != NULL);
			refused++;
			return;
		}
		*object = (struct object){ lg_heap_ref(heap, memory), bytes, 0 };
	}
	object->stamp = random_next(&random_state);
	stamp(object);
}

static void commit(void)
{
	struct directory *directory = directory_of();

	directory->generation++;
	tried = *directory;
	int error = lg_heap_commit(heap);
	CLAIM(error == 0 || error == -ENOSPC);
	if (error == 0)
		committed = tried;
	else
		refused++;
}

static void change_some(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		change((unsigned)(random_next(&random_state) % OBJECTS));
		if (i % 50 == 49)
			commit();
	}
	claim_all();
}

/* As after a kill: what a commit has not promised is gone, and of mode:shared nothing. */
static void reopen(void)
{
	if (shared)
		committed = tried = *directory_of();
	(void)lg_heap_close(heap); /* on a full disk what is left to do may not be done */
	heap = lg_heap_open(path, "reserve:1G");
	CLAIM(heap != NULL);
	const struct directory *directory = directory_of();
	CLAIM(memcmp(directory, &committed, sizeof(committed)) == 0 ||
	      memcmp(directory, &tried, sizeof(tried)) == 0);
	committed = *directory;
	claim_all();
}

static void live_on_a_full_disk(void *argument)
{
	const char *name = argument;
	char kind[16];

	shared = strstr(name, "-shared") != NULL;
	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(name, "-"), name);
	if (strcmp(kind, "tmpfs") == 0)
		disk_open_tmpfs(&disk, "size=96M");
	else
		disk_open(&disk, kind, (size_t)(strcmp(kind, "xfs") == 0 ? 320 : 96) << 20);
	snprintf(path, sizeof(path), "%s/heap", disk.path);
	heap = lg_heap_open(path, shared ? "create:on,reserve:1G,mode:shared" :
					   "create:on,reserve:1G,journal:4M");
	CLAIM(heap != NULL);
	CLAIM(lg_heap_root_set(
		      heap, "directory",
		      lg_heap_ref(heap, lg_heap_calloc(heap, 1, sizeof(struct directory)))) == 0);
	commit();
	for (unsigned round = 0; round < ROUNDS_EACH; round++) {
		change_some(100);
		reopen();
		disk_sync(&disk);
		disk_fill(&disk, "other", false);
		disk_fill(&disk, "more", true);
		unsigned long before = refused;
		for (unsigned i = 0; i < 20 && refused == before; i++)
			change_some(200);
		CLAIM(refused > before);
		change_some(200);
		reopen();
		change_some(100);
		disk_empty(&disk, "other");
		disk_empty(&disk, "more");
		disk_sync(&disk);
		before = refused;
		change_some(5);
		commit();
		CLAIM(refused == before);
		reopen();
	}
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(lg_heap_check(path, 0, stderr) == 0);
	disk_close(&disk);
}

static void body(const struct round *round)
{
	random_state = random_seed();
	if (geteuid() != 0)
		SKIP("only root may mount");
	if (!child_claim(round->name, live_on_a_full_disk, (void *)(uintptr_t)round->name))
		exit(EXIT_SKIPPED);
}

static const struct round rounds[] = {
	{ "ext4", "" },        { "xfs", "" },        { "tmpfs", "" },
	{ "ext4-shared", "" }, { "xfs-shared", "" }, { "tmpfs-shared", "" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
