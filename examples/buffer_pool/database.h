/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A SQLite file, opened for reading: its header, its lock, its pool
 * (https://www.sqlite.org/fileformat2.html, "The Database Header").
 *
 * It holds SQLite's own shared lock, so writers wait. Refused with a message, because pages alone would
 * then not be the truth: a write-ahead log with content, a journal to roll back, UTF-16 text.
 */
#ifndef BUFFER_POOL_DATABASE_H
#define BUFFER_POOL_DATABASE_H

#include "pool.h"

#include <stdbool.h>

enum { DATABASE_HEADER_BYTES = 100 };
enum { DATABASE_LOCK_BYTE = 0x40000000 }; /* the page with this offset is never used */

struct database {
	const char *path;
	int fd;
	size_t page_bytes;
	size_t usable_bytes; /* of a page */
	uint32_t page_count;
	struct pool *pool;
};

/* "buffer_pool: PATH: text: the error's name" (error 0: no name). Always -1. */
int database_fail(const char *path, const char *text, int error);

/* direct: read past the kernel's page cache. 0, or -1 after a message. */
int database_open(struct database *database, const char *path, uint64_t memory, bool direct);

void database_close(struct database *database);

#endif
