/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/io.h"

#include "base/bits.h"
#include "os/clock.h"
#include "os/descriptor.h"
#include "os/io_queue.h"
#include "os/limits.h"
#include "os/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* CUT: parts of one call, where not all are moved; a signal handler's stack may be small. */
enum { AGAIN_MAX = 1000, AGAIN_US = 1000, CUT = 16 };

/* What is asked for, and how far it came. */
struct transfer {
	const struct iovec *parts;
	int count;
	bool writes;
	uint64_t offset; /* of the first byte in the file */
	uint64_t done;
};

static bool is_ours(const struct lg_os_io *io, int fd)
{
	int before = errno;
	bool ours = lg_os_file_is_at(&io->file, fd);

	errno = before;
	return ours;
}

/* The parts of parts that lie from `first` to `first + bytes`, or the first CUT of them. */
static int cut(const struct iovec *parts, int count, uint64_t first, uint64_t bytes,
	       struct iovec cut_parts[CUT])
{
	int used = 0;

	for (int i = 0; i < count && bytes > 0 && used < CUT; i++) {
		if (first >= parts[i].iov_len) {
			first -= parts[i].iov_len;
			continue;
		}
		uint64_t length = lg_min(parts[i].iov_len - first, bytes);
		cut_parts[used++] = (struct iovec){ (char *)parts[i].iov_base + first, length };
		bytes -= length;
		first = 0;
	}
	return used;
}

static long call(const struct transfer *transfer, int fd, const struct iovec *parts, int count)
{
	return lg_os_raw(transfer->writes ? SYS_pwritev : SYS_preadv, fd, (long)parts, count,
			 (long)(transfer->offset + transfer->done), 0, 0);
}

static long move_some(const struct transfer *transfer, int fd, uint64_t limit)
{
	struct iovec parts[CUT];
	int count = cut(transfer->parts, transfer->count, transfer->done, limit - transfer->done,
			parts);

	return call(transfer, fd, parts, count);
}

/* Goes on to `limit` bytes. */
static int move(struct transfer *transfer, int fd, uint64_t limit)
{
	bool whole = lg_os_io_bytes(transfer->parts, transfer->count) == limit;
	unsigned again = 0;

	while (transfer->done < limit) {
		long got = whole && transfer->done == 0 ?
				   call(transfer, fd, transfer->parts, transfer->count) :
				   move_some(transfer, fd, limit);

		if (got > 0) {
			transfer->done += (uint64_t)got;
			again = 0;
		} else if (got == 0) {
			return transfer->writes ? -EIO : -ENODATA; /* it was made shorter */
		} else if (got == -EAGAIN && again++ < AGAIN_MAX) {
			lg_os_sleep_us(AGAIN_US);
		} else if (got != -EINTR) {
			return got == -EAGAIN ? -EIO : (int)got;
		}
	}
	return 0;
}

static bool is_aligned(const struct transfer *transfer)
{
	uint64_t all = transfer->offset | transfer->done;

	for (int i = 0; i < transfer->count; i++)
		all |= (uintptr_t)transfer->parts[i].iov_base | transfer->parts[i].iov_len;
	return all % LG_OS_IO_BLOCK == 0;
}

/* Past the page cache, as many whole blocks as there are. What is left then is for the other way. */
static int move_direct(struct lg_os_io *io, struct transfer *transfer, uint64_t limit)
{
	uint64_t blocks = lg_round_down(limit, LG_OS_IO_BLOCK);

	if (blocks == 0 || !lg_load_relaxed(&io->is_direct) || !is_aligned(transfer))
		return 0;
	if (!is_ours(io, io->direct))
		return -EBADF;
	int error = move(transfer, io->direct, blocks);
	if (error != -EINVAL)
		return error;
	if (transfer->done == 0) /* not that an odd count left the rest unaligned */
		lg_store_relaxed(&io->is_direct, false);
	return 0;
}

static int send_back(const struct lg_os_io *io, uint64_t offset, uint64_t bytes, long how)
{
	return (int)lg_os_raw(SYS_sync_file_range, io->file.fd, (long)offset, (long)bytes, how, 0,
			      0);
}

/* By a kernel that does not have it or a filter, and not a loss: no disk is asked for nothing at all. */
static bool is_refusal(const struct lg_os_io *io, int error)
{
	return error != 0 && send_back(io, 0, 0, 0) == error;
}

/* Under `asking`. */
static void note_loss(struct lg_os_io *io, int error)
{
	io->loss = error;
	lg_add_relaxed(&io->losses, 1);
}

/* Under `asking`. EINTR is an answer too: no signal comes here, and what it tells is told once. */
static int flush(struct lg_os_io *io)
{
	if (!is_ours(io, io->file.fd))
		return -EBADF;
	lg_add_ordered(&io->syncs, 1); /* I1 */
	int error = (int)lg_os_raw(SYS_fdatasync, io->file.fd, 0, 0, 0, 0, 0);
	if (error != 0) {
		note_loss(io, error);
		io->sync_error = error;
	}
	return error;
}

/* Under `asking`. `begun`: as many flushes had when the bytes were written; a later one has told the losses. */
static int wait_for(struct lg_os_io *io, uint64_t offset, uint64_t bytes, uint32_t begun)
{
	long how = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	if (lg_load_relaxed(&io->can_ask)) {
		int error = send_back(io, offset, bytes, how);
		if (!is_refusal(io, error)) {
			if (error != 0)
				note_loss(io, error);
			return error;
		}
		lg_store_relaxed(&io->can_ask, false);
	}
	return lg_load_relaxed(&io->syncs) == begun ? flush(io) : 0;
}

/*
 * Waits until what was written is on disk. All are sent at once, but one asks at a time, for the kernel says once what was lost,
 * to whoever asks: since `losses` were counted, before this write, it may have told another.
 */
static int write_back(struct lg_os_io *io, uint64_t offset, uint64_t bytes, uint32_t losses)
{
	int unsent = 0;

	if (lg_load_relaxed(&io->can_ask))
		unsent = send_back(io, offset, bytes, SYNC_FILE_RANGE_WRITE);
	uint32_t begun = lg_load_ordered(&io->syncs); /* I1 */
	uint64_t signals = lg_os_latch_enter(&io->asking);
	if (unsent != 0 && unsent != -ENOMEM && unsent != -EAGAIN && !is_refusal(io, unsent))
		note_loss(io, unsent); /* those others are sent once more */
	int error = wait_for(io, offset, bytes, begun);
	if (error == 0 && lg_load_relaxed(&io->losses) != losses)
		error = io->loss;
	lg_os_latch_leave(&io->asking, signals);
	return error;
}

static int move_buffered(struct lg_os_io *io, struct transfer *transfer, uint64_t limit)
{
	uint64_t from = transfer->done;
	uint32_t losses = lg_load_relaxed(&io->losses);

	if (from == limit)
		return 0;
	if (!is_ours(io, io->file.fd))
		return -EBADF;
	int error = move(transfer, io->file.fd, limit);
	if (error != 0)
		return error;
	uint64_t offset = transfer->offset + from, bytes = transfer->done - from;
	if (transfer->writes)
		error = write_back(io, offset, bytes, losses);
	if (bytes >= LG_OS_IO_BLOCK) /* the odd end is not worth it */
		(void)lg_os_raw(SYS_fadvise64, io->file.fd, (long)offset, (long)bytes,
				POSIX_FADV_DONTNEED, 0, 0);
	return error;
}

static int move_both_ways(struct lg_os_io *io, struct transfer *transfer, uint64_t limit)
{
	int error = move_direct(io, transfer, limit);

	return error == 0 ? move_buffered(io, transfer, limit) : error;
}

static uint64_t limit_of(const struct transfer *transfer, uint64_t end)
{
	uint64_t bytes = lg_os_io_bytes(transfer->parts, transfer->count);

	return transfer->offset < end ? lg_min(bytes, end - transfer->offset) : 0;
}

/* What lies behind the end. */
static void zero_rest(const struct transfer *transfer)
{
	uint64_t done = transfer->done;

	for (int i = 0; i < transfer->count; i++) {
		const struct iovec *part = &transfer->parts[i];
		uint64_t read = lg_min(done, part->iov_len);

		memset((char *)part->iov_base + read, 0, part->iov_len - read);
		done -= read;
	}
}

int lg_os_io_read(struct lg_os_io *io, const struct iovec *parts, int count, uint64_t offset,
		  uint64_t end)
{
	struct transfer transfer = { parts, count, false, offset, 0 };
	int error = move_both_ways(io, &transfer, limit_of(&transfer, end));

	if (error == 0)
		zero_rest(&transfer);
	return error;
}

static bool exceeds_limit(const struct lg_os_io *io, uint64_t end)
{
	return io->is_limited && end > lg_os_file_bytes_max();
}

int lg_os_io_write(struct lg_os_io *io, const struct iovec *parts, int count, uint64_t offset,
		   uint64_t end)
{
	struct transfer transfer = { parts, count, true, offset, 0 };
	uint64_t limit = limit_of(&transfer, end);

	if (limit == 0)
		return 0;
	if (exceeds_limit(io, offset + limit))
		return -EFBIG;
	return move_both_ways(io, &transfer, limit);
}

/* Whole blocks past the page cache, none behind the end. */
static bool can_be_sent(const struct lg_os_io *io, const struct lg_os_io_request *request,
			uint64_t from, uint64_t end)
{
	struct transfer transfer = { request->parts, request->count, true, from + request->offset,
				     0 };
	uint64_t bytes = lg_os_io_bytes(request->parts, request->count);

	return bytes > 0 && limit_of(&transfer, end) == bytes && is_aligned(&transfer) &&
	       !exceeds_limit(io, transfer.offset + bytes);
}

void lg_os_io_write_many(struct lg_os_io *io, struct lg_os_io_queue *queue,
			 struct lg_os_io_request *requests, unsigned count, uint64_t from,
			 uint64_t end)
{
	struct lg_os_io_request *sent[LG_OS_IO_MANY];
	unsigned sent_count = 0;

	for (unsigned i = 0; i < count; i++) {
		requests[i].error = -EINPROGRESS;
		if (can_be_sent(io, &requests[i], from, end))
			sent[sent_count++] = &requests[i];
	}
	if (sent_count > 1 && lg_load_relaxed(&io->is_direct) && is_ours(io, io->direct))
		lg_os_io_queue_write(queue, io->direct, sent, sent_count, from);
	/* What failed fails again, and says why. */
	for (unsigned i = 0; i < count; i++)
		if (requests[i].error != 0)
			requests[i].error = lg_os_io_write(io, requests[i].parts, requests[i].count,
							   from + requests[i].offset, end);
}

int lg_os_io_punch(struct lg_os_io *io, uint64_t offset, uint64_t bytes)
{
	long error;

	if (!is_ours(io, io->file.fd))
		return -EBADF;
	do
		error = lg_os_raw(SYS_fallocate, io->file.fd,
				  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (long)offset,
				  (long)bytes, 0, 0);
	while (error == -EINTR);
	return (int)error;
}

int lg_os_io_sync(struct lg_os_io *io)
{
	uint32_t begun = lg_load_ordered(&io->syncs); /* I1 */
	uint64_t signals = lg_os_latch_enter(&io->asking);
	int error = io->sync_error;

	if (error == 0 && lg_load_relaxed(&io->syncs) == begun)
		error = flush(io);
	lg_os_latch_leave(&io->asking, signals);
	return error;
}

/*
 * Asked by a call that does nothing: the disk's errors, which may be any number, are not taken for a refusal so. Of an overlay
 * it finds no pages, for they are those of the file below; and says all is well.
 */
static bool can_ask(const struct lg_os_io *io)
{
	struct statfs system;

	return send_back(io, 0, 0, 0) == 0 &&
	       (fstatfs(io->file.fd, &system) != 0 || system.f_type != OVERLAYFS_SUPER_MAGIC);
}

void lg_os_io_open(struct lg_os_io *io, bool readonly)
{
	char path[64];
	struct stat status;

	io->asking = (struct lg_os_latch){ LG_LATCH_FREE };
	lg_store_relaxed(&io->losses, 0);
	lg_store_relaxed(&io->syncs, 0);
	io->sync_error = 0;
	lg_store_relaxed(&io->can_ask, can_ask(io));
	io->is_limited = fstat(io->file.fd, &status) != 0 || S_ISREG(status.st_mode);
	/*
	 * By its number: a name may be another file's by now, and an unlinked file has none. Not in /proc/self, which is the
	 * main thread's and shows nothing once that has ended.
	 */
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", io->file.fd);
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
	if (fd >= 0)
		fd = lg_os_descriptor_move_high(fd);
	io->direct = fd;
	lg_store_relaxed(&io->is_direct, fd >= 0 && lg_os_file_is_at(&io->file, fd) &&
						 (readonly || !io->file.sums_contents));
}

void lg_os_io_close(struct lg_os_io *io)
{
	if (lg_os_file_is_at(&io->file, io->direct))
		(void)lg_os_descriptor_shut(io->direct);
	io->direct = -1;
	lg_os_file_close(&io->file);
}
