/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/load.h"

#include "heap/slab.h"
#include "os/map.h"

/*
 * The superblock knows the journal's pieces before a commit knows their chunks: a crash, or a rollback, may fall
 * between.
 */
static void mark_journal(struct lg_heap *heap)
{
	for (uint32_t i = 0; i < heap->super.segments; i++) {
		const struct lg_segment *segment = &heap->super.segment[i];
		uint64_t first = segment->offset >> LG_CHUNK_SHIFT;
		uint64_t end = (segment->offset + segment->bytes + LG_CHUNK - 1) >> LG_CHUNK_SHIFT;

		if (heap->header->chunks < end && !heap->readonly)
			heap->header->chunks = (uint32_t)end;
		for (uint64_t number = first; number < end; number++)
			if (heap->table[number].kind != LG_CHUNK_JOURNAL && !heap->readonly)
				heap->table[number] =
					(struct lg_chunk_entry){ .kind = LG_CHUNK_JOURNAL };
	}
}

void lg_load(struct lg_heap *heap)
{
	(void)lg_os_drop(heap->chunks, heap->capacity * sizeof(struct lg_chunk));
	(void)lg_os_drop((void *)(uintptr_t)heap->live, heap->capacity * LG_SLOTS_MAX);
	for (struct lg_heap_thread *thread = lg_load_acquire(&heap->threads); thread != NULL;
	     thread = thread->next)
		for (unsigned i = 0; i < LG_HEAP_CLASSES; i++)
			thread->magazines[i].top = thread->magazines[i].floor;
	mark_journal(heap);
	heap->lowest = LG_CHUNK_FIRST;
	heap->nursery.count = 0;
	heap->fresh_from = heap->file_bytes; /* before it a commit that failed may have written */
	lg_slab_load(heap);
}
