/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Areas are extents of one unlinked file per class, at the offset that their address has in the span.
 *
 * Never a signal: whatever is not clean has its disk blocks, by fallocate in runs when it is handed out.
 * A run of 1 MiB costs 4 to 7 us, which is 20 ns a region of 4 KiB; one by one it would be 4 us each.
 * That includes tmpfs, where the blocks are memory: a full tmpfs is SIGBUS as well.
 */
#include "base/error.h"
#include "base/option.h"
#include "os/map.h"
#include "region/class.h"

#include <errno.h>
#include <string.h>

enum { RUN_BYTES = 1 << 20, HUGE_BYTES = 2 << 20 };

static struct lg_os_file *current_file(struct lg_class *class)
{
	return &class->files[lg_load_relaxed(&class->file)];
}

/* The current file if it still is ours, else a new one; what lies in the old one only drains. */
static int renew_file(struct lg_class *class)
{
	uint32_t index = lg_load_relaxed(&class->file);

	if (lg_os_file_is_ours(&class->files[index]))
		return 0;
	lg_area_orphan(class, index);
	index = (index + 1) % LG_FILES;
	lg_os_file_close(&class->files[index]);
	int error = lg_os_file_open(lg_option_dir(), &class->files[index]);
	if (error == 0)
		lg_store_release(&class->file, index);
	return error;
}

/* Below, a region would get page cache for its neighbours. */
static bool is_huge(const struct lg_class *class)
{
	return lg_option(hugepages) && lg_class_bytes(class->index) >= HUGE_BYTES;
}

/*
 * A write fault makes the file system find blocks for the whole folio, and read-ahead makes folios of up
 * to 2 MiB. One that reached into a clean neighbour, which has no blocks, would be SIGBUS on a full disk.
 * Regions from 2 MiB up are whole folios; below, read-ahead is off and a folio is a page.
 */
static bool needs_small_folios(const struct lg_class *class)
{
	return lg_option(reserve) && lg_class_bytes(class->index) < HUGE_BYTES;
}

static int map(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	char *start = lg_class_base(class->index) + offset;
	int error;

	/* Its descriptor may be closed between the look and the use: once more, then. */
	for (int attempt = 0; attempt < 2; attempt++) {
		error = renew_file(class);
		if (error != 0)
			return error;
		error = lg_os_file_extend(current_file(class), offset + bytes);
		if (error != -EBADF)
			break;
	}
	if (error != 0)
		return lg_fail(-error, "the backing file in dir '%s' cannot grow to %llu bytes: %s",
			       lg_option_dir(), (unsigned long long)(offset + bytes),
			       lg_error_name(-error));
	error = lg_os_map_file(start, bytes, current_file(class)->fd, offset);
	if (error != 0)
		return lg_backing_refused(error, bytes);
	/* A child must not see the parent's bytes change under it: without this there is no area. */
	error = lg_os_advise(start, bytes, LG_OS_DONTFORK);
	if (error == 0 && needs_small_folios(class))
		error = lg_os_advise(start, bytes, LG_OS_RANDOM);
	if (error != 0) {
		(void)lg_os_unmap(start, bytes);
		return lg_backing_refused(error, bytes);
	}
	if (is_huge(class))
		(void)lg_os_advise(start, bytes, LG_OS_HUGEPAGE);
	if (!lg_option(coredump))
		(void)lg_os_advise(start, bytes, LG_OS_DONTDUMP);
	return 0;
}

static int reserve(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	if (!lg_option(reserve))
		return 0;
	int error = lg_os_file_reserve(&class->files[file], offset, bytes);
	if (error == 0)
		return 0;
	if (error == -EBADF) {
		lg_area_orphan(class, file); /* its descriptor was closed: go on in a new one */
		return error;
	}
	/* What was reserved before the disk was full goes back. */
	(void)lg_os_advise(lg_class_base(class->index) + offset, bytes, LG_OS_REMOVE);
	return lg_backing_unreserved(error, bytes);
}

static int give_back(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	(void)lazily;
	return lg_os_advise(lg_class_base(class->index) + offset, bytes, LG_OS_REMOVE);
}

/* Zeroes and keeps the blocks: after a punch the next touch would be SIGBUS on a full disk. */
static int discard(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	if (!lg_option(reserve))
		return give_back(class, offset, bytes, false);
	if (lg_os_file_zero(&class->files[file], offset, bytes) != 0)
		memset(lg_class_base(class->index) + offset, 0, bytes);
	return 0;
}

/* The kernel drops only pages that are on disk already. */
static int page_out(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	int error = lg_os_file_write_back(&class->files[file], offset, bytes);

	if (error != 0 && error != -EBADF)
		return error;
	return lg_os_advise(lg_class_base(class->index) + offset, bytes, LG_OS_PAGEOUT);
}

const struct lg_backing lg_backing_file = {
	.name = "file",
	.can_lazily = false,
	.can_move = false,
	.survives_fork = false,
	.has_order = true,
	.run_bytes = RUN_BYTES,
	.map = map,
	.unmap = lg_os_unmap,
	.reserve = reserve,
	.give_back = give_back,
	.discard = discard,
	.page_out = page_out,
	.will_need = lg_backing_will_need,
	.is_huge = is_huge,
};
