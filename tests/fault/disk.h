/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A small file system of its own for a test: an image file on a loop device, or a tmpfs. It is mounted
 * in a mount namespace of the calling process alone, and the image is unlinked once mounted, so all of
 * it disappears with the process, however that ends; disk_close() only does it earlier.
 *
 * Needs root, loop devices and the mkfs program; where they are missing the test is skipped.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include "stress/claim.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

struct disk {
	char path[64]; /* where it is mounted */
};

/* A program with arguments, quietly. True: it exists and said 0. */
static inline bool disk_command(const char *const *arguments)
{
	int status;
	pid_t child = fork();

	CLAIM(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		CLAIM(errno == EINTR);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Mounts made from here on are seen by this process and its children only. */
static inline void disk_be_private(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		SKIP("no mount namespace of our own: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		SKIP("mounts cannot be made private: %s", strerror(errno));
}

/* The mount point is a tmpfs directory in that namespace: nothing is left anywhere. */
static inline void disk_mount_point(struct disk *disk)
{
	if (mount("lgalloc-test", "/mnt", "tmpfs", 0, "size=1M") != 0)
		SKIP("no tmpfs on /mnt: %s", strerror(errno));
	snprintf(disk->path, sizeof(disk->path), "/mnt/disk");
	CLAIM(mkdir(disk->path, 0755) == 0);
}

static inline void disk_open_tmpfs(struct disk *disk, const char *options)
{
	disk_be_private();
	disk_mount_point(disk);
	if (mount("lgalloc-test", disk->path, "tmpfs", 0, options) != 0)
		SKIP("no tmpfs: %s", strerror(errno));
}

static inline void disk_open(struct disk *disk, const char *kind, size_t bytes)
{
	char image[] = "/var/tmp/lgalloc-test.XXXXXX";
	const char *format[] = { NULL, "-q", image, NULL };
	const char *mounted[] = { "mount", "-t", kind, "-o", "loop", image, disk->path, NULL };
	char make[32];
	bool made;
	int fd;

	disk_be_private();
	disk_mount_point(disk);
	fd = mkostemp(image, O_CLOEXEC);
	CLAIM(fd >= 0);
	CLAIM(ftruncate(fd, (off_t)bytes) == 0);
	close(fd);
	snprintf(make, sizeof(make), "mkfs.%s", kind);
	format[0] = make;
	made = disk_command(format) && disk_command(mounted);
	unlink(image);
	if (!made)
		SKIP("no %s on a loop device here", kind);
}

static inline void disk_close(struct disk *disk)
{
	CLAIM(umount2(disk->path, MNT_DETACH) == 0);
}

/*
 * Another program's file that takes all the space there is, down to the last block: by fallocate, and
 * `by_writing` what writing still finds, on disk and not just promised. Continues when called again.
 */
static inline void disk_fill(const struct disk *disk, const char *name, bool by_writing)
{
	struct stat status;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", disk->path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOSPC)
		return;
	CLAIM(fd >= 0);
	CLAIM(fstat(fd, &status) == 0);
	for (off_t bytes = 1 << 20; bytes >= 4096;) {
		static const char piece[1 << 20] = { 1 };
		int result = by_writing ? (int)pwrite(fd, piece, (size_t)bytes, status.st_size) :
					  fallocate(fd, 0, status.st_size, bytes);

		if (result >= 0) {
			status.st_size += by_writing ? result : bytes;
			continue;
		}
		CLAIM(errno == ENOSPC || errno == EINTR);
		if (errno == ENOSPC)
			bytes /= 16;
	}
	if (by_writing && fsync(fd) != 0)
		CLAIM(errno == ENOSPC);
	close(fd);
}

static inline void disk_empty(const struct disk *disk, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", disk->path, name);
	CLAIM(unlink(path) == 0 || errno == ENOENT);
}

static inline void disk_sync(const struct disk *disk)
{
	int fd = open(disk->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CLAIM(fd >= 0);
	syncfs(fd);
	close(fd);
}

#endif
