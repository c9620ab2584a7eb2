/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The files: 64-bit little-endian keys, one after the other, nothing else.
 *
 * Every call that returns an int returns 0, or -1 after it has said on stderr what failed and on which
 * file. Reads and writes are at an offset, so threads share a file without a position to fight over.
 */
#ifndef EXTERNAL_SORT_FILE_H
#define EXTERNAL_SORT_FILE_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are used as the file holds them");

struct file {
	int fd;
	const char *path;
	uint64_t bytes;
};

/* "external_sort: PATH: text: the error's name" (error 0: no name). Always -1. */
int file_fail(const char *path, const char *text, int error);

/* A regular file of whole keys. */
int file_open(struct file *file, const char *path);

/*
 * A new or emptied file with disk space for `bytes`, so that a full disk shows now and not after an
 * hour of sorting. `source`, unless NULL, is a file it must not be.
 */
int file_create(struct file *file, const char *path, uint64_t bytes, const struct file *source);

/*
 * No read-ahead: it may be tens of megabytes, which under a small limit push out what is in use. Reads
 * then are as large as the caller makes them.
 */
void file_read_no_further(const struct file *file);

int file_read(const struct file *file, void *buffer, size_t bytes, uint64_t offset);
int file_write(const struct file *file, const void *buffer, size_t bytes, uint64_t offset);

/* Starts the way of written bytes to the disk, and waits for its end. */
int file_settle_begin(const struct file *file, uint64_t offset, uint64_t bytes);
int file_settle_end(const struct file *file, uint64_t offset, uint64_t bytes);

/* This part will not be used again: its page cache is memory that the sort can use better. */
void file_drop(const struct file *file, uint64_t offset, uint64_t bytes);

void file_close(struct file *file);

/* Waits until the bytes are on the disk: an error the kernel meets later would be nobody's. */
int file_finish(struct file *file);

/* Removes what was written: half an output is worse than none. */
void file_discard(struct file *file);

#endif
