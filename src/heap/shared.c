/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/shared.h"

#include "base/error.h"
#include "heap/gate.h"
#include "heap/journal.h"
#include "heap/mark.h"
#include "heap/slab.h"
#include "heap/space.h"

#include <errno.h>

int lg_shared_recover(struct lg_heap *heap, const char *path, bool torn)
{
	if (heap->super.clean != 0)
		return 0;
	if (heap->super.salt != lg_os_boot() && !torn)
		return lg_fail(EINVAL,
			       "%s: it was open when the machine went down, which mode:shared does "
			       "not survive; lg_heap_check with LG_HEAP_REPAIR takes it as it is",
			       path);
	return lg_mark_recover(heap, path, &heap->marked);
}

int lg_shared_begin(struct lg_heap *heap, const char *path)
{
	if (heap->readonly)
		return 0;
	heap->super.clean = 0;
	heap->super.salt = lg_os_boot();
	int error = lg_super_write(heap);
	return error != 0 ? lg_fail(-error, "%s: the superblock cannot be written: %s", path,
				    lg_error_name(-error)) :
			    0;
}

int lg_shared_commit(struct lg_heap *heap)
{
	int error = lg_gate_close(heap);

	if (error != 0)
		return error;
	lg_slab_flush(heap);
	heap->epoch++;
	lg_gate_open(heap);
	error = lg_journal_flush(heap);
	if (error != 0)
		return error;
	heap->commits++;
	pthread_mutex_lock(&heap->checkpoint_lock);
	pthread_mutex_lock(&heap->journal_lock);
	heap->sequence++;
	heap->checkpointed_epoch = heap->epoch;
	pthread_mutex_unlock(&heap->journal_lock);
	error = lg_space_punch(heap);
	pthread_mutex_unlock(&heap->checkpoint_lock);
	return error != 0 ? lg_fail(-error, "disk space cannot be given back: %s",
				    lg_error_name(-error)) :
			    0;
}

int lg_shared_close(struct lg_heap *heap)
{
	if (lg_load_relaxed(&heap->failed) != 0)
		return -EIO;
	lg_slab_flush(heap);
	int error = lg_journal_flush(heap);
	if (error != 0)
		return error;
	heap->super.clean = 1;
	heap->super.bytes = heap->file_bytes;
	heap->super.tail_sequence = heap->sequence + 1;
	error = lg_super_write(heap);
	return error != 0 ? lg_fail(-error, "the superblock cannot be written: %s",
				    lg_error_name(-error)) :
			    0;
}
