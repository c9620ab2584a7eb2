/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Bytes between memory and a file, whole ranges at a time, from inside signal handlers: no lock but a latch, no
 * memory, no cancellation point, errno as it was.
 *
 * A file is used by two descriptors. One goes past the page cache, for whole blocks; one through it, for
 * the odd rest at the file's end, and for everything where the file system has no other way. What goes through it
 * in bulk is sent to disk and dropped from it at once: memory is what the pager has too little of. The kernel
 * keeps both ways coherent.
 *
 * The kernel says once what it could not write of its cache, to whoever asks first, and calls the pages clean. So one asks at
 * a time, and a loss is that of all whose writes were not known to be on disk then; each fails, and still has its bytes. Where it
 * cannot be asked about a range, what was written is flushed with all of the file.
 *
 * Ordering edge I1: who found no flush begun after its writes finds in the next that began all of them on disk.
 *
 * The descriptors are looked at before each use, as in os/file.h: -EBADF if they are not ours any more.
 */
#ifndef LG_OS_IO_H
#define LG_OS_IO_H

#include "base/atomic.h"
#include "os/file.h"
#include "os/latch.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum { LG_OS_IO_BLOCK = 4096, LG_OS_IO_PARTS = 64, LG_OS_IO_MANY = 32 };

struct lg_os_io {
	struct lg_os_file file;
	int direct;              /* -1: none */
	_Atomic(bool) is_direct; /* until the kernel refuses it */
	bool is_limited;         /* by RLIMIT_FSIZE: not a device */
	_Atomic(bool)
		can_ask; /* of a range, whether its bytes were lost, until that is refused; else a flush tells */
	struct lg_os_latch asking; /* whether bytes were lost */
	_Atomic(uint32_t) losses;  /* so often they were */
	int loss;                  /* the last */
	_Atomic(uint32_t) syncs;   /* begun */
	int sync_error;            /* of the first that failed */
};

/* Takes over the file, whose record is filled in, and opens the second descriptor. Cannot fail. */
void lg_os_io_open(struct lg_os_io *io, bool readonly);

/* Whether lg_os_io_write_many can do better than one by one. */
static inline bool lg_os_io_writes_many(const struct lg_os_io *io)
{
	return lg_load_relaxed(&io->is_direct);
}

/* Closes both descriptors, where they still are ours. */
void lg_os_io_close(struct lg_os_io *io);

static inline uint64_t lg_os_io_bytes(const struct iovec *parts, int count)
{
	uint64_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	return bytes;
}

/*
 * Reads all of the parts (at most LG_OS_IO_PARTS) from `offset` on. From `end` on there are zeros. 0 or -errno; -ENODATA: the
 * file ends before that.
 */
int lg_os_io_read(struct lg_os_io *io, const struct iovec *parts, int count, uint64_t offset,
		  uint64_t end);

/*
 * Writes them, but nothing from `end` on. 0 or -errno: some of it may be written. -EFBIG beyond
 * RLIMIT_FSIZE, without its signal.
 */
int lg_os_io_write(struct lg_os_io *io, const struct iovec *parts, int count, uint64_t offset,
		   uint64_t end);

/* One of several writes: what lg_os_io_write is told, and what it returned. */
struct lg_os_io_request {
	const struct iovec *parts;
	int count;
	uint64_t offset;
	int error;
};

struct lg_os_io_queue;

/*
 * lg_os_io_write for at most LG_OS_IO_MANY ranges that do not overlap; offsets are from `from` on. The disk has all of
 * them before the first is waited for, where the kernel can do that; elsewhere they go one after the other. Not inside
 * signal handlers.
 */
void lg_os_io_write_many(struct lg_os_io *io, struct lg_os_io_queue *queue,
			 struct lg_os_io_request *requests, unsigned count, uint64_t from,
			 uint64_t end);

/* Gives the disk space of the range back; it reads zero then. */
int lg_os_io_punch(struct lg_os_io *io, uint64_t offset, uint64_t bytes);

/*
 * Waits until what was written is on disk. One that failed may have lost what the kernel calls clean: all fail from then on.
 * Who comes while another waits gets the answer of one that begins afterwards, together with all who came.
 */
int lg_os_io_sync(struct lg_os_io *io);

#endif
