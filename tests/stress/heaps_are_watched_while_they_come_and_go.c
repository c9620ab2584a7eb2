/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: heaps may be watched (lg_metrics_write), and looked up by address (lg_heap_of), by any thread while others
 * commit, open and close them: what is shown was true, and no heap is shown twice or found where it is not.
 * Method: one thread changes and commits a heap that stays; others open, use and close heaps of one file name in
 * directories of their own; one writes metrics all the time. Oracle: the number of commits that is shown never falls
 * and never exceeds what was begun; an address of a thread's heap leads to that heap, and to none once it is closed.
 *
 * LGALLOC_STRESS_SECONDS: how long.
 */
#include "stress/clock.h"

#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GUESTS = 2 };

static lg_heap *heap;
static atomic_bool ended;
static atomic_ullong begun;
static char directory[] = "lg-stress-heaps-XXXXXX";

#define MUST(what) ((what) ? (void)0 : broken(#what, __LINE__))

static void broken(const char *what, int line)
{
	fprintf(stderr, "line %d: %s does not hold: %s\n", line, what, lg_error());
	abort();
}

static void *commit_all_the_time(void *unused)
{
	(void)unused;
	while (!atomic_load(&ended)) {
		lg_heap_begin(heap);
		void *object = lg_heap_alloc(heap, 5000);
		MUST(object != NULL && lg_heap_of(object) == heap);
		memset(object, 1, 5000);
		MUST(lg_heap_free(heap, object) == 0);
		lg_heap_root_set(heap, "root", 4096);
		lg_heap_end(heap);
		atomic_fetch_add(&begun, 1);
		MUST(lg_heap_commit(heap) == 0);
	}
	return NULL;
}

static void *come_and_go(void *argument)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%u", directory, *(unsigned *)argument);
	MUST(mkdir(path, 0700) == 0);
	snprintf(path, sizeof(path), "%s/%u/one.heap", directory, *(unsigned *)argument);
	while (!atomic_load(&ended)) {
		lg_heap *mine = lg_heap_open(path, "create:on,reserve:1G,journal:64K");

		MUST(mine != NULL);
		void *object = lg_heap_alloc(mine, 100);
		MUST(object != NULL && lg_heap_of(object) == mine);
		MUST(lg_heap_commit(mine) == 0);
		MUST(lg_heap_of((char *)object + 1) == mine);
		MUST(lg_heap_close(mine) == 0);
	}
	return NULL;
}

/* The commits of the heap that stays; no heap's line is there twice. */
static uint64_t read_commits(const char *text)
{
	static const char start[] = "\nlgalloc_heap_commits_total{heap=\"";
	uint64_t commits = UINT64_MAX;

	for (const char *line = strstr(text, start); line != NULL; line = strstr(line + 1, start)) {
		size_t length = strcspn(line + sizeof(start) - 1, "}") + sizeof(start) - 1;

		for (const char *other = strstr(line + 1, start); other != NULL;
		     other = strstr(other + 1, start))
			MUST(strncmp(line, other, length) != 0);
		if (strncmp(line + sizeof(start) - 1, "stays.heap\"", 11) == 0)
			MUST(sscanf(strchr(line, '}'), "} %" SCNu64, &commits) == 1);
	}
	return commits;
}

static void watch(int fd)
{
	static char text[1 << 20];
	static uint64_t before;

	MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(lg_metrics_write(fd, LG_PROMETHEUS) == 0);
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	MUST(length > 0);
	text[length] = '\0';
	uint64_t commits = read_commits(text);
	MUST(commits != UINT64_MAX);
	MUST(commits >= before);
	MUST(commits <= atomic_load(&begun));
	before = commits;
}

int main(void)
{
	pthread_t threads[GUESTS + 1];
	unsigned numbers[GUESTS];
	double end = clock_end_of_run(2);
	char path[64], removal[64];
	int fd = memfd_create("metrics", MFD_CLOEXEC);

	MUST(mkdtemp(directory) != NULL && fd >= 0);
	snprintf(path, sizeof(path), "%s/stays.heap", directory);
	heap = lg_heap_open(path, "create:on,reserve:1G,journal:1M");
	MUST(heap != NULL);
	MUST(pthread_create(&threads[GUESTS], NULL, commit_all_the_time, NULL) == 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		numbers[i] = i;
		MUST(pthread_create(&threads[i], NULL, come_and_go, &numbers[i]) == 0);
	}
	unsigned looks = 0;
	for (; !clock_passed(end) || looks < 3; looks++)
		watch(fd);
	atomic_store(&ended, true);
	for (unsigned i = 0; i <= GUESTS; i++)
		pthread_join(threads[i], NULL);
	void *inside = lg_heap_at(heap, 4096);
	MUST(lg_heap_of(inside) == heap);
	MUST(lg_heap_close(heap) == 0);
	MUST(lg_heap_of(inside) == NULL);
	snprintf(removal, sizeof(removal), "rm -rf %s", directory);
	MUST(system(removal) == 0);
	printf("%u looks, %llu commits\n", looks, atomic_load(&begun));
	return 0;
}
