/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever call that changes a heap's file fails, once or from then on, with EIO or ENOSPC, it is an answer of
 * some call of the heap, and the file is the last commit that returned 0, or a later one that was in flight; of mode:shared
 * it is whole. Behind a flush that failed nothing is changed any more, until the heap is opened again.
 * Method: a program of commits, growth, checkpoints and a rollback runs again and again; the n-th call of the table of
 * I/O fails, n = 1, 2, … until none does. Oracle: the generation in the heap, of which every page of it tells.
 */
#include "heap/checkpoint.h"
#include "heap/heap.h"
#include "stress/claim.h"

#include <unistd.h>

enum { ROUNDS = 12, SMALL = 60000, LONGER_THAN_THE_JOURNAL = 400000, WRITTEN_HOME_FIRST = 1200000 };

static struct failing {
	long left; /* calls until the one that fails */
	int error;
	bool lasting;
	bool failed;
	bool sync_failed;
} failing;

static const char *const modes[] = { "create:on,reserve:1G,journal:256K",
				     "create:on,reserve:1G,mode:shared" };

static int may_fail(void)
{
	if (--failing.left > 0 || (failing.left < 0 && !failing.lasting))
		return 0;
	failing.failed = true;
	return -failing.error;
}

#define FAILING(name, parameters, arguments)                                                       \
	static int failing_##name parameters                                                       \
	{                                                                                          \
		int error = may_fail();                                                            \
		return error != 0 ? error : lg_os_disk_plain.name arguments;                       \
	}

FAILING(write, (struct lg_os_disk * disk, const void *data, size_t bytes, uint64_t offset),
	(disk, data, bytes, offset))
FAILING(write_direct, (struct lg_os_disk * disk, const void *data, size_t bytes, uint64_t offset),
	(disk, data, bytes, offset))
FAILING(read, (struct lg_os_disk * disk, void *data, size_t bytes, uint64_t offset),
	(disk, data, bytes, offset))
FAILING(read_direct, (struct lg_os_disk * disk, void *data, size_t bytes, uint64_t offset),
	(disk, data, bytes, offset))
FAILING(extend, (struct lg_os_disk * disk, uint64_t bytes), (disk, bytes))
FAILING(reserve, (struct lg_os_disk * disk, uint64_t offset, uint64_t bytes), (disk, offset, bytes))
FAILING(punch, (struct lg_os_disk * disk, uint64_t offset, uint64_t bytes), (disk, offset, bytes))

static int failing_sync(struct lg_os_disk *disk)
{
	(void)disk;
	int error = may_fail(); /* nothing is cut off here: no need to wait for the disk */
	failing.sync_failed = failing.sync_failed || error != 0;
	return error;
}

static const struct lg_os_disk_ops failing_ops = {
	.write = failing_write,
	.write_direct = failing_write_direct,
	.read = failing_read,
	.read_direct = failing_read_direct,
	.extend = failing_extend,
	.reserve = failing_reserve,
	.punch = failing_punch,
	.sync = failing_sync,
};

static size_t bytes_of(unsigned generation)
{
	switch (generation % 4) {
	case 2:
		return LONGER_THAN_THE_JOURNAL;
	case 0:
		return generation <= ROUNDS ? WRITTEN_HOME_FIRST : SMALL;
	default:
		return SMALL;
	}
}

/* One change: a new block in place of an old one, and the generation in all of it. */
static bool change(lg_heap *heap, unsigned char generation)
{
	unsigned char *old = lg_heap_at(heap, lg_heap_root_get(heap, "block"));
	unsigned char *block = lg_heap_alloc(heap, bytes_of(generation));

	if (block == NULL) {
		CLAIM(errno == EIO || errno == ENOSPC || errno == EROFS || errno == ENOMEM);
		return false;
	}
	CLAIM(!failing.sync_failed);
	memset(block, generation, bytes_of(generation));
	if (lg_heap_root_set(heap, "block", lg_heap_ref(heap, block)) != 0)
		return false;
	return old == NULL || lg_heap_free(heap, old) == 0;
}

/* The last generation that is surely durable. */
static unsigned run(const char *path, unsigned *tried)
{
	struct lg_heap_setup setup = { .ops = &failing_ops, .foreground = true };
	lg_heap *heap = lg_heap_open_with(path, "reserve:1G", &setup);
	unsigned durable = 0;

	*tried = 0;
	if (heap == NULL)
		return 0;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		if (!change(heap, (unsigned char)i))
			continue;
		*tried = i;
		int error = lg_heap_commit(heap);
		CLAIM(error == 0 || error == -EIO || error == -ENOSPC);
		CLAIM(error != 0 || !failing.sync_failed);
		if (error == 0)
			durable = i;
		if (i % 4 == 0)
			(void)lg_checkpoint_run(heap);
		if (i % 5 == 0 && change(heap, 200))
			(void)lg_heap_rollback(heap);
		if (lg_heap_root_get(heap, "block") != 0)
			CLAIM(*(unsigned char *)lg_heap_at(heap, lg_heap_root_get(heap, "block")) <=
			      200);
	}
	(void)lg_heap_close(heap);
	return durable;
}

static void verify(const char *path, unsigned durable, unsigned tried)
{
	lg_heap *heap = lg_heap_open(path, "reserve:1G");
	struct lg_heap_stats stats;

	CLAIM(heap != NULL);
	unsigned char *block = lg_heap_at(heap, lg_heap_root_get(heap, "block"));
	unsigned generation = block != NULL ? *block : 0;
	CLAIM(generation >= durable);
	CLAIM(generation <= tried || generation == 200);
	for (size_t i = 0; block != NULL && i < bytes_of(generation); i++)
		CLAIM(block[i] == generation);
	CLAIM(lg_heap_stats_read(heap, &stats) == 0);
	CLAIM(generation == 200 || stats.objects == (block != NULL ? 1 : 0));
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(lg_heap_check(path, 0, NULL) == 0);
}

int main(void)
{
	static const int errors[] = { EIO, ENOSPC };
	char path[64];
	unsigned long runs = 0;

	snprintf(path, sizeof(path), "%s/lg-failed-io-%d",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".", (int)getpid());
	for (unsigned kind = 0; kind < 8; kind++) {
		failing.failed = true;
		for (long n = 1; failing.failed; n++) {
			unsigned tried;

			unlink(path);
			lg_heap *heap = lg_heap_open(path, modes[kind / 4]);
			CLAIM(heap != NULL);
			CLAIM(lg_heap_close(heap) == 0);
			failing = (struct failing){ .left = n,
						    .error = errors[kind / 2 % 2],
						    .lasting = kind % 2 == 1 };
			unsigned durable = run(path, &tried);
			verify(path, durable, tried);
			runs++;
		}
	}
	unlink(path);
	printf("%lu runs\n", runs);
	return runs > 100 ? 0 : 1;
}
