/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "database.h"

#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int database_fail(const char *path, const char *text, int error)
{
	if (error != 0)
		fprintf(stderr, "buffer_pool: %s: %s: %s\n", path, text, strerror(error));
	else
		fprintf(stderr, "buffer_pool: %s: %s\n", path, text);
	return -1;
}

/* What SQLite's readers hold: byte ranges at 1 GiB, where no content ever is. */
static int lock_shared(const struct database *database)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = DATABASE_LOCK_BYTE + 2,
		.l_len = 510,
	};

	if (fcntl(database->fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return database_fail(database->path, "is being written by another program", 0);
	return database_fail(database->path, "cannot lock", errno);
}

/* A file beside the database that has content. */
static bool has_companion(const char *path, const char *suffix)
{
	char name[PATH_MAX];
	struct stat status;
	int length = snprintf(name, sizeof(name), "%s%s", path, suffix);

	return length > 0 && (size_t)length < sizeof(name) && stat(name, &status) == 0 &&
	       status.st_size > 0;
}

static int read_header(struct database *database)
{
	unsigned char header[DATABASE_HEADER_BYTES];
	const char *path = database->path;
	ssize_t done = pread(database->fd, header, sizeof(header), 0);
	struct stat status;

	if (done < 0 || fstat(database->fd, &status) != 0)
		return database_fail(path, "cannot read", errno);
	if (done < DATABASE_HEADER_BYTES || memcmp(header, "SQLite format 3", 16) != 0)
		return database_fail(path, "is not a SQLite 3 database", 0);
	database->page_bytes = bytes_get2(header + 16);
	if (database->page_bytes == 1)
		database->page_bytes = 65536; /* which has no two-byte number */
	if (database->page_bytes < 512 || (database->page_bytes & (database->page_bytes - 1)) != 0)
		return database_fail(path, "has no valid page size", 0);
	database->usable_bytes = database->page_bytes - header[20];
	if (database->usable_bytes < 480)
		return database_fail(path, "reserves too much of each page", 0);
	if (header[19] > 2)
		return database_fail(path, "has a format newer than this program", 0);
	if (bytes_get4(header + 56) > 1)
		return database_fail(path, "has UTF-16 text, which this program does not read", 0);
	uint64_t pages = (uint64_t)status.st_size / database->page_bytes;
	/* The header's count is valid only if whoever last wrote knew of it. */
	if (bytes_get4(header + 24) == bytes_get4(header + 92) && bytes_get4(header + 28) != 0 &&
	    bytes_get4(header + 28) <= pages)
		pages = bytes_get4(header + 28);
	if (pages == 0 || pages > UINT32_MAX)
		return database_fail(path, "is cut off", 0);
	database->page_count = (uint32_t)pages;
	return 0;
}

int database_open(struct database *database, const char *path, uint64_t memory, bool direct)
{
	*database = (struct database){ .path = path };
	database->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (database->fd < 0)
		return database_fail(path, "cannot open", errno);
	if (lock_shared(database) != 0 || read_header(database) != 0)
		goto close_file;
	if (has_companion(path, "-journal") || has_companion(path, "-wal")) {
		database_fail(path, "has a journal or log: let sqlite3 finish it first", 0);
		goto close_file;
	}
	/* The header was read without O_DIRECT, as it is no whole block. */
	if (direct && fcntl(database->fd, F_SETFL, O_DIRECT) != 0) {
		database_fail(path, "cannot be read past the page cache", errno);
		goto close_file;
	}
	(void)posix_fadvise(database->fd, 0, 0, POSIX_FADV_RANDOM); /* a hint: may fail */
	database->pool = pool_new(database->fd, database->page_bytes, memory);
	if (database->pool == NULL) {
		database_fail(path, "no memory for the pool", 0);
		goto close_file;
	}
	return 0;

close_file:
	close(database->fd);
	return -1;
}

void database_close(struct database *database)
{
	pool_free(database->pool);
	close(database->fd);
}
