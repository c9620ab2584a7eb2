/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/file.h"

#include "base/error.h"
#include "os/descriptor.h"
#include "os/io.h"
#include "os/lock.h"
#include "os/map.h"
#include "os/thread.h"
#include "store/range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever extends a file has its last possible byte: two that did so at once could make it shorter. */
enum { EXTENDING_BYTES = 1 };
#define EXTENDING_OFFSET ((uint64_t)INT64_MAX - 1)

enum { FILE_MODE = 0666, OPEN_ATTEMPTS = 4, PARENT_BYTES = 4096 };

struct file {
	struct lg_store store; /* first */
	struct lg_os_io io;
	struct lg_range range; /* from, to: where the store lies in the file */
	bool is_locked;
};

/* What was asked for. */
struct wish {
	const char *path;
	uint64_t offset;
	uint64_t bytes;
	bool readonly;
	bool create;
	bool created;
};

static struct file *file_of(struct lg_store *store)
{
	return (struct file *)store;
}

/* --- in use ------------------------------------------------------------------------------------- */

static int read_range(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset)
{
	struct file *file = file_of(store);

	return lg_os_io_read(&file->io, parts, count, file->range.from + offset, file->range.to);
}

static int write_range(struct lg_store *store, const struct iovec *parts, int count,
		       uint64_t offset)
{
	struct file *file = file_of(store);

	if (store->readonly)
		return -EROFS;
	return lg_os_io_write(&file->io, parts, count, file->range.from + offset, file->range.to);
}

static bool writes_many(struct lg_store *store)
{
	return lg_os_io_writes_many(&file_of(store)->io);
}

static void write_many(struct lg_store *store, struct lg_os_io_queue *queue,
		       struct lg_os_io_request *requests, unsigned count)
{
	struct file *file = file_of(store);

	lg_os_io_write_many(&file->io, queue, requests, count, file->range.from, file->range.to);
}

static int flush(struct lg_store *store)
{
	return store->readonly ? 0 : lg_os_io_sync(&file_of(store)->io);
}

/* The user's file keeps its bytes. */
static int discard(struct lg_store *store, uint64_t offset, uint64_t bytes)
{
	(void)store;
	(void)offset;
	(void)bytes;
	return 0;
}

static void forget(struct lg_store *store)
{
	struct file *file = file_of(store);

	lg_os_io_close(&file->io);
	lg_os_unreserve(file, sizeof(*file));
}

/* By name: a child may still have the descriptor, and with it the lock. */
static void release_lock(struct file *file)
{
	if (file->is_locked && lg_os_file_is_ours(&file->io.file))
		lg_os_unlock(file->io.file.fd, file->range.from, file->range.to - file->range.from);
}

static void close_store(struct lg_store *store)
{
	int cancel = lg_os_cancel_hold();

	release_lock(file_of(store));
	lg_range_give(&file_of(store)->range);
	forget(store);
	lg_os_cancel_restore(cancel);
}

static const struct lg_store_calls calls = {
	.name = "file",
	.read = read_range,
	.write = write_range,
	.writes_many = writes_many,
	.write_many = write_many,
	.flush = flush,
	.discard = discard,
	.close = close_store,
	.forget = forget,
};

/* --- opening ------------------------------------------------------------------------------------ */

/* Where a file that is to be made is not there it is its directory that is missing, as the error's name says. */
static int refuse(const struct wish *wish, int error)
{
	const char *why = error != -ENOENT || wish->created ?
				  lg_error_name(-error) :
			  wish->create && !wish->readonly && wish->bytes == 0 ?
				  "there is none, and 0 bytes make none (ENOENT)" :
				  "there is none (ENOENT)";

	return lg_fail(-error, "file '%s' cannot be %s: %s", wish->path,
		       wish->created ? "made" : "opened", why);
}

/* A link that leads nowhere is there for O_EXCL and not there without: the last attempt follows it. */
static int open_path(struct wish *wish)
{
	int flags = (wish->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	bool may_create = wish->create && !wish->readonly && wish->bytes > 0;
	int fd = -1;

	for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
		int last = attempt == OPEN_ATTEMPTS - 1 ? 0 : O_EXCL;

		wish->created = false;
		fd = open(wish->path, flags);
		if (fd >= 0 || errno != ENOENT || !may_create)
			break;
		wish->created = true;
		fd = open(wish->path, flags | O_CREAT | last, FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd >= 0 ? fd : -errno;
}

/* Of the file itself, whose path may be a link to it. The path was opened: it is not longer than the system allows. */
static void name_parent(const char *path, int fd, char parent[PARENT_BYTES])
{
	char link[64], target[PARENT_BYTES];

	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	ssize_t count = readlink(link, target, sizeof(target) - 1);
	if (count > 0) {
		target[count] = '\0';
		path = target;
	}
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	snprintf(parent, PARENT_BYTES, "%.*s", length > 0 ? (int)length : 1,
		 length > 0 ? path : ".");
}

/* The new name has to be on disk too. Where the directory cannot be read, all of the disk is. */
static int sync_name(const char *path, int fd)
{
	char parent[PARENT_BYTES];
	int error = 0;

	name_parent(path, fd, parent);
	int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fsync(directory) != 0)
		error = syncfs(fd) == 0 ? 0 : -errno;
	if (directory >= 0)
		close(directory);
	return error;
}

/* Which file it is for the registry, and how long it is. A device is one under all its names. */
static int examine(const struct wish *wish, struct file *file, uint64_t *length)
{
	struct stat status;

	if (fstat(file->io.file.fd, &status) != 0)
		return refuse(wish, -errno);
	*length = (uint64_t)status.st_size;
	file->range.device = status.st_dev;
	file->range.inode = status.st_ino;
	(void)fcntl(file->io.file.fd, F_SETFL, 0); /* no O_NONBLOCK, which was against fifos */
	if (S_ISREG(status.st_mode))
		return 0;
	if (S_ISDIR(status.st_mode))
		return lg_fail(EISDIR, "'%s' is a directory, not a file", wish->path);
	if (!S_ISBLK(status.st_mode))
		return lg_fail(EINVAL, "'%s' is neither a file nor a block device", wish->path);
	off_t end = lseek(file->io.file.fd, 0, SEEK_END);
	if (end < 0)
		return refuse(wish, -errno);
	*length = (uint64_t)end;
	file->range.device = status.st_rdev;
	file->range.inode = 0;
	if (wish->bytes > *length || wish->offset > *length - wish->bytes)
		return lg_fail(EINVAL, "device '%s' has %llu bytes, not %llu from %llu on",
			       wish->path, (unsigned long long)*length,
			       (unsigned long long)wish->bytes, (unsigned long long)wish->offset);
	return 0;
}

static int set_range(const struct wish *wish, struct file *file, uint64_t length)
{
	uint64_t bytes = wish->bytes;

	if (bytes == 0 && length <= wish->offset)
		return lg_fail(EINVAL, "file '%s' has no bytes from %llu on", wish->path,
			       (unsigned long long)wish->offset);
	if (bytes == 0)
		bytes = length - wish->offset;
	if (wish->readonly && (length < wish->offset || length - wish->offset < bytes))
		return lg_fail(EINVAL,
			       "file '%s' has %llu bytes, not %llu from %llu on, and is read only",
			       wish->path, (unsigned long long)length, (unsigned long long)bytes,
			       (unsigned long long)wish->offset);
	file->range.from = wish->offset;
	file->range.to = wish->offset + bytes;
	file->range.shared = wish->readonly;
	return 0;
}

static int claim(const struct wish *wish, struct file *file)
{
	uint64_t bytes = file->range.to - file->range.from;
	int error = lg_range_take(&file->range);

	if (error != 0)
		return lg_fail(EBUSY, "some of file '%s' is in another map of this process",
			       wish->path);
	error = lg_os_lock(file->io.file.fd, file->range.from, bytes, wish->readonly);
	file->is_locked = error == 0;
	if (error == -EBUSY)
		return lg_fail(EBUSY, "some of file '%s' is locked by another process", wish->path);
	/* A network without locks: this process's maps are kept apart all the same. */
	return error == 0 || error == -EOPNOTSUPP ? 0 : refuse(wish, error);
}

/* Files that are the kernel's own tables, as /proc/self/mem, take any length and keep theirs. */
static int extend(const struct wish *wish, struct file *file, uint64_t *length)
{
	int fd = file->io.file.fd;
	struct stat status;

	if (wish->readonly || *length >= file->range.to)
		return 0;
	bool locked = lg_os_lock_wait(fd, EXTENDING_OFFSET, EXTENDING_BYTES) == 0;
	int error = fstat(fd, &status) == 0 ? 0 : -errno;
	if (error == 0) {
		*length = file->io.file.bytes = (uint64_t)status.st_size;
		error = lg_os_file_extend(&file->io.file, file->range.to);
	}
	if (error == 0 && fstat(fd, &status) != 0)
		error = -errno;
	if (locked)
		lg_os_unlock(fd, EXTENDING_OFFSET, EXTENDING_BYTES);
	if (error != 0)
		return lg_fail(-error, "file '%s' cannot be made %llu bytes long: %s", wish->path,
			       (unsigned long long)file->range.to, lg_error_name(-error));
	if ((uint64_t)status.st_size < file->range.to)
		return lg_fail(EINVAL,
			       "file '%s' cannot be made %llu bytes long: it keeps its %llu bytes",
			       wish->path, (unsigned long long)file->range.to,
			       (unsigned long long)status.st_size);
	return 0;
}

static int open_file(struct wish *wish, struct file *file)
{
	uint64_t length = 0;
	int error, fd = open_path(wish);

	if (fd < 0)
		return refuse(wish, fd);
	fd = lg_os_descriptor_move_high(fd);
	file->io.file.fd = fd;
	error = examine(wish, file, &length);
	if (error == 0 && !wish->readonly)
		error = lg_os_file_check_writable(fd, wish->path);
	if (error == 0)
		error = set_range(wish, file, length);
	if (error != 0)
		goto close_descriptor;
	error = lg_os_file_adopt(fd, &file->io.file);
	if (error != 0) {
		error = refuse(wish, error);
		goto close_descriptor;
	}
	error = claim(wish, file);
	if (error == 0)
		error = extend(wish, file, &length);
	if (error == 0 && wish->created && (error = sync_name(wish->path, fd)) != 0)
		error = refuse(wish, error);
	if (error != 0)
		goto give_up;
	lg_os_io_open(&file->io, wish->readonly);
	file->store.begins_zero = length <= file->range.from;
	return 0;
give_up:
	release_lock(file);
	lg_range_give(&file->range);
	lg_os_file_close(&file->io.file);
	return error;
close_descriptor:
	(void)lg_os_descriptor_shut(fd);
	return error;
}

static int check_wish(const struct wish *wish)
{
	if (wish->path == NULL || wish->path[0] == '\0')
		return lg_fail(EINVAL, "a file needs a path");
	if (wish->offset % LG_OS_IO_BLOCK != 0)
		return lg_fail(EINVAL, "offset %llu of file '%s' is not a multiple of %d",
			       (unsigned long long)wish->offset, wish->path, LG_OS_IO_BLOCK);
	if (wish->offset > LG_STORE_BYTES_MAX || wish->bytes > LG_STORE_BYTES_MAX - wish->offset)
		return lg_fail(EFBIG, "no file has %llu bytes from %llu on",
			       (unsigned long long)wish->bytes, (unsigned long long)wish->offset);
	return 0;
}

int lg_file_store_open(const char *path, uint64_t offset, uint64_t bytes, bool readonly,
		       bool create, struct lg_store **store)
{
	struct wish wish = { path, offset, bytes, readonly, create, false };
	void *record = NULL;
	int error = check_wish(&wish);

	if (error != 0)
		return error;
	error = lg_os_map_record(sizeof(struct file), &record);
	if (error != 0)
		return lg_fail(-error, "no memory for a file's record: %s", lg_error_name(-error));
	struct file *file = record;
	int cancel = lg_os_cancel_hold();
	error = open_file(&wish, file);
	lg_os_cancel_restore(cancel);
	if (error != 0) {
		lg_os_unreserve(record, sizeof(*file));
		return error;
	}
	file->store.calls = &calls;
	file->store.bytes = file->range.to - file->range.from;
	file->store.alignment = LG_OS_IO_BLOCK;
	file->store.readonly = readonly;
	file->store.signal_safe = true;
	file->store.lasts = true;
	*store = &file->store;
	return 0;
}
