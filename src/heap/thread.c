/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/thread.h"

#include "base/error.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>

_Thread_local struct lg_heap_place lg_heap_places[LG_HEAP_PLACES];

static pthread_mutex_t heaps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lg_heap *heaps;
static bool started, has_exit_hook;
static unsigned exit_hook;

/* An address of the thread's own: no other living thread has it. */
static uintptr_t token(void)
{
	return (uintptr_t)lg_heap_places;
}

static struct lg_heap_thread *find(struct lg_heap *heap)
{
	struct lg_heap_thread *thread = lg_load_acquire(&heap->threads);

	/* An owner cannot leave or come while it looks for itself. */
	for (; thread != NULL; thread = thread->next)
		if (__atomic_load_n(&thread->owner, __ATOMIC_RELAXED) == token() &&
		    lg_load_acquire(&thread->state) == LG_THREAD_OWNED)
			return thread;
	return NULL;
}

static struct lg_heap_thread *adopt(struct lg_heap *heap)
{
	for (struct lg_heap_thread *thread = lg_load_acquire(&heap->threads); thread != NULL;
	     thread = thread->next)
		if (lg_load_acquire(&thread->state) == LG_THREAD_ABANDONED) {
			__atomic_store_n(&thread->owner, token(), __ATOMIC_RELAXED);
			lg_store_release(&thread->state, LG_THREAD_OWNED);
			return thread;
		}
	return NULL;
}

static struct lg_heap_thread *make(struct lg_heap *heap)
{
	void *memory;

	if (lg_os_map_record(sizeof(struct lg_heap_thread), &memory) != 0)
		return NULL;
	struct lg_heap_thread *thread = memory;
	thread->owner = token();
	for (unsigned i = 0; i < LG_HEAP_CLASSES; i++)
		thread->magazines[i] =
			(struct lg_heap_magazine){ thread->slots[i], thread->slots[i],
						   thread->slots[i] +
							   heap->classes[i].magazine_max };
	thread->next = lg_load_relaxed(&heap->threads);
	lg_store_release(&heap->threads, thread);
	return thread;
}

LG_OUT_OF_LINE struct lg_heap_thread *lg_heap_thread_attach(struct lg_heap *heap)
{
	struct lg_heap_place *place = &lg_heap_places[heap->id % LG_HEAP_PLACES];
	struct lg_heap_thread *thread = find(heap);

	if (thread == NULL) {
		pthread_mutex_lock(&heap->threads_lock);
		thread = adopt(heap);
		if (thread == NULL)
			thread = make(heap);
		pthread_mutex_unlock(&heap->threads_lock);
		if (thread == NULL)
			return NULL;
		if (has_exit_hook)
			(void)lg_os_exit_hook_set_another(exit_hook, place);
	}
	place->id = heap->id;
	place->thread = thread;
	return thread;
}

void lg_heap_thread_forget(struct lg_heap *heap)
{
	struct lg_heap_thread *next, *thread = lg_load_relaxed(&heap->threads);

	for (; thread != NULL; thread = next) {
		next = thread->next;
		lg_os_unreserve(thread, sizeof(*thread));
	}
	lg_store_relaxed(&heap->threads, NULL);
}

/* A thread ends. Inside a begin it is no more, whatever it left undone. */
static void leave_all(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&heaps_lock);
	for (struct lg_heap *heap = heaps; heap != NULL; heap = heap->next_open) {
		struct lg_heap_thread *thread = find(heap);

		if (thread == NULL)
			continue;
		lg_store_release(&thread->inside, 0); /* G2 */
		lg_store_release(&thread->state, LG_THREAD_ABANDONED);
	}
	for (unsigned i = 0; i < LG_HEAP_PLACES; i++)
		lg_heap_places[i] = (struct lg_heap_place){ 0, NULL };
	pthread_mutex_unlock(&heaps_lock);
}

static void before_fork(void)
{
	pthread_mutex_lock(&heaps_lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&heaps_lock);
}

/* A child of fork has no mapping of the heap, and gives back its descriptors: the lock is the parent's alone. */
static void in_child(void)
{
	for (struct lg_heap *heap = heaps; heap != NULL; heap = heap->next_open) {
		lg_store_relaxed(&heap->gate, LG_GATE_DEAD);
		lg_os_disk_abandon(&heap->disk);
		if (heap->watching)
			lg_os_written_close(&heap->written);
		heap->watching = false;
	}
	heaps = NULL;
	pthread_mutex_unlock(&heaps_lock);
}

int lg_heap_register(struct lg_heap *heap)
{
	static uint64_t ids;
	int error = 0;

	pthread_mutex_lock(&heaps_lock);
	if (!started) {
		error = lg_os_fork_hooks(before_fork, after_fork, in_child);
		has_exit_hook = lg_os_exit_hook_make_another(leave_all, &exit_hook) == 0;
		started = error == 0;
	}
	if (error == 0) {
		heap->id = ++ids;
		heap->place = (uint32_t)(heap->id % LG_HEAP_PLACES * sizeof(struct lg_heap_place));
		heap->next_open = heaps;
		heaps = heap;
	}
	pthread_mutex_unlock(&heaps_lock);
	return error;
}

void lg_heap_unregister(struct lg_heap *heap)
{
	pthread_mutex_lock(&heaps_lock);
	for (struct lg_heap **link = &heaps; *link != NULL; link = &(*link)->next_open)
		if (*link == heap) {
			*link = heap->next_open;
			break;
		}
	pthread_mutex_unlock(&heaps_lock);
}
