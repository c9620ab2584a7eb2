/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A store of the user's own, in memory, that does what a test tells it: fails so many times, moves only so
 * much, or does not come back until it is let go. It counts, and knows what it was given.
 */
#ifndef STRESS_SHELF_H
#define STRESS_SHELF_H

#include "stress/claim.h"

#include <lgalloc/store.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { SHELF_FOR_EVER = 1 << 30 };

struct shelf {
	char *bytes;
	size_t length;
	atomic_int read_error, write_error, flush_error;  /* -errno */
	atomic_int reads_fail, writes_fail, flushes_fail; /* so many times from now */
	atomic_size_t most;                               /* moved in one call; 0: any */
	atomic_bool holds_reads, holds_writes;            /* until they are false */
	atomic_uint reads, writes, flushes, discards, closes;
	atomic_uint held; /* calls that are held now */
	atomic_size_t read_bytes, written_bytes;
	atomic_size_t bad_from, bad_to; /* where reads fail, whatever else; none if equal */
};

static inline bool shelf_fails(atomic_int *times)
{
	int left = atomic_load(times);

	while (left > 0 && !atomic_compare_exchange_weak(times, &left, left - 1))
		;
	return left > 0;
}

static inline void shelf_hold(struct shelf *shelf, atomic_bool *holds)
{
	const struct timespec time = { 0, 200000 };

	atomic_fetch_add(&shelf->held, 1);
	while (atomic_load(holds))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	atomic_fetch_sub(&shelf->held, 1);
}

static inline size_t shelf_some(struct shelf *shelf, size_t length)
{
	size_t most = atomic_load(&shelf->most);

	return most > 0 && length > most ? most : length;
}

static inline ssize_t shelf_read(void *context, void *buffer, size_t length, uint64_t offset)
{
	struct shelf *shelf = context;

	atomic_fetch_add(&shelf->reads, 1);
	if (offset > shelf->length || length > shelf->length - offset)
		abort();
	shelf_hold(shelf, &shelf->holds_reads);
	if (offset < atomic_load(&shelf->bad_to) && offset + length > atomic_load(&shelf->bad_from))
		return -EIO;
	if (shelf_fails(&shelf->reads_fail))
		return atomic_load(&shelf->read_error);
	length = shelf_some(shelf, length);
	memcpy(buffer, shelf->bytes + offset, length);
	atomic_fetch_add(&shelf->read_bytes, length);
	return (ssize_t)length;
}

static inline ssize_t shelf_write(void *context, const void *buffer, size_t length, uint64_t offset)
{
	struct shelf *shelf = context;

	atomic_fetch_add(&shelf->writes, 1);
	if (offset > shelf->length || length > shelf->length - offset)
		abort();
	shelf_hold(shelf, &shelf->holds_writes);
	if (shelf_fails(&shelf->writes_fail))
		return atomic_load(&shelf->write_error);
	length = shelf_some(shelf, length);
	memcpy(shelf->bytes + offset, buffer, length);
	atomic_fetch_add(&shelf->written_bytes, length);
	return (ssize_t)length;
}

static inline int shelf_flush(void *context)
{
	struct shelf *shelf = context;

	atomic_fetch_add(&shelf->flushes, 1);
	return shelf_fails(&shelf->flushes_fail) ? atomic_load(&shelf->flush_error) : 0;
}

static inline int shelf_discard(void *context, uint64_t offset, uint64_t length)
{
	struct shelf *shelf = context;

	(void)offset;
	(void)length;
	atomic_fetch_add(&shelf->discards, 1);
	return 0;
}

static inline void shelf_close(void *context)
{
	struct shelf *shelf = context;

	atomic_fetch_add(&shelf->closes, 1);
}

static const struct lg_store_ops shelf_ops = {
	.size = sizeof(struct lg_store_ops),
	.read = shelf_read,
	.write = shelf_write,
	.flush = shelf_flush,
	.discard = shelf_discard,
	.close = shelf_close,
	.signal_safe = true,
};

/* What byte it has at an offset, to begin with: no two pages are alike. */
static inline char shelf_byte(size_t offset)
{
	return (char)(1 + (offset * 31 + offset / 4096 * 7 + (offset >> 16)) % 251);
}

static inline void shelf_make(struct shelf *shelf, size_t length)
{
	memset((void *)shelf, 0, sizeof(*shelf));
	shelf->length = length;
	shelf->bytes = malloc(length);
	if (shelf->bytes == NULL)
		abort();
	for (size_t i = 0; i < length; i++)
		shelf->bytes[i] = shelf_byte(i);
	atomic_store(&shelf->read_error, -EIO);
	atomic_store(&shelf->write_error, -EIO);
	atomic_store(&shelf->flush_error, -EIO);
}

static inline void shelf_end(struct shelf *shelf)
{
	free(shelf->bytes);
}

#endif
