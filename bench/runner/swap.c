/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/swap.h"

#include "runner/guard.h"
#include "runner/host.h"
#include "runner/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };

static char path[PATH_MAX]; /* "" while there is no file */
static char reason[PATH_MAX + 256];
static bool on;

/* What mkswap writes: version, last page, no bad pages, and the signature at the page's end. */
static bool write_header(int fd, uint64_t bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t fields[3] = { 1, (uint32_t)(bytes / page_bytes - 1), 0 };
	char *page = calloc(1, page_bytes);

	if (page == NULL)
		return false;
	memcpy(page + 1024, fields, sizeof(fields));
	memcpy(page + page_bytes - 10, "SWAPSPACE2", 10);
	bool written = pwrite(fd, page, page_bytes, 0) == (ssize_t)page_bytes;
	free(page);
	return written;
}

static bool write_zeros(int fd, uint64_t bytes)
{
	char *zeros = calloc(1, CHUNK_BYTES);
	bool written = zeros != NULL;

	for (uint64_t done = 0; written && done < bytes; done += CHUNK_BYTES) {
		written = write(fd, zeros, CHUNK_BYTES) == CHUNK_BYTES;
		if (process_interrupted()) {
			errno = EINTR;
			written = false;
		}
	}
	free(zeros);
	return written;
}

static bool refuse(const char *directory, const char *what)
{
	snprintf(reason, sizeof(reason), "no swap file in %s: %s", directory, what);
	return false;
}

static bool fill(const char *directory, uint64_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1)
		return refuse(directory, strerror(errno));
	int flags = 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		/* btrfs swaps on nothing else; the others ignore or refuse it. */
		flags |= FS_NOCOW_FL;
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	bool made = write_zeros(fd, bytes) && write_header(fd, bytes) && fsync(fd) == 0;
	int error = errno;
	close(fd);
	return made || refuse(directory, strerror(error));
}

static bool make_in(const char *directory, uint64_t bytes)
{
	struct statvfs space;

	if (host_is_memory(directory))
		return refuse(directory, "it is in memory");
	if (statvfs(directory, &space) != 0)
		return refuse(directory, strerror(errno));
	if ((uint64_t)space.f_bavail * space.f_frsize < bytes + bytes / 4)
		return refuse(directory, "not enough space");
	if (snprintf(path, sizeof(path), "%s/lgalloc-bench-%d.swap", directory, (int)getpid()) >=
		    (int)sizeof(path) ||
	    !guard_swap(path)) {
		path[0] = '\0';
		return refuse(directory, "no guard could be started");
	}
	if (fill(directory, bytes) && swap_on() && swap_off())
		return true;
	swap_remove();
	return false;
}

bool swap_make(const char *directory, uint64_t bytes)
{
	char beside[PATH_MAX];

	if (path[0] != '\0')
		return true;
	if (geteuid() != 0) {
		snprintf(reason, sizeof(reason), "a swap file needs root");
		return false;
	}
	return make_in(directory, bytes) || (host_directory(beside) && make_in(beside, bytes));
}

const char *swap_reason(void)
{
	return reason;
}

bool swap_on(void)
{
	if (!on && swapon(path, 0) != 0) {
		snprintf(reason, sizeof(reason), "swapon %s: %s", path, strerror(errno));
		return false;
	}
	on = true;
	return true;
}

bool swap_off(void)
{
	if (on && swapoff(path) != 0) {
		snprintf(reason, sizeof(reason), "swapoff %s: %s", path, strerror(errno));
		return false;
	}
	on = false;
	return true;
}

void swap_remove(void)
{
	if (path[0] == '\0')
		return;
	if (guard_undo_swap(path))
		on = false;
	path[0] = '\0';
}
