/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A thread's records, one for each heap it uses. It finds them in a small table of its own, by the heap's place,
 * and by the heap's id, which no later heap gets: a record of a closed heap is never looked at. Two heaps with
 * the same place push each other out, and are found again in the heap's list, by the thread's token.
 *
 * Records are made and adopted under the heap's threads_lock and unmapped when it closes. A thread's exit leaves
 * its records behind, with what they cache: the next commit takes it, or the thread that adopts them.
 */
#ifndef LG_HEAP_THREAD_H
#define LG_HEAP_THREAD_H

#include "heap/heap.h"

enum { LG_HEAP_PLACES = 16 };

struct lg_heap_place {
	uint64_t id;
	struct lg_heap_thread *thread;
};

extern _Thread_local struct lg_heap_place lg_heap_places[LG_HEAP_PLACES]
	__attribute__((tls_model("initial-exec")));

/* NULL: no memory for a record. */
struct lg_heap_thread *lg_heap_thread_attach(struct lg_heap *heap);

/* NULL: it is not in the thread's table, though it may have one. */
static inline struct lg_heap_thread *lg_heap_thread_seen(const struct lg_heap *heap)
{
	const struct lg_heap_place *place =
		(const struct lg_heap_place *)(const void *)((const char *)lg_heap_places +
							     heap->place);

	if (LG_UNLIKELY(place->id != heap->id))
		return NULL;
	if (place->thread == NULL) /* it never is: no second test in the caller */
		__builtin_unreachable();
	return place->thread;
}

static inline struct lg_heap_thread *lg_heap_thread_of(struct lg_heap *heap)
{
	struct lg_heap_thread *thread = lg_heap_thread_seen(heap);

	return LG_LIKELY(thread != NULL) ? thread : lg_heap_thread_attach(heap);
}

/* Unmaps all records. */
void lg_heap_thread_forget(struct lg_heap *heap);

/* All heaps open in this process, for exits of threads and forks. -errno. */
int lg_heap_register(struct lg_heap *heap, const char *path);
void lg_heap_unregister(struct lg_heap *heap);

/* Calls `look` for each, the newest first; none is closed meanwhile. It waits for nothing. */
void lg_heap_each(void (*look)(void *argument, struct lg_heap *heap), void *argument);

#endif
