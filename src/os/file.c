/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/file.h"

#include "base/error.h"
#include "os/descriptor.h"
#include "os/limits.h"
#include "os/map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 + 32 };
enum { LARGE_BYTES = 256 << 20, PIECE_BYTES = 256 << 10 };

/* A kernel or file system without O_TMPFILE: make a name and remove it at once. */
static int open_named(const char *directory)
{
	char path[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof(path), "%s/lgalloc.XXXXXX", directory) >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int open_unlinked(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(directory);
	return -errno;
}

/* btrfs: contents have sums unless blocks are written in place. */
static bool is_written_in_place(int fd)
{
	int flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NOCOW_FL) != 0;
}

/*
 * On btrfs a second write to a page after write-back needs a new block, which a full disk does not have:
 * SIGBUS. Without copy-on-write it goes to the reserved one.
 */
static void forbid_copy_on_write(int fd)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
		return;
	flags |= FS_NOCOW_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static bool is_in_memory(const struct statfs *system)
{
	return system->f_type == TMPFS_MAGIC || system->f_type == RAMFS_MAGIC ||
	       system->f_type == HUGETLBFS_MAGIC;
}

/*
 * Some file systems have nothing to map, and no unlinked files either. On hugetlbfs it is a huge page, and none has to
 * be there for it.
 */
static int pin_page(int fd, const struct stat *status, size_t bytes, void **pin)
{
	void *got = mmap(NULL, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	*pin = got != MAP_FAILED ? got : NULL;
	return got != MAP_FAILED || (errno == ENODEV && status->st_nlink > 0) ? 0 : -errno;
}

int lg_os_file_adopt(int fd, struct lg_os_file *file)
{
	struct stat status;
	struct statfs system;
	void *pin;

	if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0)
		return -errno;
	size_t bytes = system.f_type == HUGETLBFS_MAGIC ? (size_t)system.f_bsize :
							  lg_os_page_bytes();
	int error = pin_page(fd, &status, bytes, &pin);
	if (error != 0)
		return error;
	/* XFS frees the blocks and allocates others: another process may take the last ones between. */
	*file = (struct lg_os_file){ .fd = fd,
				     .device = status.st_dev,
				     .inode = status.st_ino,
				     .pin = pin,
				     .pin_bytes = bytes,
				     .bytes = (uint64_t)status.st_size,
				     .zeroes_in_place = system.f_type != XFS_SUPER_MAGIC,
				     .undoes = system.f_type == TMPFS_MAGIC,
				     .in_memory = is_in_memory(&system),
				     .sums_contents = system.f_type == BTRFS_SUPER_MAGIC &&
						      !is_written_in_place(fd) };
	return 0;
}

int lg_os_file_check_writable(int fd, const char *path)
{
	int seals = fcntl(fd, F_GET_SEALS), protected = 0;
	struct statfs system;
	struct stat status;

	if (seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0)
		return lg_fail(EPERM, "file '%s' is sealed against writing (EPERM)", path);
	if (fstatfs(fd, &system) == 0 && system.f_type == HUGETLBFS_MAGIC)
		return lg_fail(EOPNOTSUPP,
			       "file '%s' is on hugetlbfs, which has no write(2): it can be mapped "
			       "read only (EOPNOTSUPP)",
			       path);
	if (fstat(fd, &status) == 0 && S_ISBLK(status.st_mode) &&
	    ioctl(fd, BLKROGET, &protected) == 0 && protected != 0)
		return lg_fail(EROFS, "device '%s' is write-protected (EROFS)", path);
	return 0;
}

int lg_os_file_open(const char *directory, struct lg_os_file *file)
{
	int fd = open_unlinked(directory);

	if (fd < 0)
		return lg_fail(-fd,
			       "no backing file could be made in dir '%s': %s; choose another with "
			       "dir:PATH or TMPDIR",
			       directory, lg_error_name(-fd));
	fd = lg_os_descriptor_move_high(fd);
	int error = lg_os_file_adopt(fd, file);
	if (error != 0) {
		(void)lg_os_descriptor_shut(fd);
		return lg_fail(-error, "the backing file in dir '%s' cannot be used: %s", directory,
			       lg_error_name(-error));
	}
	if (file->sums_contents) {
		forbid_copy_on_write(fd);
		file->sums_contents = !is_written_in_place(fd);
	}
	return 0;
}

static bool is_at(const struct lg_os_file *file, int fd, struct stat *status)
{
	return fd >= 0 && fstat(fd, status) == 0 && status->st_dev == file->device &&
	       status->st_ino == file->inode;
}

bool lg_os_file_is_at(const struct lg_os_file *file, int fd)
{
	struct stat status;

	return is_at(file, fd, &status);
}

bool lg_os_file_is_ours(const struct lg_os_file *file)
{
	return lg_os_file_is_at(file, file->fd);
}

void lg_os_file_close(struct lg_os_file *file)
{
	if (lg_os_file_is_ours(file))
		(void)lg_os_descriptor_shut(file->fd);
	file->fd = -1;
	if (file->pin != NULL)
		(void)munmap(file->pin, file->pin_bytes);
	file->pin = NULL;
}

int lg_os_file_extend(struct lg_os_file *file, uint64_t bytes)
{
	if (bytes <= file->bytes)
		return 0;
	if (bytes > lg_os_file_bytes_max())
		return -EFBIG;
	if (!lg_os_file_is_ours(file))
		return -EBADF;
	if (ftruncate(file->fd, (off_t)bytes) != 0)
		return -errno;
	file->bytes = bytes;
	return 0;
}

static int change_range(const struct lg_os_file *file, int mode, uint64_t offset, uint64_t bytes)
{
	int result;

	if (!lg_os_file_is_ours(file))
		return -EBADF;
	do
		result = fallocate(file->fd, mode, (off_t)offset, (off_t)bytes);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : -errno;
}

/* A file system allocates until it is full, and only then says so: a large wish is compared first. */
static bool has_room(const struct lg_os_file *file, uint64_t bytes)
{
	struct statfs system;

	if (fstatfs(file->fd, &system) != 0 || system.f_bsize == 0)
		return true;
	return bytes / (uint64_t)system.f_bsize <= (uint64_t)system.f_bfree;
}

int lg_os_file_reserve(const struct lg_os_file *file, uint64_t offset, uint64_t bytes)
{
	/* A program's signals may come faster than a tmpfs makes much memory: piece by piece it gets there. */
	uint64_t piece = file->undoes ? PIECE_BYTES : bytes;
	int error = 0;

	if (bytes >= LARGE_BYTES) {
		if (!lg_os_file_is_ours(file))
			return -EBADF;
		if (!has_room(file, bytes))
			return -ENOSPC;
	}
	for (uint64_t done = 0; done < bytes && error == 0; done += piece) {
		uint64_t rest = bytes - done;

		error = change_range(file, FALLOC_FL_KEEP_SIZE, offset + done,
				     rest < piece ? rest : piece);
	}
	return error;
}

int lg_os_file_zero(const struct lg_os_file *file, uint64_t offset, uint64_t bytes)
{
	if (!file->zeroes_in_place)
		return -EOPNOTSUPP;
	return change_range(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, bytes);
}

int lg_os_file_write_back(const struct lg_os_file *file, uint64_t offset, uint64_t bytes)
{
	unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		       SYNC_FILE_RANGE_WAIT_AFTER;

	if (!lg_os_file_is_ours(file))
		return -EBADF;
	return sync_file_range(file->fd, (off_t)offset, (off_t)bytes, all) == 0 ? 0 : -errno;
}

int lg_os_file_disk_bytes(const struct lg_os_file *file, uint64_t *bytes)
{
	struct stat status;

	if (!is_at(file, file->fd, &status))
		return -EBADF;
	*bytes = (uint64_t)status.st_blocks * 512;
	return 0;
}
