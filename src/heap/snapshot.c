/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A snapshot: with all records home, and no commit or checkpoint running, the file is the last commit; it is
 * cloned, or copied without its holes, into a file without a name, which gets one when it is whole. Allocations go
 * on: what they change is in memory.
 */
#include "base/error.h"
#include "heap/checkpoint.h"
#include "heap/gate.h"
#include "heap/heap.h"
#include "heap/slab.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

enum { PIECE_BYTES = 4 << 20 };

static int copy_stretch(struct lg_heap *heap, struct lg_os_disk *to, uint64_t from, uint64_t end,
			char *piece)
{
	int error = 0;

	while (from < end && error == 0) {
		uint64_t bytes = lg_min(end - from, PIECE_BYTES);

		error = heap->disk.ops->read(&heap->disk, piece, bytes, from);
		if (error == 0)
			error = to->ops->write(to, piece, bytes, from);
		from += bytes;
	}
	return error;
}

static int copy(struct lg_heap *heap, struct lg_os_disk *to, uint64_t bytes)
{
	uint64_t start, end = 0;
	void *piece;
	int error = lg_os_map_record(PIECE_BYTES, &piece);

	if (error != 0)
		return error;
	while (error == 0 && end < bytes) {
		error = lg_os_disk_data(&heap->disk, end, &start, &end);
		if (error == 0 && start < bytes)
			error = copy_stretch(heap, to, start, lg_min(end, bytes), piece);
	}
	lg_os_unreserve(piece, PIECE_BYTES);
	return error == -ENXIO ? 0 : error; /* no data behind the last */
}

/* A heap of its own: another name, a journal that counts for nothing, closed. */
static int finish(struct lg_heap *heap, struct lg_os_disk *to)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE] = { 0 };
	struct lg_super *super = (struct lg_super *)(void *)page;
	int error = 0;

	*super = heap->super;
	super->write = 0;
	super->clean = 1;
	super->tail = 0;
	super->tail_sequence = heap->sequence + 1;
	super->bytes = heap->super.bytes;
	if (lg_os_random(super->uuid, sizeof(super->uuid)) != 0 ||
	    lg_os_random(&super->salt, sizeof(super->salt)) != 0)
		return -EIO;
	lg_super_seal(super);
	for (unsigned i = 0; i < 2 && error == 0; i++)
		error = to->ops->write(to, page, sizeof(page), i * sizeof(page));
	return error;
}

static int write_snapshot(struct lg_heap *heap, const char *path)
{
	struct lg_os_disk to = { &lg_os_disk_plain, NULL, -1, -1, 0, 0 };
	uint64_t bytes = heap->shared ? heap->file_bytes :
					lg_max(heap->file_durable, heap->super.bytes);
	int error = lg_os_disk_create(&to, path);

	if (error != 0)
		return error;
	error = to.ops->extend(&to, bytes);
	if (error == 0 && lg_os_disk_clone(&to, &heap->disk) != 0)
		error = copy(heap, &to, bytes);
	if (error == 0)
		error = finish(heap, &to);
	if (error == 0)
		error = lg_os_disk_publish(&to, path);
	lg_os_disk_close(&to);
	return error;
}

static int snapshot(struct lg_heap *heap, const char *path)
{
	int error = lg_checkpoint_run(heap);

	/* Shared: the file is what the bitmaps are now. */
	if (error == 0 && heap->shared)
		error = lg_gate_close(heap);
	if (error != 0)
		return error;
	if (heap->shared)
		lg_slab_flush(heap);
	pthread_mutex_lock(&heap->checkpoint_lock);
	error = write_snapshot(heap, path);
	pthread_mutex_unlock(&heap->checkpoint_lock);
	if (heap->shared)
		lg_gate_open(heap);
	return error != 0 ? lg_fail(-error, "%s: no snapshot can be written: %s", path,
				    lg_error_name(-error)) :
			    0;
}

int lg_heap_snapshot(lg_heap *heap, const char *path)
{
	if (path == NULL)
		return lg_fail(EINVAL, "a snapshot needs a path");
	int error = lg_gate_may_close(heap);
	if (error != 0)
		return error;
	if (heap->readonly)
		return lg_fail(EROFS,
			       "the heap was opened with readonly:on; its file can be copied");
	pthread_mutex_lock(&heap->commit_lock);
	error = snapshot(heap, path);
	pthread_mutex_unlock(&heap->commit_lock);
	return error;
}
