/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Holds regions as it is told on stdin, a command a line, each answered by "done":
 *   new BYTES COUNT, free BYTES COUNT, thread BYTES COUNT (new and free in another thread, which stays), await
 *   retired BYTES, map MEMORY BYTES PATH (a pager of its own, and a map of the file, all written), lose
 *   BYTES PATH (the same without read ahead, of which some pages are lost with the file's end, and read in vain), url
 *   URL (a map of the object, all read), heap COUNT PATH (a new heap with so many objects and as many commits, which stays
 *   open), write FORMAT PATH, usage, end
 */
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>
#include <lgalloc/pager.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELD_MAX = 4096 };

static lg_region *held[HELD_MAX];
static size_t count;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "holder: %s: %s\n", what, lg_error());
	exit(EXIT_FAILURE);
}

static void take(size_t bytes, unsigned times)
{
	for (; times > 0; times--) {
		lg_region *region = count < HELD_MAX ? lg_region_new(bytes) : NULL;

		if (region == NULL)
			fail("no region");
		memset(lg_region_data(region), 1, 4096);
		held[count++] = region;
	}
}

static void give(size_t bytes, unsigned times)
{
	for (size_t i = count; i-- > 0 && times > 0;) {
		if (lg_region_size(held[i]) != bytes)
			continue;
		lg_region_free(held[i]);
		held[i] = held[--count];
		times--;
	}
	if (times > 0)
		fail("fewer regions of that size than are to be freed");
}

static pthread_barrier_t freed;
static size_t thread_bytes;
static unsigned thread_times;

static void *take_and_give(void *unused)
{
	lg_region *regions[HELD_MAX];

	(void)unused;
	for (unsigned i = 0; i < thread_times; i++)
		if ((regions[i] = lg_region_new(thread_bytes)) == NULL)
			fail("no region");
	for (unsigned i = 0; i < thread_times; i++)
		lg_region_free(regions[i]);
	pthread_barrier_wait(&freed);
	for (;;)
		pause();
}

static void give_in_thread(size_t bytes, unsigned times)
{
	pthread_t thread;

	thread_bytes = bytes;
	thread_times = times < HELD_MAX ? times : HELD_MAX;
	pthread_barrier_init(&freed, NULL, 2);
	if (pthread_create(&thread, NULL, take_and_give, NULL) != 0)
		fail("no thread");
	pthread_barrier_wait(&freed);
}

/* Until all areas of a class are unmapped. */
static void await_retired(size_t bytes)
{
	for (unsigned tries = 0; tries < 60000; tries++) {
		static struct lg_stats stats;

		if (lg_stats_read(&stats) != 0)
			fail("statistics");
		for (unsigned i = 0; i < LG_CLASSES; i++)
			if (stats.classes[i].size == bytes && stats.classes[i].areas == 0 &&
			    stats.classes[i].retired == stats.classes[i].refills)
				return;
		usleep(1000);
	}
	fail("areas stay mapped");
}

/* Twice, so that what was written is read again. */
static void make_map(size_t memory, size_t bytes, const char *path)
{
	char options[100];

	snprintf(options, sizeof(options), "memory:%zu,page:4K,faults:inline", memory);
	lg_pager *pager = lg_pager_new(options);
	lg_map *map = pager != NULL ? lg_map_file(pager, path, bytes, NULL) : NULL;
	if (map == NULL)
		fail("no map");
	for (unsigned round = 0; round < 2; round++)
		for (size_t at = 0; at < bytes; at += 4096)
			((volatile char *)lg_map_data(map))[at]++;
	if (lg_map_sync(map, 0, 0) != 0)
		fail("not written");
}

/* The first half is read again; of the other, which the file has no more, three pages cannot be. */
static void lose_end(size_t bytes, const char *path)
{
	lg_pager *pager = lg_pager_new("memory:1M,page:4K,faults:inline,prefetch:off");
	lg_map *map = pager != NULL ? lg_map_file(pager, path, bytes, NULL) : NULL;
	char byte;

	if (map == NULL)
		fail("no map");
	for (size_t at = 0; at < bytes; at += 4096)
		((volatile char *)lg_map_data(map))[at]++;
	if (lg_map_sync(map, 0, 0) != 0 || lg_map_advise(map, 0, 0, LG_COLD) != 0)
		fail("not written");
	if (truncate(path, (off_t)bytes / 2) != 0)
		fail("not made shorter");
	for (size_t at = 0; at < bytes / 2; at += 4096)
		if (((volatile char *)lg_map_data(map))[at] != 1)
			fail("not what was written");
	for (size_t at = bytes / 2; at < bytes / 2 + (3 << 12); at += 4096)
		if (lg_map_read(map, &byte, 1, at) != -EIO)
			fail("read, and not there");
}

/* Read a piece here, a piece there, and then in order. */
static void read_url(const char *url)
{
	lg_pager *pager = lg_pager_new("memory:2M,faults:inline");
	lg_map *map = pager != NULL ? lg_map_url(pager, url, "page:4K") : NULL;
	unsigned sum = 0;

	if (map == NULL)
		fail("no object");
	const unsigned char *data = lg_map_data(map);
	size_t bytes = lg_map_size(map);
	for (size_t at = bytes - 1; at > bytes / 2; at -= bytes / 9)
		sum += data[at];
	for (size_t at = 0; at < bytes; at += 4096)
		sum += data[at];
	if (sum == 0)
		fail("it is all zero");
}

static void make_heap(unsigned objects, const char *path)
{
	lg_heap *heap = lg_heap_open(path, "create:on,reserve:1G,journal:1M");

	if (heap == NULL)
		fail("no heap");
	for (; objects > 0; objects--)
		if (lg_heap_calloc(heap, 1, 1000) == NULL || lg_heap_commit(heap) != 0)
			fail("not committed");
}

static void write_to(const char *path, unsigned format)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || lg_metrics_write(fd, (enum lg_format)format) != 0 || close(fd) != 0)
		fail(path);
}

int main(void)
{
	char line[4400], path[4096];
	struct lg_usage usage;
	size_t bytes, memory;
	unsigned number;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "new %zu %u", &bytes, &number) == 2)
			take(bytes, number);
		else if (sscanf(line, "free %zu %u", &bytes, &number) == 2)
			give(bytes, number);
		else if (sscanf(line, "thread %zu %u", &bytes, &number) == 2)
			give_in_thread(bytes, number);
		else if (sscanf(line, "await retired %zu", &bytes) == 1)
			await_retired(bytes);
		else if (sscanf(line, "map %zu %zu %4095[^\n]", &memory, &bytes, path) == 3)
			make_map(memory, bytes, path);
		else if (sscanf(line, "lose %zu %4095[^\n]", &bytes, path) == 2)
			lose_end(bytes, path);
		else if (sscanf(line, "url %4095[^\n]", path) == 1)
			read_url(path);
		else if (sscanf(line, "heap %u %4095[^\n]", &number, path) == 2)
			make_heap(number, path);
		else if (sscanf(line, "write %u %4095[^\n]", &number, path) == 2)
			write_to(path, number);
		else if (strcmp(line, "usage\n") == 0 && lg_usage_read(&usage) != 0)
			fail("usage");
		puts("done");
		fflush(stdout);
		if (strcmp(line, "end\n") == 0)
			break;
	}
	return 0;
}
