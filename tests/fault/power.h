/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A disk that remembers: every change of a heap's file is done and written down; afterwards the file can be made as
 * a power cut at any moment would have left it. What a flush has covered is there. Of what came later any subset is:
 * each sector of 512 bytes of a write, each page of a hole, each growth, on its own. A write behind the end that was
 * lost with its growth is lost, too.
 */
#ifndef FAULT_POWER_H
#define FAULT_POWER_H

#include "heap/format.h"
#include "os/disk.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum power_kind { POWER_WRITE, POWER_EXTEND, POWER_PUNCH, POWER_SYNC };
enum { POWER_SECTOR = 512, POWER_BLOCK = 4096 };

struct power_event {
	enum power_kind kind;
	uint64_t offset;
	uint64_t bytes;
	char *data;
};

/* A flush that is left out, to see that this is found: which one, by what was written before it. */
enum power_mutant {
	POWER_SOUND,
	POWER_RECORD, /* behind a record */
	POWER_SUPER,  /* behind a superblock's first copy */
	POWER_COPY,   /* behind its second */
	POWER_HOME,   /* of a checkpoint, whose last write is a page of checksums */
	POWER_NEW,    /* behind new objects, runs of pages, before their record */
	POWER_MUTANTS
};

/* `meanwhile`, if there is one, is what another thread does just before so many calls more. */
struct power {
	enum power_mutant mutant;
	void (*meanwhile)(void);
	unsigned calls_before;
	struct power_event *events;
	size_t count;
	size_t capacity;
	uint64_t random;
};

static inline uint64_t power_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void power_note(struct lg_os_disk *disk, enum power_kind kind, const void *data,
			      uint64_t bytes, uint64_t offset)
{
	struct power *power = disk->context;
	void (*meanwhile)(void) = power->meanwhile;
	char *copy = NULL;

	if (meanwhile != NULL && power->calls_before-- == 0) {
		power->meanwhile = NULL;
		meanwhile();
	}
	if (power->count == power->capacity) {
		power->capacity = power->capacity * 2 + 64;
		power->events = realloc(power->events, power->capacity * sizeof(*power->events));
	}
	if (data != NULL) {
		copy = malloc(bytes);
		memcpy(copy, data, bytes);
	}
	power->events[power->count++] = (struct power_event){ kind, offset, bytes, copy };
}

static inline int power_write(struct lg_os_disk *disk, const void *data, size_t bytes,
			      uint64_t offset)
{
	power_note(disk, POWER_WRITE, data, bytes, offset);
	return lg_os_disk_plain.write(disk, data, bytes, offset);
}

static inline int power_write_direct(struct lg_os_disk *disk, const void *data, size_t bytes,
				     uint64_t offset)
{
	power_note(disk, POWER_WRITE, data, bytes, offset);
	return lg_os_disk_plain.write_direct(disk, data, bytes, offset);
}

static inline int power_read(struct lg_os_disk *disk, void *data, size_t bytes, uint64_t offset)
{
	return lg_os_disk_plain.read(disk, data, bytes, offset);
}

static inline int power_read_direct(struct lg_os_disk *disk, void *data, size_t bytes,
				    uint64_t offset)
{
	return lg_os_disk_plain.read_direct(disk, data, bytes, offset);
}

static inline int power_extend(struct lg_os_disk *disk, uint64_t bytes)
{
	power_note(disk, POWER_EXTEND, NULL, bytes, 0);
	return lg_os_disk_plain.extend(disk, bytes);
}

static inline int power_reserve(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	(void)disk, (void)offset, (void)bytes;
	return 0; /* changes no byte */
}

static inline int power_punch(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	power_note(disk, POWER_PUNCH, NULL, bytes, offset);
	return lg_os_disk_plain.punch(disk, offset, bytes);
}

/* The last write among so many events, from its number + 1 on; 0: there is none. */
static inline size_t power_last_write(const struct power *power, size_t count)
{
	while (count > 0 && power->events[count - 1].kind != POWER_WRITE)
		count--;
	return count;
}

/* What the last write before a flush was of. */
static inline enum power_mutant power_written(const struct power *power)
{
	uint64_t magic = 0;
	size_t i = power_last_write(power, power->count);

	if (i > 0 && power->events[i - 1].bytes >= sizeof(magic))
		memcpy(&magic, power->events[i - 1].data, sizeof(magic));
	if (magic == LG_RECORD_MAGIC)
		return POWER_RECORD;
	if (magic == LG_HEAP_MAGIC) {
		size_t before = power_last_write(power, i - 1);
		bool second = before > 0 && power->events[before - 1].bytes == LG_HEAP_PAGE &&
			      memcmp(power->events[before - 1].data, power->events[i - 1].data,
				     LG_HEAP_PAGE) == 0;

		return second ? POWER_COPY : POWER_SUPER;
	}
	return i > 0 && power->events[i - 1].bytes > POWER_BLOCK ? POWER_NEW : POWER_HOME;
}

static inline int power_sync(struct lg_os_disk *disk)
{
	const struct power *power = disk->context;

	if (power->mutant != POWER_SOUND && power->mutant == power_written(power))
		return 0;
	power_note(disk, POWER_SYNC, NULL, 0, 0);
	return 0;
}

static const struct lg_os_disk_ops power_ops = {
	.write = power_write,
	.write_direct = power_write_direct,
	.read = power_read,
	.read_direct = power_read_direct,
	.extend = power_extend,
	.reserve = power_reserve,
	.punch = power_punch,
	.sync = power_sync,
};

static inline void power_forget(struct power *power)
{
	for (size_t i = 0; i < power->count; i++)
		free(power->events[i].data);
	power->count = 0;
}

static inline uint64_t power_size(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static inline void power_put(int fd, const char *data, uint64_t bytes, uint64_t offset)
{
	uint64_t size = power_size(fd);

	if (offset >= size)
		return;
	if (bytes > size - offset)
		bytes = size - offset;
	if (pwrite(fd, data, bytes, (off_t)offset) != (ssize_t)bytes)
		abort();
}

/* How much of what was not flushed arrives. WHOLE: each call's change, all of it or nothing. */
enum power_fate {
	POWER_ALL,
	POWER_NONE,
	POWER_SOME,
	POWER_MOST,
	POWER_FEW,
	POWER_WHOLE,
	POWER_FATES
};

static inline bool power_arrives(enum power_fate fate, uint64_t *random)
{
	uint64_t dice = power_random(random) % 16;

	return fate == POWER_ALL || (fate == POWER_SOME && dice < 8) ||
	       (fate == POWER_MOST && dice < 15) || (fate == POWER_FEW && dice < 1);
}

static inline void power_apply(int fd, const struct power_event *event, enum power_fate fate,
			       uint64_t *random)
{
	static const char zeros[POWER_BLOCK];

	if (fate == POWER_WHOLE)
		fate = power_random(random) % 2 == 0 ? POWER_ALL : POWER_NONE;
	switch (event->kind) {
	case POWER_WRITE:
		for (uint64_t done = 0, piece; done < event->bytes; done += piece) {
			uint64_t rest = event->bytes - done;
			uint64_t end = POWER_SECTOR - (event->offset + done) % POWER_SECTOR;

			piece = fate == POWER_ALL ? rest : rest < end ? rest : end;
			if (power_arrives(fate, random))
				power_put(fd, event->data + done, piece, event->offset + done);
		}
		break;
	case POWER_EXTEND:
		if (power_arrives(fate, random) && event->bytes > power_size(fd) &&
		    ftruncate(fd, (off_t)event->bytes) != 0)
			abort();
		break;
	case POWER_PUNCH:
		for (uint64_t done = 0; done < event->bytes; done += POWER_BLOCK)
			if (power_arrives(fate, random))
				power_put(fd, zeros, POWER_BLOCK, event->offset + done);
		break;
	case POWER_SYNC:
		break;
	}
}

/* What a range of the file holds, to put it back. */
static inline struct power_event power_save(int fd, const struct power_event *event)
{
	uint64_t size = power_size(fd);
	struct power_event saved = { .kind = POWER_WRITE, .offset = event->offset };

	if (event->kind == POWER_EXTEND || event->kind == POWER_SYNC || event->offset >= size)
		return saved;
	saved.bytes = event->bytes < size - event->offset ? event->bytes : size - event->offset;
	saved.data = malloc(saved.bytes);
	if (pread(fd, saved.data, saved.bytes, (off_t)event->offset) != (ssize_t)saved.bytes)
		abort();
	return saved;
}

/* A copy without its holes. */
static inline void power_copy(int from, const char *path)
{
	int to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t size = (off_t)power_size(from), data = 0;

	if (to < 0 || ftruncate(to, size) != 0)
		abort();
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, data, SEEK_HOLE);

		if (lseek(to, data, SEEK_SET) < 0)
			abort();
		while (data < end && sendfile(to, from, &data, (size_t)(end - data)) > 0)
			;
		if (data < end)
			abort();
	}
	close(to);
}

#endif
