/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * reopen: a large heap is opened again. bytes=10G block=1M count=9 replay=32M
 * Its blocks have places on the disk and were not written: neither opening nor committing looks at them.
 *
 * Timed, medians of `count`: opening it after a close (value); the first commit after that, of one page (commit);
 * opening it after the process that had it was killed, with one page in the journal (killed), and with `replay`
 * bytes of pages there (replay).
 *
 * value, killed, replay: ms. commit: ms.
 */
#include "heap/peer.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/median.h"
#include "workload/result.h"
#include "workload/table.h"

#include <errno.h>
#include <fcntl.h>
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT_MAX = 100, SMALL = 100000, SMALL_BYTES = 64, PAGE = 4096 };

static char path[PATH_MAX]; /* of a descriptor: the file has no name, so nothing is left of it */

static double ms_since(uint64_t begin)
{
	return (double)(clock_ns() - begin) / 1e6;
}

static void must(int error, const char *what)
{
	if (error != 0)
		result_fail("%s: %s", what, lg_error());
}

static lg_heap *open_heap(const char *first)
{
	lg_heap *heap = lg_heap_open(path, peer_options(first));

	must(heap == NULL, "open");
	return heap;
}

static void make_heap(size_t bytes, size_t block_bytes, size_t replay_bytes)
{
	peer_path(path, "heap");
	lg_heap *heap = open_heap("create:on");
	int fd = open(path, O_RDONLY);
	unlink(path);
	if (fd < 0)
		result_fail("%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	void *pages = lg_heap_alloc(heap, replay_bytes);

	must(pages == NULL, "alloc");
	must(lg_heap_root_set(heap, "pages", lg_heap_ref(heap, pages)), "root");
	for (size_t i = 0; i < SMALL; i++)
		must(lg_heap_alloc(heap, SMALL_BYTES) == NULL, "alloc");
	for (size_t done = 0; done < bytes; done += block_bytes)
		must(lg_heap_alloc(heap, block_bytes) == NULL, "alloc");
	must(lg_heap_commit(heap), "commit");
	must(lg_heap_close(heap), "close");
}

static void change(lg_heap *heap, size_t bytes)
{
	char *pages = lg_heap_at(heap, lg_heap_root_get(heap, "pages"));

	for (size_t at = 0; at < bytes; at += PAGE)
		pages[at]++;
}

/* A process that commits so much and is gone at once. */
static double killed_ms(size_t bytes)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		lg_heap *heap = open_heap("");

		change(heap, bytes);
		must(lg_heap_commit(heap), "commit");
		raise(SIGKILL);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		result_fail("fork: %s", strerror(errno));
	if (!WIFSIGNALED(status))
		result_fail("the process to kill ended by itself");
	uint64_t begin = clock_ns();
	lg_heap *heap = open_heap("");
	double ms = ms_since(begin);
	must(lg_heap_close(heap), "close");
	return ms;
}

void workload_reopen(void)
{
	size_t count = argument_size("count", 9), replay_bytes = argument_size("replay", 32 << 20);
	double clean[COUNT_MAX], commit[COUNT_MAX], killed[COUNT_MAX], replay[COUNT_MAX];

	if (count == 0 || count > COUNT_MAX)
		result_fail("count must be 1 to %d", COUNT_MAX);
	if (!peer_is("lgalloc"))
		result_skip("only heap=lgalloc is opened again");
	make_heap(argument_size("bytes", (size_t)10 << 30), argument_size("block", 1 << 20),
		  replay_bytes);
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = clock_ns();
		lg_heap *heap = open_heap("");

		clean[i] = ms_since(begin);
		change(heap, 1);
		begin = clock_ns();
		must(lg_heap_commit(heap), "commit");
		commit[i] = ms_since(begin);
		must(lg_heap_close(heap), "close");
		killed[i] = killed_ms(1);
		replay[i] = killed_ms(replay_bytes);
	}
	result_value("value", median_of(clean, count));
	result_value("commit", median_of(commit, count));
	result_value("killed", median_of(killed, count));
	result_value("replay", median_of(replay, count));
}
