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

int lg_object_each(const struct lg_heap *heap,
		   int (*each)(void *argument, const struct lg_object *object), void *argument)
{
	struct lg_object object;
	int stop = 0;

	for (uint64_t number = LG_CHUNK_FIRST; number < heap->header->chunks && stop == 0;
	     number++) {
		const struct lg_chunk_entry *entry = &heap->table[number];
		uint64_t at = number << LG_CHUNK_SHIFT;

		if (entry->kind == LG_CHUNK_SLAB) {
			uint32_t bytes = lg_heap_class_bytes(entry->class);

			at += lg_slab_first(bytes);
			for (uint32_t i = 0; i < lg_slab_slots(bytes) && stop == 0;
			     i++, at += bytes)
				if (lg_object_of(heap, at, &object))
					stop = each(argument, &object);
		} else if (entry->kind == LG_CHUNK_EXTENT) {
			for (uint32_t starts = entry->start; starts != 0 && stop == 0;
			     starts &= starts - 1)
				if (lg_object_of(
					    heap,
					    at + ((uint64_t)__builtin_ctz(starts) << LG_UNIT_SHIFT),
					    &object))
					stop = each(argument, &object);
		}
	}
	return stop;
}
