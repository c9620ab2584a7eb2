/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/spill.h"

#include "base/bits.h"
#include "base/error.h"
#include "base/option.h"
#include "os/io.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>
#include <stdio.h>

struct spill {
	struct lg_store store; /* first */
	struct lg_os_io io;
	uint64_t end; /* of the file: the store's, in whole blocks */
	bool keeps_space;
};

static struct spill *spill_of(struct lg_store *store)
{
	return (struct spill *)store;
}

static int read_range(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset)
{
	struct spill *spill = spill_of(store);

	return lg_os_io_read(&spill->io, parts, count, offset, spill->end);
}

static int write_range(struct lg_store *store, const struct iovec *parts, int count,
		       uint64_t offset)
{
	struct spill *spill = spill_of(store);

	return lg_os_io_write(&spill->io, parts, count, offset, spill->end);
}

static bool writes_many(struct lg_store *store)
{
	return lg_os_io_writes_many(&spill_of(store)->io);
}

static void write_many(struct lg_store *store, struct lg_os_io_queue *queue,
		       struct lg_os_io_request *requests, unsigned count)
{
	struct spill *spill = spill_of(store);

	lg_os_io_write_many(&spill->io, queue, requests, count, 0, spill->end);
}

/* Nobody can have it after us: nothing has to be durable. */
static int flush(struct lg_store *store)
{
	(void)store;
	return 0;
}

static int discard(struct lg_store *store, uint64_t offset, uint64_t bytes)
{
	struct spill *spill = spill_of(store);

	if (spill->keeps_space || offset >= spill->end)
		return 0;
	return lg_os_io_punch(&spill->io, offset, lg_min(bytes, spill->end - offset));
}

static void close_store(struct lg_store *store)
{
	int cancel = lg_os_cancel_hold();

	lg_os_io_close(&spill_of(store)->io);
	lg_os_unreserve(store, sizeof(struct spill));
	lg_os_cancel_restore(cancel);
}

static const struct lg_store_calls calls = {
	.name = "spill",
	.read = read_range,
	.write = write_range,
	.writes_many = writes_many,
	.write_many = write_many,
	.flush = flush,
	.discard = discard,
	.close = close_store,
	.forget = close_store,
};

static int refuse_memory(const char *dir)
{
	return lg_fail(EOPNOTSUPP,
		       "dir '%s' is in memory itself, where memory cannot spill; choose one on a "
		       "disk with dir:PATH or TMPDIR",
		       dir);
}

static int refuse_reservation(const char *dir, uint64_t bytes, int error)
{
	if (error == -EOPNOTSUPP)
		return lg_fail(EOPNOTSUPP,
			       "dir '%s': its file system cannot reserve disk space; choose "
			       "another, or reserve:lazy",
			       dir);
	if (error != -ENOSPC && error != -EDQUOT)
		return lg_fail(
			-error,
			"dir '%s': to reserve %llu bytes of disk space: %s; reserve:lazy does "
			"without",
			dir, (unsigned long long)bytes, lg_error_name(-error));
	return lg_fail(-error, "dir '%s' has no room to spill %llu bytes: %s", dir,
		       (unsigned long long)bytes, lg_error_name(-error));
}

static int take_space(struct spill *spill, const char *dir, bool reserve)
{
	int error = lg_os_file_extend(&spill->io.file, spill->end);

	if (error != 0)
		return lg_fail(-error, "the spill in dir '%s' cannot be %llu bytes long: %s", dir,
			       (unsigned long long)spill->end, lg_error_name(-error));
	error = reserve ? lg_os_file_reserve(&spill->io.file, 0, spill->end) : 0;
	return error == 0 ? 0 : refuse_reservation(dir, spill->end, error);
}

static int open_in(const char *dir, struct spill *spill, bool reserve)
{
	int error = lg_os_file_open(dir, &spill->io.file);

	if (error == -EMFILE || error == -ENFILE) /* another directory would not help */
		return lg_fail(-error, "no file to spill to could be made in dir '%s': %s", dir,
			       lg_error_name(-error));
	if (error != 0)
		return error;
	error = spill->io.file.in_memory ? refuse_memory(dir) : take_space(spill, dir, reserve);
	if (error != 0)
		lg_os_file_close(&spill->io.file);
	else
		lg_os_io_open(&spill->io, false);
	return error;
}

int lg_spill_open(const char *dir, uint64_t bytes, bool reserve, struct lg_store **store)
{
	char usual[LG_OPTION_DIR_BYTES];
	void *record = NULL;
	struct spill *spill;
	int error;

	if (bytes == 0)
		return lg_fail(EINVAL, "a spill of 0 bytes was asked for");
	if (bytes > LG_STORE_BYTES_MAX)
		return lg_fail(
			EFBIG,
			"memory of %llu bytes is more than a file to spill to can have: at most %llu",
			(unsigned long long)bytes, (unsigned long long)LG_STORE_BYTES_MAX);
	if (dir == NULL || dir[0] == '\0') {
		lg_option_dir_copy(usual);
		dir = usual;
	}
	error = lg_os_map_record(sizeof(*spill), &record);
	if (error != 0)
		return lg_fail(-error, "no memory for a spill: %s", lg_error_name(-error));
	spill = record;
	spill->end = lg_round_up(bytes, LG_OS_IO_BLOCK);
	spill->keeps_space = reserve;
	int cancel = lg_os_cancel_hold();
	error = open_in(dir, spill, reserve);
	lg_os_cancel_restore(cancel);
	if (error != 0) {
		lg_os_unreserve(record, sizeof(*spill));
		return error;
	}
	spill->store = (struct lg_store){ .calls = &calls,
					  .bytes = bytes,
					  .alignment = LG_OS_IO_BLOCK,
					  .signal_safe = true,
					  .discards = !reserve,
					  .begins_zero = true };
	*store = &spill->store;
	return 0;
}

int lg_spill_reserve(struct lg_store *store, uint64_t offset, uint64_t bytes)
{
	struct spill *spill = spill_of(store);

	return lg_os_file_reserve(&spill->io.file, offset, lg_min(bytes, spill->end - offset));
}

int lg_spill_disk_bytes(struct lg_store *store, uint64_t *bytes)
{
	return lg_os_file_disk_bytes(&spill_of(store)->io.file, bytes);
}
