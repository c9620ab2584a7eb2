/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/object.h"

#include "heap/space.h"

static bool slab_object(const struct lg_heap *heap, uint32_t number, uint64_t in,
			struct lg_object *object)
{
	uint32_t bytes = lg_heap_class_bytes(heap->table[number].class);
	uint64_t slot = (in - lg_slab_first(bytes)) / bytes;

	if (in < lg_slab_first(bytes) || slot >= lg_slab_slots(bytes) ||
	    (lg_slab_bitmap(heap, number)[slot / 64] >> slot % 64 & 1) == 0)
		return false;
	object->ref = ((uint64_t)number << LG_CHUNK_SHIFT) + lg_slab_first(bytes) + slot * bytes;
	object->bytes = bytes;
	return true;
}

static bool extent_object(const struct lg_heap *heap, uint64_t unit, struct lg_object *object)
{
	const struct lg_chunk_entry *entry = &heap->table[unit / LG_CHUNK_UNITS];

	if ((entry->used >> unit % LG_CHUNK_UNITS & 1) == 0)
		return false;
	/* Back to where it begins: a sound table has that, in a chunk before if need be. */
	for (;;) {
		uint32_t starts = entry->start & (uint32_t)lg_ones(0, unit % LG_CHUNK_UNITS + 1);

		if (starts != 0) {
			unit = unit / LG_CHUNK_UNITS * LG_CHUNK_UNITS + lg_log2_floor(starts);
			break;
		}
		if (unit / LG_CHUNK_UNITS <= LG_CHUNK_FIRST)
			return false;
		unit = unit / LG_CHUNK_UNITS * LG_CHUNK_UNITS - 1;
		entry--;
	}
	object->ref = unit << LG_UNIT_SHIFT;
	object->bytes = lg_space_units(heap, unit) << LG_UNIT_SHIFT;
	return true;
}

bool lg_object_of(const struct lg_heap *heap, lg_ref ref, struct lg_object *object)
{
	uint64_t number = ref >> LG_CHUNK_SHIFT;

	if (number < LG_CHUNK_FIRST || number >= heap->header->chunks)
		return false;
	switch (heap->table[number].kind) {
	case LG_CHUNK_SLAB:
		return slab_object(heap, (uint32_t)number, ref & (LG_CHUNK - 1), object);
	case LG_CHUNK_EXTENT:
		return extent_object(heap, ref >> LG_UNIT_SHIFT, object);
	default:
		return false;
	}
}

typedef int object_each(void *argument, const struct lg_object *object);

static int each_of_slab(const struct lg_heap *heap, uint32_t number, object_each *each,
			void *argument)
{
	uint32_t bytes = lg_heap_class_bytes(heap->table[number].class);
	uint64_t first = ((uint64_t)number << LG_CHUNK_SHIFT) + lg_slab_first(bytes);
	uint32_t slots = lg_slab_slots(bytes);
	int stop = 0;

	for (uint32_t slot = 0; slot < slots && stop == 0; slot += 64) {
		uint64_t used = lg_slab_bitmap(heap, number)[slot / 64] &
				lg_ones(0, (unsigned)lg_min(64, slots - slot));

		for (; used != 0 && stop == 0; used &= used - 1) {
			uint64_t index = slot + (unsigned)__builtin_ctzll(used);

			stop = each(argument, &(struct lg_object){ first + index * bytes, bytes });
		}
	}
	return stop;
}

static int each_of_extents(const struct lg_heap *heap, uint32_t number, object_each *each,
			   void *argument)
{
	int stop = 0;

	for (uint32_t starts = heap->table[number].start; starts != 0 && stop == 0;
	     starts &= starts - 1) {
		uint64_t unit = (uint64_t)number * LG_CHUNK_UNITS + (unsigned)__builtin_ctz(starts);
		uint64_t bytes = lg_space_units(heap, unit) << LG_UNIT_SHIFT;

		stop = each(argument, &(struct lg_object){ unit << LG_UNIT_SHIFT, bytes });
	}
	return stop;
}

int lg_object_each(const struct lg_heap *heap, object_each *each, void *argument)
{
	int stop = 0;

	for (uint32_t number = LG_CHUNK_FIRST; number < heap->header->chunks && stop == 0;
	     number++) {
		if (heap->table[number].kind == LG_CHUNK_SLAB)
			stop = each_of_slab(heap, number, each, argument);
		else if (heap->table[number].kind == LG_CHUNK_EXTENT)
			stop = each_of_extents(heap, number, each, argument);
	}
	return stop;
}
