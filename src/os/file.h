/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A file of the library: a backing file, unlinked from the start, so that its bytes go when the process does;
 * or one that has a name.
 *
 * Programs close descriptors they do not know. Before each change through the descriptor we look
 * whether it still is our file; if not, -EBADF, and nothing of the program's is harmed. Device and inode
 * tell: a page of the file stays mapped while the record is in use, so that the inode cannot become a
 * file of the program's. (A close between the look and the call cannot be seen; the descriptor is kept
 * high to make that unlikely.)
 */
#ifndef LG_OS_FILE_H
#define LG_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct lg_os_file {
	int fd; /* -1: none */
	dev_t device;
	ino_t inode;
	void *pin; /* a page of it, never read or written */
	size_t pin_bytes;
	uint64_t bytes;
	bool zeroes_in_place; /* zeroing a range never gives up its blocks */
	bool undoes;          /* a reservation that a signal interrupts has reserved nothing */
	bool in_memory;       /* what is written there takes memory, not disk */
	bool sums_contents; /* a buffer that changes while it is written past the page cache makes the
			       * sum wrong, and the block unreadable */
};

/* Makes a file in `directory`. -errno, in words in lg_error(). */
int lg_os_file_open(const char *directory, struct lg_os_file *file);
/* The same with what the caller opened; on failure the descriptor is still the caller's. No words. */
int lg_os_file_adopt(int fd, struct lg_os_file *file);
/*
 * A file that opens for writing and refuses each write would say so when there is something to lose. -errno, in words: sealed,
 * on hugetlbfs, a device that is write-protected.
 */
int lg_os_file_check_writable(int fd, const char *path);
/* Ends the use of a record, whether or not its descriptor is still open. */
void lg_os_file_close(struct lg_os_file *file);

/* Makes the file at least `bytes` long (sparse). -EFBIG beyond RLIMIT_FSIZE, without its signal. */
int lg_os_file_extend(struct lg_os_file *file, uint64_t bytes);

/* Gives the range disk blocks; contents that exist stay. -ENOSPC, -EOPNOTSUPP, -EBADF … */
int lg_os_file_reserve(const struct lg_os_file *file, uint64_t offset, uint64_t bytes);

/* Makes the range zero and keeps its blocks. -EOPNOTSUPP where the file system cannot. */
int lg_os_file_zero(const struct lg_os_file *file, uint64_t offset, uint64_t bytes);

/* Starts and awaits write-back of the range. */
int lg_os_file_write_back(const struct lg_os_file *file, uint64_t offset, uint64_t bytes);

/* Bytes of disk the file occupies. */
int lg_os_file_disk_bytes(const struct lg_os_file *file, uint64_t *bytes);

bool lg_os_file_is_ours(const struct lg_os_file *file);

/* This other descriptor still is one of our file. */
bool lg_os_file_is_at(const struct lg_os_file *file, int fd);

#endif
