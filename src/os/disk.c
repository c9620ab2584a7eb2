/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/disk.h"

#include "os/descriptor.h"
#include "os/file.h"
#include "os/limits.h"
#include "os/map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* Programs close descriptors they do not know, and the number may be another file's by now. */
static bool is_ours(const struct lg_os_disk *disk, int fd)
{
	struct stat status;

	return fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == disk->device &&
	       status.st_ino == disk->inode;
}

static int transfer(struct lg_os_disk *disk, int fd, char *data, size_t bytes, uint64_t offset,
		    bool write)
{
	if (!is_ours(disk, fd))
		return -EBADF;
	while (bytes > 0) {
		ssize_t done = write ? pwrite(fd, data, bytes, (off_t)offset) :
				       pread(fd, data, bytes, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return write ? -ENOSPC : -ENODATA; /* -ENODATA: behind the end */
		data += done;
		bytes -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static int plain_write(struct lg_os_disk *disk, const void *data, size_t bytes, uint64_t offset)
{
	return transfer(disk, disk->fd, (char *)(uintptr_t)data, bytes, offset, true);
}

static int plain_write_direct(struct lg_os_disk *disk, const void *data, size_t bytes,
			      uint64_t offset)
{
	return transfer(disk, disk->direct, (char *)(uintptr_t)data, bytes, offset, true);
}

static int plain_read(struct lg_os_disk *disk, void *data, size_t bytes, uint64_t offset)
{
	return transfer(disk, disk->fd, data, bytes, offset, false);
}

static int plain_read_direct(struct lg_os_disk *disk, void *data, size_t bytes, uint64_t offset)
{
	return transfer(disk, disk->direct, data, bytes, offset, false);
}

static int plain_extend(struct lg_os_disk *disk, uint64_t bytes)
{
	if (bytes > lg_os_file_bytes_max())
		return -EFBIG;
	if (!is_ours(disk, disk->fd))
		return -EBADF;
	return ftruncate(disk->fd, (off_t)bytes) == 0 ? 0 : -errno;
}

static int change_range(struct lg_os_disk *disk, int mode, uint64_t offset, uint64_t bytes)
{
	int result;

	if (!is_ours(disk, disk->fd))
		return -EBADF;
	do
		result = fallocate(disk->fd, mode, (off_t)offset, (off_t)bytes);
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : -errno;
}

static int plain_reserve(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	int error = change_range(disk, FALLOC_FL_KEEP_SIZE, offset, bytes);

	return error == -EOPNOTSUPP ? 0 : error; /* then a full disk shows at the write */
}

static int plain_punch(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	int error = change_range(disk, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);

	return error == -EOPNOTSUPP ? 0 : error;
}

static int plain_sync(struct lg_os_disk *disk)
{
	if (!is_ours(disk, disk->fd))
		return -EBADF;
	return fdatasync(disk->fd) == 0 ? 0 : -errno;
}

const struct lg_os_disk_ops lg_os_disk_plain = {
	.write = plain_write,
	.write_direct = plain_write_direct,
	.read = plain_read,
	.read_direct = plain_read_direct,
	.extend = plain_extend,
	.reserve = plain_reserve,
	.punch = plain_punch,
	.sync = plain_sync,
};

static int lock_file(int fd, enum lg_os_disk_access access)
{
	struct flock lock = { .l_type = access == LG_DISK_WRITE ? F_WRLCK : F_RDLCK,
			      .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

/* The second descriptor, past the page cache; of the same file, whatever its name means by now. */
static int open_direct(int fd, enum lg_os_disk_access access)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", fd);
	int direct =
		open(name, (access == LG_DISK_WRITE ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	return direct < 0 ? fd : lg_os_descriptor_move_high(direct);
}

/* A file system may take O_DIRECT at the open and refuse our block size at the first use. */
static bool direct_works(int fd)
{
	_Alignas(LG_DISK_BLOCK) char block[LG_DISK_BLOCK];

	return pread(fd, block, sizeof(block), 0) >= 0;
}

static int finish_open(struct lg_os_disk *disk, int fd, enum lg_os_disk_access access)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	int error = lock_file(fd, access);
	if (error != 0)
		return error;
	disk->fd = fd;
	disk->device = status.st_dev;
	disk->inode = status.st_ino;
	disk->direct = open_direct(fd, access);
	if (disk->direct != fd && !direct_works(disk->direct)) {
		(void)lg_os_descriptor_shut(disk->direct);
		disk->direct = fd;
	}
	return 0;
}

int lg_os_disk_open(struct lg_os_disk *disk, const char *path, enum lg_os_disk_access access,
		    uint64_t *bytes)
{
	/* Not to wait for the other end, should it be a pipe. */
	int fd = open(path, (access == LG_DISK_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK |
				    O_NOCTTY);

	if (fd < 0)
		return -errno;
	fd = lg_os_descriptor_move_high(fd);
	int error = finish_open(disk, fd, access);
	uint64_t blocks;
	if (error == 0)
		error = lg_os_disk_size(disk, bytes, &blocks);
	if (error != 0) {
		(void)lg_os_descriptor_shut(fd);
		disk->fd = -1;
	}
	return error;
}

static void directory_of(const char *path, char directory[PATH_BYTES])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		strcpy(directory, ".");
	else if (slash == path)
		strcpy(directory, "/");
	else
		snprintf(directory, PATH_BYTES, "%.*s", (int)(slash - path), path);
}

int lg_os_disk_create(struct lg_os_disk *disk, const char *path)
{
	char directory[PATH_BYTES];

	if (strlen(path) >= PATH_BYTES)
		return -ENAMETOOLONG;
	directory_of(path, directory);
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	fd = lg_os_descriptor_move_high(fd);
	int error = finish_open(disk, fd, LG_DISK_WRITE);
	if (error != 0) {
		(void)lg_os_descriptor_shut(fd);
		disk->fd = -1;
	}
	return error;
}

static int sync_directory(const char *path)
{
	char directory[PATH_BYTES];

	directory_of(path, directory);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return error == -EINVAL ? 0 : error; /* a file system without such a thing */
}

int lg_os_disk_publish(struct lg_os_disk *disk, const char *path)
{
	char name[64];
	struct stat status;

	if (fsync(disk->fd) != 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", disk->fd);
	/* An empty file, as mkstemp leaves one, gives way; a link does not replace anything. */
	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0)
		(void)unlink(path);
	if (linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		return -errno;
	return sync_directory(path);
}

void lg_os_disk_close(struct lg_os_disk *disk)
{
	if (disk->direct != disk->fd && is_ours(disk, disk->direct))
		(void)lg_os_descriptor_shut(disk->direct);
	if (is_ours(disk, disk->fd))
		(void)lg_os_descriptor_shut(disk->fd);
	disk->direct = -1;
	disk->fd = -1;
}

void lg_os_disk_abandon(struct lg_os_disk *disk)
{
	lg_os_disk_close(disk);
}

int lg_os_disk_size(struct lg_os_disk *disk, uint64_t *bytes, uint64_t *blocks_bytes)
{
	struct stat status;

	if (!is_ours(disk, disk->fd))
		return -EBADF;
	if (fstat(disk->fd, &status) != 0)
		return -errno;
	*bytes = (uint64_t)status.st_size;
	*blocks_bytes = (uint64_t)status.st_blocks * 512;
	return 0;
}

void lg_os_disk_write_back(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	(void)sync_file_range(disk->fd, (off_t)offset, (off_t)bytes,
			      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				      SYNC_FILE_RANGE_WAIT_AFTER);
}

int lg_os_disk_clone(struct lg_os_disk *to, struct lg_os_disk *from)
{
	return ioctl(to->fd, FICLONE, from->fd) == 0 ? 0 : -errno;
}

int lg_os_disk_data(struct lg_os_disk *disk, uint64_t offset, uint64_t *start, uint64_t *end)
{
	off_t data = lseek(disk->fd, (off_t)offset, SEEK_DATA);

	if (data < 0)
		return -errno;
	off_t hole = lseek(disk->fd, data, SEEK_HOLE);
	if (hole < 0)
		return -errno;
	*start = (uint64_t)data;
	*end = (uint64_t)hole;
	return 0;
}

int lg_os_random(void *bytes, size_t count)
{
	return getrandom(bytes, count, 0) == (ssize_t)count ? 0 : -EIO;
}

uint64_t lg_os_boot(void)
{
	char text[64] = "";
	uint64_t number = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	for (ssize_t i = 0; i < length; i++) /* FNV-1a; the text is random */
		number = (number ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return number;
}

int lg_os_disk_map(struct lg_os_disk *disk, size_t bytes, bool shared, void **at)
{
	void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE, disk->fd, 0);

	if (got == MAP_FAILED)
		return -errno;
	*at = got;
	return 0;
}
