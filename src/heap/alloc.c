/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Objects of a heap. The hit is lg_heap_alloc and lg_heap_free themselves, a push or pop of the thread's magazine
 * between two plain stores of the gate; whatever is not so goes to one cold call, which begins again:
 *
 *   alloc: class → magazine → live byte            alloc_any: slab.c (depot, bitmaps, a new chunk), space.c (units)
 *   free:  chunk → slot → live byte → magazine     free_any: slab.c (depot, bitmaps), what is wrong with it
 *
 * The live byte is what tells a double free; slot and remainder tell interior and foreign pointers. A free reads the
 * chunk's descriptor, one line for 2 MiB, and the live byte, 64 slots a line: of the object itself nothing.
 */
#include "base/error.h"
#include "heap/gate.h"
#include "heap/heap.h"
#include "heap/slab.h"
#include "heap/space.h"
#include "heap/thread.h"

#include <errno.h>
#include <string.h>

/* A live slot as free finds it. */
struct found {
	struct lg_chunk *chunk;
	_Atomic(uint8_t) *live;
	uint8_t value;
};

static LG_OUT_OF_LINE int refuse(const struct lg_heap *heap)
{
	if (lg_load_relaxed(&heap->gate) == LG_GATE_DEAD)
		return lg_fail(EBADF,
			       "the heap is the parent process's; a child of fork has it closed");
	if (heap->readonly)
		return lg_fail(EROFS, "the heap was opened with readonly:on");
	return lg_fail(EROFS,
		       "the disk failed earlier; the heap is read-only until it is reopened");
}

static LG_OUT_OF_LINE void *no_memory(int error)
{
	errno = -error;
	return NULL;
}

static LG_OUT_OF_LINE int no_record(void)
{
	return lg_fail(ENOMEM, "no memory for the thread's cache");
}

static LG_OUT_OF_LINE bool make_ready(struct lg_heap *heap, uint64_t number)
{
	return number >= LG_CHUNK_FIRST &&
	       (lg_slab_ready(heap, (uint32_t)number) || lg_space_ready(heap, (uint32_t)number));
}

/* In a chunk that is described; else false. */
static inline bool find_described(struct lg_heap *heap, const void *object, struct found *found)
{
	uint64_t offset = (uint64_t)((uintptr_t)object - (uintptr_t)heap->base);
	uint64_t number = offset >> LG_CHUNK_SHIFT;

	if (LG_UNLIKELY(number >= heap->capacity))
		return false;
	struct lg_chunk *chunk = &heap->chunks[number];
	uint32_t in = ((uint32_t)offset & (LG_CHUNK - 1)) - chunk->first;
	/* What is no multiple of 16, or below the first, gets large by the rotation. */
	uint32_t granule = in >> 4 | in << 28;
	if (LG_UNLIKELY(granule >= lg_load_acquire(&chunk->granules)))
		return false;
	uint64_t product = (uint64_t)granule * chunk->reciprocal;
	if (LG_UNLIKELY((product & lg_ones(0, 31)) >= chunk->reciprocal))
		return false;
	found->chunk = chunk;
	found->live = chunk->live + (product >> 31);
	found->value = lg_load_relaxed(found->live);
	return found->value != 0;
}

static bool find(struct lg_heap *heap, const void *object, struct found *found)
{
	uint64_t offset = (uint64_t)((uintptr_t)object - (uintptr_t)heap->base);
	uint64_t number = offset >> LG_CHUNK_SHIFT;

	if (number >= heap->capacity)
		return false;
	if (lg_load_acquire(&heap->chunks[number].granules) == 0 && !make_ready(heap, number))
		return false;
	return find_described(heap, object, found);
}

static LG_OUT_OF_LINE void *alloc_large(struct lg_heap *heap, uint64_t bytes, bool *fresh)
{
	uint64_t first, units = (bytes + LG_UNIT - 1) >> LG_UNIT_SHIFT;
	int error = bytes > heap->bytes ?
			    lg_fail(ENOMEM, "%llu bytes are more than the heap's reserve",
				    (unsigned long long)bytes) :
			    lg_space_take(heap, units, &first, fresh);

	if (error == -ENOSPC || error == -ENOMEM) {
		lg_slab_sweep(heap, true);
		if (bytes <= heap->bytes)
			error = lg_space_take(heap, units, &first, fresh);
	}
	if (error != 0)
		return no_memory(error);
	uint8_t value = (uint8_t)(units <= LG_EXTENT_CLASSES ? units : LG_LIVE_LARGE);
	lg_store_relaxed(lg_heap_live(heap, first / LG_CHUNK_UNITS) + first % LG_CHUNK_UNITS,
			 value);
	return heap->base + (first << LG_UNIT_SHIFT);
}

static LG_OUT_OF_LINE int refill(struct lg_heap *heap, unsigned class,
				 struct lg_heap_magazine *magazine)
{
	int error = lg_slab_refill(heap, class, magazine);

	if (error == -ENOSPC || error == -ENOMEM) {
		lg_slab_sweep(heap, true);
		error = lg_slab_refill(heap, class, magazine);
	}
	return error;
}

/* Inside the gate. */
static void *alloc(struct lg_heap *heap, struct lg_heap_thread *thread, uint64_t bytes, bool *fresh)
{
	if (bytes > LG_CACHED_MAX)
		return alloc_large(heap, bytes, fresh);
	unsigned class = lg_heap_class_of(bytes);
	struct lg_heap_magazine *magazine = &thread->magazines[class];
	if (magazine->top == magazine->floor) {
		if (class >= LG_SLAB_CLASSES)
			return alloc_large(heap, bytes, fresh);
		int error = refill(heap, class, magazine);
		if (error != 0)
			return no_memory(error);
	}
	const struct lg_slot *slot = --magazine->top;
	lg_store_relaxed(
		slot->live,
		(uint8_t)(class < LG_SLAB_CLASSES ? LG_LIVE_SLOT : class - LG_SLAB_CLASSES + 1));
	return slot->address;
}

static LG_OUT_OF_LINE void free_large(struct lg_heap *heap, void *object)
{
	lg_space_give(heap, (uint64_t)((char *)object - heap->base) >> LG_UNIT_SHIFT, 0);
}

static LG_OUT_OF_LINE void overflow(struct lg_heap *heap, unsigned class,
				    struct lg_heap_magazine *magazine)
{
	lg_slab_return(heap, class, magazine, (heap->classes[class].magazine_max + 1) / 2);
}

static LG_OUT_OF_LINE int not_live(const struct lg_heap *heap, const void *object)
{
	bool inside = (uintptr_t)object - (uintptr_t)heap->base < heap->bytes;

	return lg_fail(EINVAL,
		       inside ? "%p is no live object of the heap: freed twice, or the address "
				"of a part of one" :
				"%p is no object of the heap",
		       object);
}

/* Inside the gate. */
static void give(struct lg_heap *heap, struct lg_heap_thread *thread, void *object,
		 const struct found *found)
{
	unsigned class = found->chunk->class;

	lg_store_relaxed(found->live, 0);
	if (class == LG_SLAB_CLASSES) {
		if (found->value == LG_LIVE_LARGE) {
			free_large(heap, object);
			return;
		}
		class = LG_SLAB_CLASSES - 1u + found->value;
	}
	struct lg_heap_magazine *magazine = &thread->magazines[class];
	if (magazine->top == magazine->ceiling)
		overflow(heap, class, magazine);
	*magazine->top++ = (struct lg_slot){ object, found->live };
}

static LG_OUT_OF_LINE void *alloc_any(struct lg_heap *heap, uint64_t bytes, bool *fresh)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);

	if (thread == NULL)
		return no_memory(no_record());
	if (!lg_gate_enter(heap, thread))
		return no_memory(refuse(heap));
	void *object = alloc(heap, thread, bytes, fresh);
	if (object != NULL)
		lg_own_add(&thread->allocations, 1);
	lg_gate_leave(thread);
	return object;
}

static LG_OUT_OF_LINE void *alloc_cold(struct lg_heap *heap, uint64_t bytes)
{
	bool fresh;

	return alloc_any(heap, bytes, &fresh);
}

/* lg_heap_class_of by granules, for sizes up to TABLED_MAX. */
enum { TABLED_MAX = 1024 };
/* clang-format off */
static const uint8_t classes[TABLED_MAX / LG_GRANULE + 1] = {
	0,
	0, 1, 2, 3, 4, 5, 6, 7,
	8, 8, 9, 9, 10, 10, 11, 11,
	12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15,
	16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17, 17, 17, 17, 17, 17,
	18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19,
};
/* clang-format on */

void *lg_heap_alloc(lg_heap *heap, size_t bytes)
{
	struct lg_heap_thread *thread = lg_heap_thread_seen(heap);

	if (LG_UNLIKELY(thread == NULL || bytes > TABLED_MAX))
		return alloc_cold(heap, bytes);
	bool inside = lg_gate_is_inside(thread);
	if (!inside && LG_UNLIKELY(!lg_gate_pass(heap, thread)))
		goto miss;
	struct lg_heap_magazine *magazine =
		&thread->magazines[classes[(bytes + LG_GRANULE - 1) / LG_GRANULE]];
	struct lg_slot *slot = magazine->top;
	if (LG_UNLIKELY(slot == magazine->floor))
		goto miss;
	magazine->top = --slot;
	lg_store_relaxed(slot->live, LG_LIVE_SLOT);
	void *object = slot->address;
	lg_own_add(&thread->allocations, 1);
	if (!inside)
		lg_gate_passed(thread);
	return object;
miss:
	if (!inside)
		lg_gate_passed(thread);
	return alloc_cold(heap, bytes);
}

void *lg_heap_calloc(lg_heap *heap, size_t count, size_t bytes)
{
	bool fresh = false;
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all))
		return no_memory(lg_fail(ENOMEM, "%zu times %zu bytes are too many", count, bytes));
	void *object = alloc_any(heap, all, &fresh);
	if (object != NULL && !fresh)
		memset(object, 0, all);
	return object;
}

static LG_OUT_OF_LINE int free_any(struct lg_heap *heap, void *object)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);
	struct found found;
	int error = 0;

	if (object == NULL)
		return 0;
	if (thread == NULL)
		return no_record();
	if (!lg_gate_enter(heap, thread))
		return refuse(heap);
	if (find(heap, object, &found)) {
		give(heap, thread, object, &found);
		lg_own_add(&thread->frees, 1);
	} else {
		error = not_live(heap, object);
	}
	lg_gate_leave(thread);
	return error;
}

int lg_heap_free(lg_heap *heap, void *object)
{
	struct lg_heap_thread *thread = lg_heap_thread_seen(heap);
	struct found found;

	if (LG_UNLIKELY(thread == NULL))
		return free_any(heap, object);
	bool inside = lg_gate_is_inside(thread);
	if (!inside && LG_UNLIKELY(!lg_gate_pass(heap, thread)))
		goto miss;
	if (LG_UNLIKELY(!find_described(heap, object, &found) ||
			found.chunk->class == LG_SLAB_CLASSES))
		goto miss;
	struct lg_heap_magazine *magazine = &thread->magazines[found.chunk->class];
	struct lg_slot *slot = magazine->top;
	if (LG_UNLIKELY(slot == magazine->ceiling))
		goto miss;
	lg_store_relaxed(found.live, 0);
	*slot = (struct lg_slot){ object, found.live };
	magazine->top = slot + 1;
	lg_own_add(&thread->frees, 1);
	if (!inside)
		lg_gate_passed(thread);
	return 0;
miss:
	if (!inside)
		lg_gate_passed(thread);
	return free_any(heap, object);
}

/* Inside the gate, or where nothing changes. */
static uint64_t usable(struct lg_heap *heap, const void *object, const struct found *found)
{
	if (found->chunk->class != LG_SLAB_CLASSES)
		return lg_heap_class_bytes(found->chunk->class);
	if (found->value != LG_LIVE_LARGE)
		return (uint64_t)found->value << LG_UNIT_SHIFT;
	uint64_t first = (uint64_t)((const char *)object - heap->base) >> LG_UNIT_SHIFT;
	pthread_mutex_lock(&heap->space_lock);
	uint64_t units = lg_space_units(heap, first);
	pthread_mutex_unlock(&heap->space_lock);
	return units << LG_UNIT_SHIFT;
}

size_t lg_heap_usable_size(lg_heap *heap, const void *object)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);
	struct found found;
	size_t bytes = 0;

	if (object == NULL || thread == NULL)
		return 0;
	bool inside = lg_gate_enter(heap, thread); /* not so where nothing changes */
	if (lg_load_relaxed(&heap->gate) != LG_GATE_DEAD && find(heap, object, &found))
		bytes = usable(heap, object, &found);
	if (inside)
		lg_gate_leave(thread);
	return bytes;
}

/* Units at the end come and go in place where they can. */
static bool resize_in_place(struct lg_heap *heap, void *object, const struct found *found,
			    uint64_t bytes)
{
	uint64_t have = usable(heap, object, found);

	if (found->chunk->class != LG_SLAB_CLASSES)
		return bytes <= have && lg_heap_class_of(bytes) == found->chunk->class;
	uint64_t units = (bytes + LG_UNIT - 1) >> LG_UNIT_SHIFT, old = have >> LG_UNIT_SHIFT;
	uint64_t first = (uint64_t)((char *)object - heap->base) >> LG_UNIT_SHIFT;
	if (bytes <= LG_SLAB_MAX)
		return false;
	if (units < old)
		lg_space_give(heap, first, units);
	return units <= old || lg_space_grow(heap, first, old, units - old);
}

static void *resize(struct lg_heap *heap, struct lg_heap_thread *thread, void *object,
		    uint64_t bytes)
{
	struct found found;
	bool fresh;

	if (!find(heap, object, &found))
		return no_memory(not_live(heap, object));
	if (resize_in_place(heap, object, &found, bytes))
		return object;
	void *moved = alloc(heap, thread, bytes, &fresh);
	if (moved == NULL)
		return NULL;
	memcpy(moved, object, lg_min(bytes, usable(heap, object, &found)));
	give(heap, thread, object, &found);
	return moved;
}

void *lg_heap_realloc(lg_heap *heap, void *object, size_t bytes)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);

	if (object == NULL)
		return lg_heap_alloc(heap, bytes);
	if (thread == NULL)
		return no_memory(no_record());
	if (!lg_gate_enter(heap, thread))
		return no_memory(refuse(heap));
	void *moved = resize(heap, thread, object, bytes);
	lg_gate_leave(thread);
	return moved;
}

lg_ref lg_heap_ref(const lg_heap *heap, const void *address)
{
	uint64_t offset = (uint64_t)((uintptr_t)address - (uintptr_t)heap->base);

	return offset < heap->bytes ? offset : 0;
}

void *lg_heap_at(const lg_heap *heap, lg_ref ref)
{
	return ref != 0 && ref < heap->bytes ? heap->base + ref : NULL;
}

void lg_heap_begin(lg_heap *heap)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);

	if (LG_LIKELY(thread != NULL))
		(void)lg_gate_enter(heap, thread); /* refused: nothing can be changed anyway */
	else
		lg_gate_enter_as_guest(heap);
}

void lg_heap_end(lg_heap *heap)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);

	if (LG_LIKELY(thread != NULL && lg_load_relaxed(&thread->inside) > 0))
		lg_gate_leave(thread);
	else
		lg_gate_leave_as_guest(heap);
}
