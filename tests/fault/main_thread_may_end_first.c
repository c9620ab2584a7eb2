/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a process whose main thread has ended by pthread_exit pagers and heaps work as in any other: as many
 * descriptors are past the page cache, pages that leave a map stay in memory for a while, and a heap can be made,
 * committed and opened again. /proc/self is the thread that ended, and shows nothing any more.
 * Method: the same in two children, of which one ends its main thread first; nothing is read ahead, which would be kept too.
 * Oracle: what the one has the other has.
 */
#include "fault/child.h"

#include <lgalloc/heap.h>
#include <lgalloc/pager.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROUNDS = 3 };

#define MIB ((size_t)1 << 20)

static struct found {
	unsigned direct; /* descriptors */
	bool keeps;      /* pages that left their map */
} * found;               /* shared with the children */

static char file_path[64], heap_path[64];
static bool ends_first;

static unsigned count_direct(void)
{
	DIR *all = opendir("/proc/thread-self/fd");
	struct dirent *entry;
	unsigned count = 0;

	CLAIM(all != NULL);
	while ((entry = readdir(all)) != NULL) {
		int flags = fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFL);

		count += flags >= 0 && (flags & O_DIRECT) != 0;
	}
	closedir(all);
	return count;
}

static void use_pager(void)
{
	lg_pager *pager = lg_pager_new("memory:2M,page:16K");
	CLAIM(pager != NULL);
	lg_map *map = lg_map_file(pager, file_path, 8 * MIB, "policy:fifo,prefetch:off");
	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	struct lg_pager_stats stats;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t at = 0; at < 8 * MIB; at += PAGE) {
			data[at]++;
			CLAIM(lg_pager_stats_read(pager, &stats) == 0);
			found->keeps = found->keeps || stats.limbo > 0;
		}
	}
	found->direct += count_direct();
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void use_heap(void)
{
	lg_heap *heap = lg_heap_open(heap_path, "create:on");

	CLAIM(heap != NULL);
	CLAIM(lg_heap_alloc(heap, MIB) != NULL);
	CLAIM(lg_heap_commit(heap) == 0);
	found->direct += count_direct();
	CLAIM(lg_heap_close(heap) == 0);
	heap = lg_heap_open(heap_path, NULL);
	CLAIM(heap != NULL);
	CLAIM(lg_heap_close(heap) == 0);
}

static bool main_thread_has_ended(void)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", (long)getpid());
	FILE *file = fopen(path, "re");
	CLAIM(file != NULL);
	CLAIM(fgets(text, sizeof(text), file) != NULL);
	fclose(file);
	return strncmp(strrchr(text, ')'), ") Z", 3) == 0;
}

static void *use_all(void *unused)
{
	while (ends_first && !main_thread_has_ended())
		sched_yield();
	use_pager();
	use_heap();
	fflush(NULL);
	_exit(EXIT_SUCCESS);
	return unused;
}

static void live(void *unused)
{
	pthread_t thread;

	CLAIM(pthread_create(&thread, NULL, use_all, unused) == 0);
	if (ends_first)
		pthread_exit(NULL);
	CLAIM(pthread_join(thread, NULL) == 0);
}

static struct found try(bool first)
{
	memset(found, 0, sizeof(*found));
	ends_first = first;
	(void)child_claim(first ? "a main thread that ended" : "a main thread", live, NULL);
	unlink(file_path);
	unlink(heap_path);
	return *found;
}

int main(void)
{
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	CLAIM(found != MAP_FAILED);
	snprintf(file_path, sizeof(file_path), "main-%ld.map", (long)getpid());
	snprintf(heap_path, sizeof(heap_path), "main-%ld.heap", (long)getpid());
	struct found with = try(false), without = try(true);
	CLAIM(without.direct == with.direct);
	CLAIM(without.keeps == with.keeps);
	return EXIT_SUCCESS;
}
