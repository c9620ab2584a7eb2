/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A commit, on one screen. The gate is closed from the flush of the caches until the pages are copied; the
 * write and the disk's flush happen with the gate open.
 */
#include "heap/commit.h"

#include "base/error.h"
#include "heap/checkpoint.h"
#include "heap/gate.h"
#include "heap/journal.h"
#include "heap/load.h"
#include "heap/shared.h"
#include "heap/slab.h"
#include "heap/space.h"
#include "os/map.h"

#include <errno.h>

static int may_change(const struct lg_heap *heap)
{
	if (heap->readonly)
		return lg_fail(EROFS, "the heap was opened with readonly:on");
	if (lg_load_relaxed(&heap->failed) != 0)
		return lg_fail(EIO,
			       "the disk failed earlier; the heap is read-only until it is opened "
			       "again");
	return 0;
}

static int begin(struct lg_heap *heap)
{
	void *memory;
	int error = 0;

	if (heap->staging == NULL) {
		error = lg_os_map_record((size_t)LG_STAGING_PAGES * LG_HEAP_PAGE, &memory);
		if (error != 0)
			return lg_fail(-error, "no memory for commits");
		heap->staging = memory;
	}
	error = lg_dirty_watch(heap);
	if (error == 0 && heap->first) {
		error = lg_journal_begin(heap);
		heap->first = error != 0;
		if (error == 0)
			lg_checkpoint_start(heap);
	}
	return error;
}

/*
 * Before Linux 6.7 every private page counts as written. So there must be none behind a commit: all are written
 * home and given up before the gate opens.
 */
static int finish_closed(struct lg_heap *heap)
{
	int error = lg_checkpoint_run(heap);

	if (error == 0)
		lg_dirty_forget(heap);
	return error;
}

/* A checkpoint may be freeing some of it. */
static bool is_nearly_full(struct lg_heap *heap)
{
	pthread_mutex_lock(&heap->journal_lock);
	bool full = heap->ring_used > heap->ring_bytes - heap->ring_bytes / 4;
	pthread_mutex_unlock(&heap->journal_lock);
	return full;
}

static int commit(struct lg_heap *heap)
{
	int error = begin(heap);

	/* A full ring is emptied before the gate closes, not behind it. */
	if (error == 0 && is_nearly_full(heap))
		error = lg_checkpoint_run(heap);
	if (error == 0)
		error = lg_gate_close(heap);
	if (error != 0)
		return error;
	heap->epoch++;
	lg_slab_flush(heap);
	error = lg_dirty_collect(heap);
	if (error == 0)
		lg_dirty_drop(heap);
	if (error != 0 || heap->dirty.count == 0) {
		lg_gate_open(heap);
		return error;
	}
	error = lg_journal_put(heap, &heap->dirty, &heap->homeward);
	if (error != 0) {
		lg_dirty_carry(heap);
	} else {
		lg_space_committed(heap);
		lg_own_add(&heap->commits, 1);
	}
	if (!heap->written.exact) {
		if (error == 0)
			(void)finish_closed(
				heap); /* durable it is; the next commit takes them again */
		lg_gate_open(heap);
	} else if (error == 0) {
		lg_checkpoint_poke(heap);
	}
	return error;
}

int lg_heap_commit(lg_heap *heap)
{
	int error = may_change(heap);

	if (error != 0)
		return error;
	error = lg_gate_may_close(heap);
	if (error != 0)
		return error;
	pthread_mutex_lock(&heap->commit_lock);
	error = heap->shared ? lg_shared_commit(heap) : commit(heap);
	pthread_mutex_unlock(&heap->commit_lock);
	return error;
}

static int roll_back(struct lg_heap *heap)
{
	int error = lg_dirty_watch(heap);

	/* Once all that was committed is home, the file is the last commit. */
	if (error == 0)
		error = lg_checkpoint_run(heap);
	if (error == 0)
		error = lg_gate_close(heap);
	if (error != 0)
		return error;
	pthread_mutex_lock(&heap->checkpoint_lock);
	error = lg_dirty_discard(heap);
	if (error == 0)
		lg_load(heap);
	heap->epoch++;
	pthread_mutex_unlock(&heap->checkpoint_lock);
	lg_gate_open(heap);
	return error;
}

int lg_heap_rollback(lg_heap *heap)
{
	int error = may_change(heap);

	if (error == 0 && heap->shared)
		error = lg_fail(ENOTSUP, "a heap of mode:shared has nothing to go back to");
	if (error == 0)
		error = lg_gate_may_close(heap);
	if (error != 0)
		return error;
	pthread_mutex_lock(&heap->commit_lock);
	error = roll_back(heap);
	pthread_mutex_unlock(&heap->commit_lock);
	return error;
}
