/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/error.h"
#include "heap/gate.h"
#include "heap/heap.h"
#include "heap/root.h"
#include "heap/space.h"

#include <errno.h>

static void count_slab(const struct lg_heap *heap, uint32_t number, struct lg_heap_stats *stats)
{
	uint32_t bytes = lg_heap_class_bytes(heap->table[number].class);
	const uint64_t *bitmap = lg_slab_bitmap(heap, number);
	uint32_t slots = lg_slab_slots(bytes);

	for (uint32_t slot = 0; slot < slots; slot += 64) {
		uint64_t mask = lg_ones(0, (unsigned)lg_min(64, slots - slot));
		uint64_t used = (uint64_t)__builtin_popcountll(bitmap[slot / 64] & mask);

		stats->objects += used;
		stats->object_bytes += used * bytes;
	}
}

static void count_extents(const struct lg_heap *heap, uint32_t number, struct lg_heap_stats *stats)
{
	const struct lg_chunk_entry *entry = &heap->table[number];

	stats->objects += (uint64_t)__builtin_popcount(entry->start);
	stats->object_bytes += (uint64_t)__builtin_popcount(entry->used) << LG_UNIT_SHIFT;
}

static void uncount(struct lg_heap_stats *stats, uint64_t objects, uint64_t bytes)
{
	stats->objects -= objects;
	stats->object_bytes -= objects * bytes;
}

/* Bits are of slots that caches hold, too. */
static void uncount_cached(struct lg_heap *heap, struct lg_heap_stats *stats)
{
	struct lg_heap_thread *thread = lg_load_acquire(&heap->threads);

	for (; thread != NULL; thread = thread->next)
		for (unsigned i = 0; i < LG_HEAP_CLASSES; i++)
			uncount(stats, lg_heap_magazine_count(&thread->magazines[i]),
				lg_heap_class_bytes(i));
	for (unsigned i = 0; i < LG_SLAB_CLASSES; i++)
		uncount(stats, heap->classes[i].depot_count, lg_heap_class_bytes(i));
}

static void count_objects(struct lg_heap *heap, struct lg_heap_stats *stats)
{
	const struct lg_root *roots = lg_root_table(heap);

	for (uint32_t number = LG_CHUNK_FIRST; number < heap->header->chunks; number++) {
		if (heap->table[number].kind == LG_CHUNK_SLAB)
			count_slab(heap, number, stats);
		else if (heap->table[number].kind == LG_CHUNK_EXTENT)
			count_extents(heap, number, stats);
	}
	uncount_cached(heap, stats);
	for (uint32_t i = 0; i < LG_ROOTS; i++)
		stats->roots += roots[i].state == LG_ROOT_USED;
}

void lg_heap_measure(struct lg_heap *heap, struct lg_heap_stats *stats)
{
	*stats = (struct lg_heap_stats){ .capacity_bytes = heap->bytes };
	(void)lg_os_disk_size(&heap->disk, &stats->file_bytes, &stats->disk_bytes);
	for (struct lg_heap_thread *thread = lg_load_acquire(&heap->threads); thread != NULL;
	     thread = thread->next) {
		stats->allocations += lg_load_relaxed(&thread->allocations);
		stats->frees += lg_load_relaxed(&thread->frees);
	}
	stats->commits = lg_load_relaxed(&heap->commits);
	stats->pages_committed = lg_load_relaxed(&heap->pages_journaled);
	stats->bytes_journaled = lg_load_relaxed(&heap->bytes_journaled);
	stats->checkpoints = lg_load_relaxed(&heap->checkpoints);
	stats->pages_home = lg_load_relaxed(&heap->pages_home);
	stats->pages_dropped = lg_load_relaxed(&heap->dropped);
	stats->punched_bytes = lg_load_relaxed(&heap->punched_bytes);
	pthread_mutex_lock(&heap->journal_lock);
	stats->sequence = heap->sequence;
	stats->journal_bytes = heap->ring_bytes;
	stats->journal_used = heap->ring_used;
	pthread_mutex_unlock(&heap->journal_lock);
}

int lg_heap_stats_read(lg_heap *heap, struct lg_heap_stats *stats)
{
	struct lg_heap_stats counted = { 0 };

	if (stats == NULL)
		return lg_fail(EINVAL, "no place for statistics");
	*stats = counted;
	int error = lg_gate_may_close(heap);
	if (error != 0)
		return error;
	error = lg_os_disk_size(&heap->disk, &counted.file_bytes, &counted.disk_bytes);
	if (error != 0)
		return lg_fail(-error, "the heap's file is not there: %s", lg_error_name(-error));
	pthread_mutex_lock(&heap->commit_lock);
	error = lg_gate_close(heap);
	if (error == 0) {
		count_objects(heap, &counted);
		lg_gate_open(heap);
	}
	lg_heap_measure(heap, stats);
	pthread_mutex_unlock(&heap->commit_lock);
	stats->objects = counted.objects;
	stats->object_bytes = counted.object_bytes;
	stats->roots = counted.roots;
	return error;
}
