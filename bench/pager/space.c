/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/space.h"

#include "workload/argument.h"
#include "workload/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { HUGE_BYTES = 2 << 20, PIECE_BYTES = 2 << 20, OPTIONS_BYTES = 512 };

static bool kind_is(const char *kind)
{
	return strcmp(argument_text("space", "pager"), kind) == 0;
}

void space_path(char path[SPACE_PATH_BYTES])
{
	const char *directory = getenv("TMPDIR");

	if (directory == NULL || directory[0] == '\0')
		directory = "/var/tmp";
	if (snprintf(path, SPACE_PATH_BYTES, "%s/lgalloc-bench-%d.space", directory,
		     (int)getpid()) >= SPACE_PATH_BYTES)
		result_fail("TMPDIR is too long");
}

static void open_pager(struct space *space, const char *policy)
{
	const char *more = argument_text("options", "");
	char options[OPTIONS_BYTES], path[SPACE_PATH_BYTES];

	snprintf(options, sizeof(options), "memory:%zu,page:%zu,policy:%s,prefetch:%s%s%s",
		 space->budget_bytes, argument_size("page", (size_t)64 << 10), policy,
		 argument_text("prefetch", "on"), more[0] != '\0' ? "," : "", more);
	space->pager = lg_pager_new(options);
	if (space->pager == NULL && (errno == ENOSYS || errno == EPERM))
		result_skip("no pager: %s", lg_error());
	if (space->pager == NULL)
		result_fail("no pager with \"%s\": %s", options, lg_error());
	if (kind_is("pager")) {
		space->map = lg_map_memory(space->pager, space->bytes, NULL);
	} else {
		space_path(path);
		unlink(path);
		space->map = lg_map_file(space->pager, path, space->bytes, NULL);
		int error = errno;
		unlink(path);
		errno = error;
	}
	if (space->map == NULL)
		result_fail("no map of %zu bytes: %s", space->bytes, lg_error());
	space->data = lg_map_data(space->map);
}

static void open_kernel(struct space *space)
{
	char path[SPACE_PATH_BYTES];
	bool file = !kind_is("swap") && !kind_is("swap-huge");
	char *reserved = mmap(NULL, space->bytes + HUGE_BYTES, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (reserved == MAP_FAILED)
		result_fail("no address space: %s", strerror(errno));
	space->data = reserved + (-(uintptr_t)reserved & (HUGE_BYTES - 1));
	if (file) {
		space_path(path);
		space->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (space->fd == -1 || unlink(path) != 0 ||
		    ftruncate(space->fd, (off_t)space->bytes) != 0)
			result_fail("%s: %s", path, strerror(errno));
	}
	int flags = MAP_FIXED | (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	if (mmap(space->data, space->bytes, PROT_READ | PROT_WRITE, flags, space->fd, 0) ==
	    MAP_FAILED)
		result_fail("no mapping: %s", strerror(errno));
	int advice = file ? (kind_is("file-random") ? MADV_RANDOM : MADV_NORMAL) :
			    (kind_is("swap-huge") ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (madvise(space->data, space->bytes, advice) != 0)
		result_skip("advice is refused: %s", strerror(errno));
}

void space_open_policy(struct space *space, size_t bytes, const char *policy)
{
	static const char *const kinds[] = { "swap", "swap-huge", "file", "file-random" };

	*space = (struct space){
		.bytes = bytes,
		.budget_bytes = argument_size("memory", bytes / 2),
		.fd = -1,
	};
	if (kind_is("pager") || kind_is("pager-file")) {
		open_pager(space, policy != NULL ? policy : argument_text("policy", "clock"));
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kind_is(kinds[i])) {
			open_kernel(space);
			return;
		}
	}
	result_fail("space=%s: there is no such", argument_text("space", ""));
}

void space_open(struct space *space, size_t bytes)
{
	space_open_policy(space, bytes, NULL);
}

static void require(int error, const char *what)
{
	if (error != 0)
		result_fail("%s: %s", what, strerror(-error));
}

void space_close(struct space *space)
{
	if (space->pager != NULL) {
		require(lg_map_close(space->map), "lg_map_close");
		require(lg_pager_free(space->pager), "lg_pager_free");
	} else {
		munmap(space->data, space->bytes);
	}
	if (space->fd != -1)
		close(space->fd);
	space->data = NULL;
}

void space_sync(struct space *space)
{
	if (space->pager != NULL)
		require(lg_map_sync(space->map, 0, 0), "lg_map_sync");
	else if (space->fd != -1 &&
		 (msync(space->data, space->bytes, MS_SYNC) != 0 || fsync(space->fd) != 0))
		result_fail("fsync: %s", strerror(errno));
}

void space_cold(struct space *space)
{
	if (space->pager != NULL) {
		require(lg_map_advise(space->map, 0, 0, LG_COLD), "lg_map_advise");
		return;
	}
	if (space->fd == -1) {
		if (madvise(space->data, space->bytes, MADV_PAGEOUT) != 0)
			result_fail("MADV_PAGEOUT: %s", strerror(errno));
		return;
	}
	/* Only what is clean and mapped nowhere leaves the page cache. */
	space_sync(space);
	if (madvise(space->data, space->bytes, MADV_DONTNEED) != 0)
		result_fail("MADV_DONTNEED: %s", strerror(errno));
	require(-posix_fadvise(space->fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
}

void space_stats(const struct space *space, struct lg_pager_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (space->pager != NULL)
		require(lg_pager_stats_read(space->pager, stats), "lg_pager_stats_read");
}

void space_report(const struct space *space, const struct lg_pager_stats *before)
{
	struct lg_pager_stats now;

	if (space->pager == NULL)
		return;
	space_stats(space, &now);
	result_value("served", (double)(now.faults - before->faults));
	result_value("read_mib", (double)(now.bytes_read - before->bytes_read) / 1048576.0);
	result_value("written_mib",
		     (double)(now.bytes_written - before->bytes_written) / 1048576.0);
	result_value("budget_peak", (double)now.peak / 1048576.0);
}

void space_write(struct space *space, size_t offset, size_t bytes)
{
	while (bytes > 0) {
		size_t piece = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
		pattern_write(space->data + offset, piece, offset / 8, 1);
		offset += piece;
		bytes -= piece;
	}
}

void space_check(struct space *space, size_t offset, size_t bytes)
{
	while (bytes > 0) {
		size_t piece = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
		if (!pattern_holds(space->data + offset, piece, offset / 8, 1))
			result_fail("the %zu bytes at %zu are not what was written", piece, offset);
		offset += piece;
		bytes -= piece;
	}
}
