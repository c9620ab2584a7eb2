/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/ledger.h"

#include "base/crc.h"
#include "base/sha256.h"
#include "os/clock.h"
#include "os/lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ledger_name[] = "lgalloc-ledger";

enum { LOCK_TRIES = 200, LOCK_PAUSE_US = 500, FREE_PART = 8, UNFINISHED_S = 600 };

struct record {
	char magic[8];
	uint64_t bytes;
	uint32_t crc; /* of what is before */
	uint32_t zero;
};

_Static_assert(sizeof(struct record) == 24, "it is a format");

static const char magic[8] = "lgledger"; /* without a zero */

/* --- counting ----------------------------------------------------------------------------------- */

struct entry {
	char name[LG_SHA256_HEX_BYTES];
	uint64_t cost;
	struct timespec used;
};

struct count {
	struct entry *entries;
	size_t used;
	size_t room;
	uint64_t bytes;
};

/* Of a block, or of one that is not finished; nothing else is touched. */
static bool is_block(const char *name)
{
	return strlen(name) == LG_SHA256_HEX_BYTES - 1 &&
	       strspn(name, "0123456789abcdef") == LG_SHA256_HEX_BYTES - 1;
}

static bool is_unfinished(const char *name)
{
	size_t prefix = sizeof(LG_LEDGER_UNFINISHED) - 1;

	return strncmp(name, LG_LEDGER_UNFINISHED, prefix) == 0 && name[prefix] != '\0' &&
	       strspn(name + prefix, "0123456789-") == strlen(name + prefix);
}

static bool note(struct count *count, const char *name, const struct stat *status)
{
	if (count->used == count->room) {
		size_t room = count->room != 0 ? 2 * count->room : 1024;
		struct entry *more = realloc(count->entries, room * sizeof(*more));

		if (more == NULL)
			return false;
		count->entries = more;
		count->room = room;
	}
	struct entry *entry = &count->entries[count->used++];
	memcpy(entry->name, name, sizeof(entry->name));
	entry->cost = lg_ledger_cost((uint64_t)status->st_size);
	entry->used = status->st_mtim;
	count->bytes += entry->cost;
	return true;
}

static void look_at(int directory, const char *name, time_t now, struct count *count, bool *whole)
{
	struct stat status;

	if (!is_block(name) && !is_unfinished(name))
		return;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
		return;
	if (is_block(name))
		*whole = note(count, name, &status) && *whole;
	else if (status.st_mtim.tv_sec + UNFINISHED_S < now)
		(void)unlinkat(directory, name, 0); /* whoever wrote it is gone */
	else
		count->bytes += lg_ledger_cost((uint64_t)status.st_size);
}

/* False: it could not be counted. */
static bool count_all(int directory, struct count *count)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	time_t now = (time_t)(lg_os_unix_ms() / 1000);
	const struct dirent *one;
	bool whole = true;

	if (names == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((one = readdir(names)) != NULL)
		look_at(directory, one->d_name, now, count, &whole);
	closedir(names);
	return whole;
}

static int compare(const void *one, const void *other)
{
	const struct timespec *a = &((const struct entry *)one)->used,
			      *b = &((const struct entry *)other)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

/* Counts; and if that is more than `most`, the oldest go until it is `target`. False: no number. */
static bool recount(int directory, uint64_t most, uint64_t target, uint64_t *bytes)
{
	struct count count = { .entries = NULL };
	bool whole = count_all(directory, &count);

	if (whole && count.bytes > most) {
		qsort(count.entries, count.used, sizeof(count.entries[0]), compare);
		for (size_t i = 0; i < count.used && count.bytes > target; i++)
			if (unlinkat(directory, count.entries[i].name, 0) == 0)
				count.bytes -= count.entries[i].cost;
	}
	free(count.entries);
	*bytes = count.bytes;
	return whole;
}

/* --- the number --------------------------------------------------------------------------------- */

static bool read_number(int fd, uint64_t *bytes)
{
	struct record record;

	if (pread(fd, &record, sizeof(record), 0) != sizeof(record) ||
	    memcmp(record.magic, magic, sizeof(magic)) != 0 ||
	    record.crc != lg_crc32c(0, &record, offsetof(struct record, crc)))
		return false;
	*bytes = record.bytes;
	return true;
}

static bool write_number(int fd, uint64_t bytes)
{
	struct record record = { .bytes = bytes };

	memcpy(record.magic, magic, sizeof(magic));
	record.crc = lg_crc32c(0, &record, offsetof(struct record, crc));
	return pwrite(fd, &record, sizeof(record), 0) == sizeof(record);
}

/* Under the lock. */
static bool enter(int directory, int fd, uint64_t cost, uint64_t most)
{
	uint64_t bytes;

	if (read_number(fd, &bytes) && bytes <= most && cost <= most - bytes)
		return write_number(fd, bytes + cost);
	if (!recount(directory, most, most - lg_ledger_cost(most / FREE_PART), &bytes))
		return false;
	return write_number(fd, bytes) && bytes <= most;
}

static bool lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (lg_os_lock(fd, 0, 1, false) == 0)
			return true;
		lg_os_sleep_us(LOCK_PAUSE_US);
	}
	return false;
}

bool lg_ledger_enter(int directory, uint64_t bytes, uint64_t bytes_most)
{
	uint64_t cost = lg_ledger_cost(bytes);
	struct stat status;
	bool granted = false;

	if (cost > bytes_most)
		return false;
	int fd = openat(directory, ledger_name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    lock(fd)) {
		granted = enter(directory, fd, cost, bytes_most);
		lg_os_unlock(fd, 0, 1); /* a child of fork may have the descriptor as well */
	}
	close(fd);
	return granted;
}
