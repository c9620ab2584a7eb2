/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: who syncs what it wrote, or what one wrote that it has heard of, finds it, whoever was first to use the
 * tract (edge U1).
 * Method: a map of many tracts that nobody used yet. Threads touch a page each of the same tract, all at once, then
 * sync there: each in turns for itself and, once it was told, for the next.
 * Oracle: after the sync the store has the byte.
 */
#include "pager/tract.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/process.h"
#include "stress/rounds.h"

#include <sched.h>
#include <sys/mman.h>

enum { THREADS = 4, TRACTS = 16384, TRACT_BYTES = 4096 << LG_TRACT_SHIFT };

static struct crew crew;
static lg_map *map;
static int fd;
static atomic_uint arrived[TRACTS], wrote[TRACTS][THREADS];
static atomic_ulong synced;

static ssize_t read_some(void *context, void *buffer, size_t length, uint64_t offset)
{
	(void)context;
	return pread(fd, buffer, length, (off_t)offset);
}

static ssize_t write_some(void *context, const void *buffer, size_t length, uint64_t offset)
{
	(void)context;
	return pwrite(fd, buffer, length, (off_t)offset);
}

static void wait_until(const atomic_uint *what, unsigned is)
{
	while (atomic_load_explicit(what, memory_order_acquire) != is)
		sched_yield();
}

static size_t offset_of(size_t tract, unsigned thread)
{
	return tract * TRACT_BYTES + (size_t)thread * TRACT_BYTES / THREADS;
}

static void touch_and_sync(struct crew_member *member)
{
	char *data = lg_map_data(map), byte;

	for (size_t tract = 0; tract < TRACTS; tract++) {
		unsigned mine = member->number, whose = (mine + tract % 2) % THREADS;

		atomic_fetch_add(&arrived[tract], crew_stopped(member) ? THREADS + 1 : 1);
		while (atomic_load(&arrived[tract]) < THREADS)
			sched_yield();
		if (atomic_load(&arrived[tract]) > THREADS) /* of whom not all go on */
			return;
		data[offset_of(tract, mine)] = (char)('a' + mine);
		atomic_store_explicit(&wrote[tract][mine], 1, memory_order_release);
		wait_until(&wrote[tract][whose], 1);
		CLAIM(lg_map_sync(map, tract * TRACT_BYTES, TRACT_BYTES) == 0);
		CLAIM(pread(fd, &byte, 1, (off_t)offset_of(tract, whose)) == 1);
		CLAIM(byte == (char)('a' + whose));
		atomic_fetch_add(&synced, 1);
	}
}

int main(void)
{
	const struct lg_store_ops ops = {
		.size = sizeof(ops), .read = read_some, .write = write_some, .signal_safe = true
	};
	lg_pager *pager = lg_pager_new("memory:8M,page:4K,prefetch:off");
	size_t bytes = (size_t)TRACTS * TRACT_BYTES;

	if (pager == NULL)
		return EXIT_SKIPPED;
	fd = memfd_create("tracts", MFD_CLOEXEC);
	CLAIM(fd >= 0);
	CLAIM(ftruncate(fd, (off_t)bytes) == 0);
	map = lg_map_store(pager, &ops, NULL, bytes, NULL);
	CLAIM(map != NULL);
	crew_start(&crew, THREADS, 1, touch_and_sync);
	double end = clock_end_of_run(1);
	while (!clock_passed(end) || atomic_load(&synced) == 0)
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	return EXIT_SUCCESS;
}
