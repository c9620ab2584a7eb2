/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/slab.h"

#include "base/option.h"
#include "base/require.h"
#include "heap/space.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

enum { MAGAZINE_BYTES = 512 << 10, DEPOT_BYTES = 2 << 20, EXTENT_MAGAZINE_BYTES = 4 << 20 };

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : lg_min(value, high);
}

int lg_slab_start(struct lg_heap *heap)
{
	for (unsigned i = 0; i < LG_HEAP_CLASSES; i++) {
		struct lg_heap_class *class = &heap->classes[i];
		uint32_t bytes = lg_heap_class_bytes(i);
		bool slab = i < LG_SLAB_CLASSES;
		void *depot;

		pthread_mutex_init(&class->lock, NULL);
		class->magazine_max =
			(uint32_t)(slab ? clamp(MAGAZINE_BYTES / bytes, 8, LG_MAGAZINE_SLOTS) :
					  clamp(EXTENT_MAGAZINE_BYTES / bytes, 2, LG_TRANSFER));
		class->depot_max =
			slab ? (uint32_t)clamp(DEPOT_BYTES / bytes, LG_TRANSFER, LG_DEPOT_SLOTS) :
			       0;
		if (!slab)
			continue;
		int error = lg_os_map_record(class->depot_max * sizeof(struct lg_slot), &depot);
		if (error != 0)
			return error;
		class->depot = depot;
	}
	return 0;
}

void lg_slab_stop(struct lg_heap *heap)
{
	for (unsigned i = 0; i < LG_HEAP_CLASSES; i++) {
		struct lg_heap_class *class = &heap->classes[i];

		if (class->depot != NULL)
			lg_os_unreserve(class->depot, class->depot_max * sizeof(struct lg_slot));
		class->depot = NULL;
	}
}

static void list(struct lg_heap *heap, struct lg_heap_class *class, uint32_t number)
{
	heap->chunks[number].next = class->chunks;
	heap->chunks[number].listed = true;
	class->chunks = number;
}

void lg_slab_load(struct lg_heap *heap)
{
	for (unsigned i = 0; i < LG_HEAP_CLASSES; i++) {
		heap->classes[i].chunks = 0;
		heap->classes[i].depot_count = 0;
		heap->classes[i].emptied = 0;
	}
	for (uint32_t number = heap->header->chunks; number-- > LG_CHUNK_FIRST;) {
		const struct lg_chunk_entry *entry = &heap->table[number];

		if (entry->kind == LG_CHUNK_SLAB && entry->full == 0)
			list(heap, &heap->classes[entry->class], number);
	}
}

/* Bits of the bitmap's last word that stand for no slot. */
static uint64_t beyond(const struct lg_chunk *chunk, uint32_t word)
{
	uint32_t rest = chunk->slots - word * 64;

	return rest >= 64 ? 0 : ~lg_ones(0, rest);
}

static uint32_t words_of(const struct lg_chunk *chunk)
{
	return (chunk->slots + 63) / 64;
}

static void describe(struct lg_heap *heap, uint32_t number, unsigned class)
{
	uint32_t bytes = lg_heap_class_bytes(class);

	lg_chunk_describe(heap, number, class, lg_slab_first(bytes), lg_slab_slots(bytes));
	heap->chunks[number].cursor = 0;
}

static void make_ready(struct lg_chunk *chunk)
{
	lg_store_release(&chunk->granules,
			 chunk->slots * (lg_heap_class_bytes(chunk->class) / LG_GRANULE));
}

/* The class's lock is held. */
static void open_chunk(struct lg_heap *heap, uint32_t number, unsigned class)
{
	struct lg_chunk *chunk = &heap->chunks[number];
	const uint64_t *bitmap = lg_slab_bitmap(heap, number);
	_Atomic(uint8_t) *live = lg_heap_live(heap, number);

	describe(heap, number, class);
	chunk->free = 0;
	for (uint32_t word = 0; word < words_of(chunk); word++) {
		uint64_t used = bitmap[word] & ~beyond(chunk, word);
		uint32_t count = (uint32_t)lg_min(64, chunk->slots - word * 64);

		chunk->free += count - (uint32_t)__builtin_popcountll(used);
		for (; used != 0; used &= used - 1)
			lg_store_relaxed(&live[word * 64 + (uint32_t)__builtin_ctzll(used)],
					 LG_LIVE_SLOT);
	}
	make_ready(chunk);
}

bool lg_slab_ready(struct lg_heap *heap, uint32_t number)
{
	if (number >= __atomic_load_n(&heap->header->chunks, __ATOMIC_RELAXED))
		return false;
	const struct lg_chunk_entry *entry = &heap->table[number];
	unsigned class = __atomic_load_n(&entry->class, __ATOMIC_RELAXED);

	if (class >= LG_SLAB_CLASSES)
		return false;
	pthread_mutex_lock(&heap->classes[class].lock);
	bool is = entry->kind == LG_CHUNK_SLAB && entry->class == class;
	if (is && lg_load_relaxed(&heap->chunks[number].granules) == 0)
		open_chunk(heap, number, class);
	pthread_mutex_unlock(&heap->classes[class].lock);
	return is;
}

static int new_chunk(struct lg_heap *heap, unsigned class)
{
	uint32_t number;
	bool fresh;
	int error = lg_space_take_chunk(heap, class, &number, &fresh);

	if (error != 0)
		return error;
	describe(heap, number, class);
	struct lg_chunk *chunk = &heap->chunks[number];
	if (!fresh)
		memset(lg_slab_bitmap(heap, number), 0, chunk->first);
	memset((void *)(uintptr_t)lg_heap_live(heap, number), 0, LG_CHUNK_UNITS);
	chunk->free = chunk->slots;
	make_ready(chunk);
	list(heap, &heap->classes[class], number);
	return 0;
}

/* Whole words' worth of free slots, until the magazine has enough. */
static void take_slots(struct lg_heap *heap, uint32_t number, unsigned max,
		       struct lg_heap_magazine *magazine)
{
	struct lg_chunk *chunk = &heap->chunks[number];
	uint64_t *bitmap = lg_slab_bitmap(heap, number);
	_Atomic(uint8_t) *live = lg_heap_live(heap, number);
	char *slots = lg_heap_chunk(heap, number) + chunk->first;
	uint64_t bytes = lg_heap_class_bytes(chunk->class);
	uint32_t word = chunk->cursor;

	for (; word < words_of(chunk) && lg_heap_magazine_count(magazine) < (max + 1) / 2; word++) {
		uint64_t free = ~(bitmap[word] | beyond(chunk, word)), taken = 0;

		for (; free != 0 && magazine->top != magazine->ceiling; free &= free - 1) {
			uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(free);

			taken |= free & -free;
			*magazine->top++ = (struct lg_slot){ slots + slot * bytes, &live[slot] };
		}
		if (taken != 0)
			bitmap[word] |= taken;
		chunk->free -= (uint32_t)__builtin_popcountll(taken);
	}
	chunk->cursor = word > 0 ? word - 1 : 0; /* the last word may have kept some */
}

static bool take_from_depot(struct lg_heap_class *class, struct lg_heap_magazine *magazine)
{
	uint32_t count = (uint32_t)lg_min(class->depot_count, (class->magazine_max + 1) / 2);

	class->depot_count -= count;
	memcpy(magazine->floor, class->depot + class->depot_count, count * sizeof(struct lg_slot));
	magazine->top = magazine->floor + count;
	return count > 0;
}

int lg_slab_refill(struct lg_heap *heap, unsigned index, struct lg_heap_magazine *magazine)
{
	struct lg_heap_class *class = &heap->classes[index];
	int error = 0;

	pthread_mutex_lock(&class->lock);
	while (magazine->top == magazine->floor && error == 0) {
		uint32_t number = class->chunks;

		if (take_from_depot(class, magazine))
			break;
		if (number == 0) {
			error = new_chunk(heap, index);
			continue;
		}
		struct lg_chunk *chunk = &heap->chunks[number];
		if (lg_load_relaxed(&chunk->granules) == 0)
			open_chunk(heap, number, index);
		take_slots(heap, number, class->magazine_max, magazine);
		if (chunk->free == 0) {
			heap->table[number].full = 1;
			chunk->listed = false;
			class->chunks = chunk->next;
		}
	}
	pthread_mutex_unlock(&class->lock);
	return error;
}

/* The class's lock is held, or the gate closed. */
static void clear_bit(struct lg_heap *heap, unsigned index, const struct lg_slot *slot)
{
	struct lg_heap_class *class = &heap->classes[index];
	uint32_t number = (uint32_t)((uint64_t)(slot->address - heap->base) >> LG_CHUNK_SHIFT);
	uint32_t bit = (uint32_t)(slot->live - lg_heap_live(heap, number));
	struct lg_chunk *chunk = &heap->chunks[number];

	LG_ASSERT((lg_slab_bitmap(heap, number)[bit / 64] >> bit % 64 & 1) == 1);
	chunk->cursor = (uint32_t)lg_min(chunk->cursor, bit / 64);
	lg_slab_bitmap(heap, number)[bit / 64] &= ~((uint64_t)1 << bit % 64);
	if (!chunk->listed)
		list(heap, class, number);
	if (heap->table[number].full != 0)
		heap->table[number].full = 0;
	class->emptied += ++chunk->free == chunk->slots;
}

static void give(struct lg_heap *heap, unsigned index, const struct lg_slot *slot)
{
	if (index < LG_SLAB_CLASSES)
		clear_bit(heap, index, slot);
	else
		lg_space_give(heap, (uint64_t)(slot->address - heap->base) >> LG_UNIT_SHIFT, 0);
}

void lg_slab_return(struct lg_heap *heap, unsigned index, struct lg_heap_magazine *magazine,
		    unsigned count)
{
	struct lg_heap_class *class = &heap->classes[index];

	pthread_mutex_lock(&class->lock);
	uint32_t kept = (uint32_t)lg_min(count, class->depot_max - class->depot_count);
	magazine->top -= kept;
	if (kept > 0) /* a class without a depot has none */
		memcpy(class->depot + class->depot_count, magazine->top,
		       kept * sizeof(struct lg_slot));
	class->depot_count += kept;
	for (; kept < count; kept++)
		give(heap, index, --magazine->top);
	pthread_mutex_unlock(&class->lock);
}

static void sweep_class(struct lg_heap *heap, struct lg_heap_class *class, bool all)
{
	uint32_t *link = &class->chunks;

	while (*link != 0) {
		struct lg_chunk *chunk = &heap->chunks[*link];
		bool last = link == &class->chunks && chunk->next == 0;

		if (lg_load_relaxed(&chunk->granules) == 0 || chunk->free < chunk->slots ||
		    (last && !all)) {
			link = &chunk->next;
			continue;
		}
		uint32_t number = *link;
		*link = chunk->next;
		chunk->listed = false;
		lg_space_give_chunk(heap, number, true);
	}
	class->emptied = 0;
}

void lg_slab_sweep(struct lg_heap *heap, bool all)
{
	for (unsigned i = 0; i < LG_SLAB_CLASSES; i++) {
		struct lg_heap_class *class = &heap->classes[i];

		pthread_mutex_lock(&class->lock);
		if (class->emptied > 0 || all)
			sweep_class(heap, class, all);
		pthread_mutex_unlock(&class->lock);
	}
}

void lg_slab_flush(struct lg_heap *heap)
{
	struct lg_heap_thread *thread = lg_load_acquire(&heap->threads);

	for (; thread != NULL; thread = thread->next)
		for (unsigned i = 0; i < LG_HEAP_CLASSES; i++) {
			struct lg_heap_magazine *magazine = &thread->magazines[i];

			while (magazine->top != magazine->floor)
				give(heap, i, --magazine->top);
		}
	for (unsigned i = 0; i < LG_SLAB_CLASSES; i++) {
		struct lg_heap_class *class = &heap->classes[i];

		while (class->depot_count > 0)
			clear_bit(heap, i, &class->depot[--class->depot_count]);
	}
	lg_slab_sweep(heap, false);
}

static void check_chunk(struct lg_heap *heap, uint32_t number)
{
	const struct lg_chunk *chunk = &heap->chunks[number];
	const uint64_t *bitmap = lg_slab_bitmap(heap, number);
	uint32_t free = 0;

	for (uint32_t slot = 0; slot < chunk->slots; slot++) {
		bool used = (bitmap[slot / 64] >> slot % 64 & 1) != 0;

		free += !used;
		if (!used)
			LG_REQUIRE(lg_load_relaxed(lg_heap_live(heap, number) + slot) == 0);
	}
	LG_REQUIRE(free == chunk->free);
	LG_REQUIRE(chunk->listed || free == 0);
	if (heap->table[number].full != 0)
		LG_REQUIRE(free == 0);
}

void lg_slab_check(struct lg_heap *heap)
{
	for (uint32_t number = LG_CHUNK_FIRST; number < heap->header->chunks; number++)
		if (heap->table[number].kind == LG_CHUNK_SLAB &&
		    lg_load_relaxed(&heap->chunks[number].granules) != 0)
			check_chunk(heap, number);
}
