/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_fail(const char *path, const char *text, int error)
{
	if (error != 0)
		fprintf(stderr, "external_sort: %s: %s: %s\n", path, text, strerror(error));
	else
		fprintf(stderr, "external_sort: %s: %s\n", path, text);
	return -1;
}

int file_open(struct file *file, const char *path)
{
	struct stat status;

	file->path = path;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return file_fail(path, "cannot open", errno);
	if (fstat(file->fd, &status) != 0) {
		file_fail(path, "cannot stat", errno);
		goto close_file;
	}
	if (!S_ISREG(status.st_mode)) {
		file_fail(path, "not a regular file", 0);
		goto close_file;
	}
	file->bytes = (uint64_t)status.st_size;
	if (file->bytes % sizeof(uint64_t) != 0) {
		fprintf(stderr,
			"external_sort: %s: %" PRIu64 " bytes are no whole number of 8-byte keys\n",
			path, file->bytes);
		goto close_file;
	}
	/* Larger read-ahead; a refusal costs only speed. */
	(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;

close_file:
	close(file->fd);
	return -1;
}

/* Emptied only after it is known not to be the source: O_TRUNC in open() would be too early. */
static int empty_and_reserve(const struct file *file, const struct file *source)
{
	struct stat status, other;

	if (fstat(file->fd, &status) != 0)
		return file_fail(file->path, "cannot stat", errno);
	if (!S_ISREG(status.st_mode))
		return file_fail(file->path, "not a regular file", 0);
	if (source != NULL && fstat(source->fd, &other) != 0)
		return file_fail(source->path, "cannot stat", errno);
	if (source != NULL && status.st_dev == other.st_dev && status.st_ino == other.st_ino)
		return file_fail(file->path, "is the input", 0);
	if (ftruncate(file->fd, 0) != 0)
		return file_fail(file->path, "cannot empty", errno);
	return 0;
}

int file_create(struct file *file, const char *path, uint64_t bytes, const struct file *source)
{
	file->path = path;
	file->bytes = bytes;
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return file_fail(path, "cannot create", errno);
	if (empty_and_reserve(file, source) != 0) {
		close(file->fd);
		return -1;
	}
	/* A file system that cannot reserve tells of a full disk when we write. */
	if (bytes > 0 && fallocate(file->fd, 0, 0, (off_t)bytes) != 0 && errno != EOPNOTSUPP) {
		file_fail(path, "cannot reserve disk space", errno);
		file_discard(file);
		return -1;
	}
	return 0;
}

void file_read_no_further(const struct file *file)
{
	(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_RANDOM); /* a refusal costs only speed */
}

int file_read(const struct file *file, void *buffer, size_t bytes, uint64_t offset)
{
	char *next = buffer;

	while (bytes > 0) {
		ssize_t done = pread(file->fd, next, bytes, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return file_fail(file->path, "cannot read", errno);
		if (done == 0)
			return file_fail(file->path, "became shorter while it was read", 0);
		next += done;
		bytes -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

int file_write(const struct file *file, const void *buffer, size_t bytes, uint64_t offset)
{
	const char *next = buffer;

	while (bytes > 0) {
		ssize_t done = pwrite(file->fd, next, bytes, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return file_fail(file->path, "cannot write", errno);
		next += done;
		bytes -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static int settle(const struct file *file, uint64_t offset, uint64_t bytes, unsigned flags)
{
	if (sync_file_range(file->fd, (off_t)offset, (off_t)bytes, flags) != 0)
		return file_fail(file->path, "cannot write", errno);
	return 0;
}

int file_settle_begin(const struct file *file, uint64_t offset, uint64_t bytes)
{
	return settle(file, offset, bytes, SYNC_FILE_RANGE_WRITE);
}

int file_settle_end(const struct file *file, uint64_t offset, uint64_t bytes)
{
	return settle(file, offset, bytes,
		      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			      SYNC_FILE_RANGE_WAIT_AFTER);
}

void file_drop(const struct file *file, uint64_t offset, uint64_t bytes)
{
	/* Advice: a page that stays is a page the kernel takes later. */
	(void)posix_fadvise(file->fd, (off_t)offset, (off_t)bytes, POSIX_FADV_DONTNEED);
}

void file_close(struct file *file)
{
	close(file->fd);
}

int file_finish(struct file *file)
{
	int synced = fdatasync(file->fd);
	int error = errno;

	if (synced != 0) {
		file_fail(file->path, "cannot write", error);
		file_discard(file);
		return -1;
	}
	if (close(file->fd) != 0)
		return file_fail(file->path, "cannot close", errno);
	return 0;
}

void file_discard(struct file *file)
{
	if (unlink(file->path) != 0)
		file_fail(file->path, "cannot remove what was written", errno);
	close(file->fd);
}
