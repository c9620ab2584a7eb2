/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/cache.h"

#include "base/atomic.h"
#include "base/crc.h"
#include "base/error.h"
#include "os/clock.h"
#include "os/descriptor.h"
#include "os/limits.h"
#include "remote/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	USED_S = 60, /* a block that was read is young again, but is not said to be more often */
	PAUSE_MS = 10000, /* nothing is written for so long, after that failed */
	NAME_BYTES = 64,
};

struct lg_cache {
	struct lg_os_descriptor directory;
	uint64_t bytes_most;
	pthread_mutex_t
		ledger; /* the ledger's own lock is between processes, and is not waited for long */
	_Atomic(uint64_t) paused_until_ms;
	_Atomic(uint64_t) written; /* files, so far: a part of their first names */
};

/* Before the block's bytes. */
struct header {
	char magic[8];
	struct lg_key key;
	uint32_t bytes;
	uint32_t crc; /* of what is before, and of the bytes */
};

_Static_assert(sizeof(struct header) == 48, "it is a format");

static const char magic[8] = "lgblock1"; /* without a zero */

/* --- the directory ------------------------------------------------------------------------------ */

static int open_directory(const char *path, int *fd)
{
	struct stat status;

	if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS)
		return lg_fail(errno, "option cache_dir: %s: %s", path, lg_error_name(errno));
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return lg_fail(errno, "option cache_dir: %s is no directory of yours to read: %s",
			       path, lg_error_name(errno));
	if (fstat(*fd, &status) != 0 || status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
		close(*fd);
		return lg_fail(EACCES,
			       "option cache_dir: %s is another user's, or others may write to it; "
			       "it has to be yours alone (chmod 700)",
			       path);
	}
	return 0;
}

int lg_cache_open(const char *path, uint64_t bytes_most, struct lg_cache **made)
{
	struct lg_cache *cache = calloc(1, sizeof(*cache));
	int fd = -1;

	if (cache == NULL)
		return lg_fail(ENOMEM, "no memory for a cache's record");
	int error = open_directory(path, &fd);
	if (error != 0) {
		free(cache);
		return error;
	}
	lg_os_descriptor_keep(&cache->directory, fd);
	cache->bytes_most = bytes_most;
	pthread_mutex_init(&cache->ledger, NULL);
	*made = cache;
	return 0;
}

void lg_cache_close(struct lg_cache *cache)
{
	if (cache == NULL)
		return;
	lg_os_descriptor_close(&cache->directory);
	pthread_mutex_destroy(&cache->ledger);
	free(cache);
}

void lg_cache_forget(struct lg_cache *cache)
{
	if (cache != NULL)
		lg_os_descriptor_close(&cache->directory);
}

/* --- blocks ------------------------------------------------------------------------------------- */

static void fill_header(struct header *header, const struct lg_key *key, const void *data,
			uint32_t bytes)
{
	memcpy(header->magic, magic, sizeof(magic));
	header->key = *key;
	header->bytes = bytes;
	header->crc = lg_crc32c(lg_crc32c(0, header, offsetof(struct header, crc)), data, bytes);
}

/* Ours, and of this length: what another could have put there is not read. */
static bool is_sound(const struct stat *status, uint32_t bytes)
{
	return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
	       (status->st_mode & 077) == 0 &&
	       (uint64_t)status->st_size == sizeof(struct header) + (uint64_t)bytes;
}

static bool read_all(int fd, struct header *header, void *buffer, uint32_t bytes)
{
	struct iovec parts[2] = { { header, sizeof(*header) }, { buffer, bytes } };
	ssize_t got = readv(fd, parts, 2);

	return got == (ssize_t)(sizeof(*header) + bytes);
}

/* So that it stays longer than what nobody reads. */
static void note_use(int fd, const struct stat *status)
{
	if (status->st_mtim.tv_sec + USED_S < (time_t)(lg_os_unix_ms() / 1000))
		(void)futimens(fd, NULL);
}

static bool read_block(int fd, const struct lg_key *key, void *buffer, uint32_t bytes)
{
	struct header found, right;
	struct stat status;

	if (fstat(fd, &status) != 0 || !is_sound(&status, bytes) ||
	    !read_all(fd, &found, buffer, bytes))
		return false;
	fill_header(&right, key, buffer, bytes);
	if (memcmp(&found, &right, sizeof(right)) != 0)
		return false;
	note_use(fd, &status);
	return true;
}

bool lg_cache_get(struct lg_cache *cache, const struct lg_key *key, void *buffer, uint32_t bytes)
{
	char name[LG_SHA256_HEX_BYTES];

	if (!lg_os_descriptor_is_ours(&cache->directory))
		return false;
	lg_sha256_hex(key->bytes, name);
	int fd = openat(cache->directory.fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		if (errno == ELOOP)
			(void)unlinkat(cache->directory.fd, name, 0);
		return false;
	}
	bool got = read_block(fd, key, buffer, bytes);
	close(fd);
	if (!got)
		(void)unlinkat(cache->directory.fd, name, 0);
	return got;
}

static bool write_all(int fd, const struct header *header, const void *data, uint32_t bytes)
{
	struct iovec parts[2] = { { (void *)(uintptr_t)header, sizeof(*header) },
				  { (void *)(uintptr_t)data, bytes } };

	return writev(fd, parts, 2) == (ssize_t)(sizeof(*header) + bytes);
}

static bool enter(struct lg_cache *cache, uint64_t bytes)
{
	pthread_mutex_lock(&cache->ledger);
	bool granted = lg_ledger_enter(cache->directory.fd, bytes, cache->bytes_most);
	pthread_mutex_unlock(&cache->ledger);
	return granted;
}

/* Under a name of its own first: nobody sees half of it. */
static bool write_block(struct lg_cache *cache, const struct lg_key *key, const void *data,
			uint32_t bytes)
{
	int directory = cache->directory.fd;
	char name[LG_SHA256_HEX_BYTES], first[NAME_BYTES];
	struct header header;

	snprintf(first, sizeof(first), LG_LEDGER_UNFINISHED "%d-%llu-%llu", (int)getpid(),
		 (unsigned long long)lg_os_now_ns(),
		 (unsigned long long)lg_add_relaxed(&cache->written, 1));
	int fd = openat(directory, first, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	if (fd < 0)
		return false;
	fill_header(&header, key, data, bytes);
	lg_sha256_hex(key->bytes, name);
	bool done = ftruncate(fd, (off_t)(sizeof(header) + bytes)) == 0 &&
		    enter(cache, sizeof(header) + bytes) && write_all(fd, &header, data, bytes);
	close(fd);
	done = done && renameat(directory, first, directory, name) == 0;
	if (!done)
		(void)unlinkat(directory, first, 0);
	return done;
}

void lg_cache_put(struct lg_cache *cache, const struct lg_key *key, const void *data,
		  uint32_t bytes)
{
	uint64_t now = lg_os_now_ms();

	if (now < lg_load_relaxed(&cache->paused_until_ms) ||
	    !lg_os_descriptor_is_ours(&cache->directory) ||
	    sizeof(struct header) + (uint64_t)bytes > lg_os_file_bytes_max())
		return;
	if (!write_block(cache, key, data, bytes))
		lg_store_relaxed(&cache->paused_until_ms, now + PAUSE_MS);
}
