/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/mark.h"

#include "base/crc.h"
#include "base/error.h"
#include "heap/load.h"
#include "heap/object.h"
#include "heap/root.h"
#include "heap/space.h"
#include "heap/type.h"

#include <errno.h>
#include <string.h>

struct lg_heap_marking {
	struct lg_heap *heap;
	struct lg_pages stack; /* pairs: an object's ref, its type */
	struct lg_marked *marked;
	int error;
};

/* --- the table ---------------------------------------------------------------------------------- */

static bool is_used_before(const struct lg_heap *heap, uint32_t number, unsigned unit)
{
	const struct lg_chunk_entry *entry = &heap->table[number];

	if (unit > 0)
		return (entry->used >> (unit - 1) & 1) != 0;
	entry--;
	return entry->kind == LG_CHUNK_EXTENT && entry->used >> (LG_CHUNK_UNITS - 1) != 0;
}

/* `used` first: a unit that is used and begins nothing would belong to the extent before it. */
static void store_units(struct lg_chunk_entry *entry, uint32_t used, uint32_t start)
{
	__atomic_store_n(&entry->used, used, __ATOMIC_RELEASE);
	__atomic_store_n(&entry->start, start, __ATOMIC_RELEASE);
	if (used == 0)
		__atomic_store_n(&entry->kind, LG_CHUNK_FREE, __ATOMIC_RELEASE);
}

/* Units without a beginning were on their way in or out, and so were beginnings without a unit. */
static void repair_extents(struct lg_heap *heap, uint32_t number, struct lg_marked *marked)
{
	struct lg_chunk_entry *entry = &heap->table[number];
	struct lg_chunk_entry before = *entry;

	for (unsigned unit = 0; unit < LG_CHUNK_UNITS; unit++) {
		uint32_t bit = (uint32_t)1 << unit;

		if ((entry->used & bit) != 0 && (entry->start & bit) == 0 &&
		    !is_used_before(heap, number, unit))
			entry->used &= ~bit;
	}
	store_units(entry, entry->used, entry->start & entry->used);
	marked->entries += memcmp(&before, entry, sizeof(before)) != 0;
}

/* What no kill leaves: it is refused before anything is written. */
static const char *check_table(const struct lg_heap *heap)
{
	const struct lg_heap_header *header = heap->header;

	if (header->magic != LG_HEADER_MAGIC)
		return "its header is damaged";
	if (header->chunks < LG_CHUNK_FIRST || header->chunks > heap->file_bytes >> LG_CHUNK_SHIFT)
		return "it was truncated";
	for (uint32_t number = 0; number < header->chunks; number++) {
		uint8_t kind = heap->table[number].kind;
		bool known = number < LG_CHUNK_FIRST ? kind == LG_CHUNK_META :
						       kind <= LG_CHUNK_EXTENT;

		if (!known)
			return "a chunk of its table is of no kind that is there in mode:shared";
	}
	for (uint32_t i = 0; i < LG_SUMS_MAX; i++)
		if (header->sums[i] != 0)
			return "it has checksums, of which mode:shared has none";
	return NULL;
}

static void repair_table(struct lg_heap *heap, struct lg_marked *marked)
{
	for (uint32_t number = LG_CHUNK_FIRST; number < heap->header->chunks; number++) {
		struct lg_chunk_entry *entry = &heap->table[number];

		if (entry->kind == LG_CHUNK_EXTENT) {
			repair_extents(heap, number, marked);
		} else if (entry->kind == LG_CHUNK_SLAB && entry->class >= LG_SLAB_CLASSES) {
			entry->kind = LG_CHUNK_FREE;
			marked->entries++;
		}
		if (entry->kind == LG_CHUNK_FREE) {
			entry->used = 0;
			entry->start = 0;
			entry->full = 0;
		}
	}
}

/* --- marking ------------------------------------------------------------------------------------ */

static _Atomic(uint8_t) *mark_of(const struct lg_heap *heap, const struct lg_object *object)
{
	uint64_t number = object->ref >> LG_CHUNK_SHIFT, in = object->ref & (LG_CHUNK - 1);
	const struct lg_chunk_entry *entry = &heap->table[number];

	if (entry->kind == LG_CHUNK_EXTENT)
		return lg_heap_live(heap, number) + (in >> LG_UNIT_SHIFT);
	uint32_t bytes = lg_heap_class_bytes(entry->class);
	return lg_heap_live(heap, number) + (in - lg_slab_first(bytes)) / bytes;
}

void lg_heap_mark(lg_heap_marking *marking, lg_ref ref, lg_heap_type *type)
{
	struct lg_object object;

	if (!lg_object_of(marking->heap, ref, &object))
		return;
	_Atomic(uint8_t) *mark = mark_of(marking->heap, &object);
	if (lg_load_relaxed(mark) != 0)
		return;
	lg_store_relaxed(mark, 1);
	marking->marked->kept++;
	if (type == lg_heap_type_plain)
		return;
	int error = lg_pages_add(&marking->stack, object.ref, 1);
	if (error == 0)
		error = lg_pages_add(&marking->stack, (uint64_t)(uintptr_t)type, 1);
	if (error != 0)
		marking->error = error;
}

void lg_heap_mark_at(lg_heap_marking *marking, const void *address, lg_heap_type *type)
{
	lg_heap_mark(marking, lg_heap_ref(marking->heap, address), type);
}

/* Of an object of no known type: what may be a ref, and what may be an offset from its own place, is one. */
static void mark_words(lg_heap_marking *marking, const struct lg_object *object)
{
	const char *bytes = marking->heap->base + object->ref;

	for (uint64_t at = 0; at + sizeof(lg_ref) <= object->bytes; at += sizeof(lg_ref)) {
		lg_ref word;

		memcpy(&word, bytes + at, sizeof(word));
		if (word == 0)
			continue;
		lg_heap_mark(marking, word, NULL);
		lg_heap_mark(marking, object->ref + at + word, NULL);
	}
}

static void mark_all(lg_heap_marking *marking)
{
	struct lg_pages *stack = &marking->stack;
	struct lg_object object;

	while (stack->count > 0 && marking->error == 0) {
		stack->count -= 2;
		lg_heap_type *type = (lg_heap_type *)(uintptr_t)stack->list[stack->count + 1];
		(void)lg_object_of(marking->heap, stack->list[stack->count], &object);
		if (type != NULL)
			type(marking, marking->heap->base + object.ref, object.bytes);
		else
			mark_words(marking, &object);
	}
}

static bool leads_somewhere(const struct lg_heap *heap, const struct lg_root *root)
{
	size_t length = strnlen(root->name, LG_ROOT_NAME);
	struct lg_object object;

	return length > 0 && length < LG_ROOT_NAME &&
	       root->hash == lg_crc32c(0, root->name, length) &&
	       lg_object_of(heap, root->ref, &object);
}

static void remove_roots(struct lg_heap *heap, struct lg_marked *marked)
{
	for (uint32_t i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &lg_root_table(heap)[i];

		if (root->state == LG_ROOT_USED && !leads_somewhere(heap, root)) {
			root->state = LG_ROOT_REMOVED;
			marked->roots++;
		}
	}
}

static int mark_from_roots(struct lg_heap *heap, struct lg_marked *marked)
{
	struct lg_heap_marking marking = { .heap = heap, .marked = marked };

	for (uint32_t i = 0; i < LG_ROOTS; i++) {
		const struct lg_root *root = &lg_root_table(heap)[i];

		if (root->state == LG_ROOT_USED && leads_somewhere(heap, root))
			lg_heap_mark(&marking, root->ref, lg_type_of_root(root->name));
	}
	mark_all(&marking);
	lg_pages_free(&marking.stack);
	return marking.error;
}

/* --- the bitmaps -------------------------------------------------------------------------------- */

static void rebuild_slab(struct lg_heap *heap, uint32_t number, struct lg_marked *marked)
{
	struct lg_chunk_entry *entry = &heap->table[number];
	uint32_t slots = lg_slab_slots(lg_heap_class_bytes(entry->class)), kept = 0;
	uint64_t *bitmap = lg_slab_bitmap(heap, number);
	_Atomic(uint8_t) *marks = lg_heap_live(heap, number);

	for (uint32_t word = 0; word * 64 < slots; word++) {
		uint64_t mask = lg_ones(0, (unsigned)lg_min(64, slots - word * 64)), stay = 0;

		for (uint64_t used = bitmap[word] & mask; used != 0; used &= used - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(used);

			if (lg_load_relaxed(&marks[word * 64 + bit]) != 0)
				stay |= (uint64_t)1 << bit;
		}
		marked->freed += (uint64_t)__builtin_popcountll(bitmap[word] & mask & ~stay);
		kept += (uint32_t)__builtin_popcountll(stay);
		if (bitmap[word] != stay)
			bitmap[word] = stay;
	}
	entry->full = kept == slots;
	if (kept == 0)
		__atomic_store_n(&entry->kind, LG_CHUNK_FREE, __ATOMIC_RELEASE);
}

/* The extents that begin in the chunk. */
static void rebuild_extents(struct lg_heap *heap, uint32_t number, struct lg_marked *marked)
{
	for (uint32_t starts = heap->table[number].start; starts != 0; starts &= starts - 1) {
		uint64_t unit = (uint64_t)number * LG_CHUNK_UNITS + (unsigned)__builtin_ctz(starts);
		uint64_t end = unit + lg_space_units(heap, unit);

		if (lg_load_relaxed(lg_heap_live(heap, number) + unit % LG_CHUNK_UNITS) != 0)
			continue;
		marked->freed++;
		/* From its end: what is left over at any moment begins where it began. */
		while (end > unit) {
			struct lg_chunk_entry *entry = &heap->table[(end - 1) / LG_CHUNK_UNITS];
			uint64_t from = lg_max(unit, (end - 1) / LG_CHUNK_UNITS * LG_CHUNK_UNITS);
			uint32_t mask = (uint32_t)lg_ones((unsigned)(from % LG_CHUNK_UNITS),
							  (unsigned)(end - from));

			store_units(entry, entry->used & ~mask, entry->start & ~mask);
			end = from;
		}
	}
}

static void rebuild(struct lg_heap *heap, struct lg_marked *marked)
{
	for (uint32_t number = LG_CHUNK_FIRST; number < heap->header->chunks; number++) {
		if (heap->table[number].kind == LG_CHUNK_SLAB)
			rebuild_slab(heap, number, marked);
		else if (heap->table[number].kind == LG_CHUNK_EXTENT)
			rebuild_extents(heap, number, marked);
	}
}

int lg_mark_recover(struct lg_heap *heap, const char *path, struct lg_marked *marked)
{
	const char *wrong = check_table(heap);

	if (wrong != NULL)
		return lg_fail(EINVAL, "%s: %s", path, wrong);
	*marked = (struct lg_marked){ .done = true };
	repair_table(heap, marked);
	remove_roots(heap, marked);
	int error = mark_from_roots(heap, marked);
	if (error != 0)
		return lg_fail(-error, "%s: no memory to mark its objects", path);
	rebuild(heap, marked);
	return 0;
}

struct unreached {
	const struct lg_heap *heap;
	uint64_t objects;
	uint64_t bytes;
};

static int count_unmarked(void *argument, const struct lg_object *object)
{
	struct unreached *unreached = argument;

	if (lg_load_relaxed(mark_of(unreached->heap, object)) == 0) {
		unreached->objects++;
		unreached->bytes += object->bytes;
	}
	return 0;
}

int lg_mark_unreached(struct lg_heap *heap, uint64_t *objects, uint64_t *bytes)
{
	struct unreached unreached = { .heap = heap };
	struct lg_marked marked = { 0 };
	int error = mark_from_roots(heap, &marked);

	if (error == 0)
		(void)lg_object_each(heap, count_unmarked, &unreached);
	lg_load(heap); /* the marks were live bytes */
	*objects = unreached.objects;
	*bytes = unreached.bytes;
	return error;
}
