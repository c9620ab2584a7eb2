/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/thread.h"

#include "base/error.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Thread_local struct lg_heap_place lg_heap_places[LG_HEAP_PLACES];

static pthread_mutex_t heaps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lg_heap *heaps;
static _Atomic(uint64_t) heaps_changes; /* how often `heaps` did */
static bool started, has_exit_hook;
static int fork_hooks_error;
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

/* Under the lock. */
static void note_change(void)
{
	lg_store_release(&heaps_changes, lg_load_relaxed(&heaps_changes) + 1);
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
	note_change();
	pthread_mutex_unlock(&heaps_lock);
}

/*
 * At load: a fork under way has no handlers that come later, and one that meets the first heap could leave the lock taken. It also runs after
 * the program's own, which may ask for a heap under locks that its handlers take.
 */
__attribute__((constructor)) static void register_fork_hooks(void)
{
	fork_hooks_error = lg_os_fork_hooks(before_fork, after_fork, in_child);
}

static bool is_named(const char *name)
{
	for (const struct lg_heap *heap = heaps; heap != NULL; heap = heap->next_open)
		if (strcmp(heap->name, name) == 0)
			return true;
	return false;
}

/* For a label: what is no letter, digit, dot or - is _, and two open heaps are never called the same. */
static void name_heap(struct lg_heap *heap, const char *path)
{
	enum { NUMBER_BYTES = 12 };
	const char *slash = strrchr(path, '/'), *from = slash != NULL ? slash + 1 : path;
	size_t length = strnlen(from, sizeof(heap->name) - NUMBER_BYTES - 1);
	unsigned number = 1;

	for (size_t i = 0; i < length; i++) {
		char c = from[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '-';

		heap->name[i] = plain ? c : '_';
	}
	heap->name[length] = '\0';
	while (is_named(heap->name))
		snprintf(heap->name + length, NUMBER_BYTES + 1, "-%u", ++number);
}

int lg_heap_register(struct lg_heap *heap, const char *path)
{
	static uint64_t ids;

	if (fork_hooks_error != 0)
		return fork_hooks_error;
	pthread_mutex_lock(&heaps_lock);
	if (!started)
		has_exit_hook = lg_os_exit_hook_make_another(leave_all, &exit_hook) == 0;
	started = true;
	heap->id = ++ids;
	name_heap(heap, path);
	heap->place = (uint32_t)(heap->id % LG_HEAP_PLACES * sizeof(struct lg_heap_place));
	heap->next_open = heaps;
	heaps = heap;
	note_change();
	pthread_mutex_unlock(&heaps_lock);
	return 0;
}

void lg_heap_unregister(struct lg_heap *heap)
{
	pthread_mutex_lock(&heaps_lock);
	for (struct lg_heap **link = &heaps; *link != NULL; link = &(*link)->next_open)
		if (*link == heap) {
			*link = heap->next_open;
			break;
		}
	note_change();
	pthread_mutex_unlock(&heaps_lock);
}

void lg_heap_each(void (*look)(void *argument, struct lg_heap *heap), void *argument)
{
	pthread_mutex_lock(&heaps_lock);
	for (struct lg_heap *heap = heaps; heap != NULL; heap = heap->next_open)
		look(argument, heap);
	pthread_mutex_unlock(&heaps_lock);
}

static bool is_inside(const struct lg_heap *heap, const void *address)
{
	return (uintptr_t)address - (uintptr_t)heap->base < heap->bytes;
}

/*
 * Containers ask at each allocation, mostly of the same heap. What a thread found last it finds again without the lock,
 * as long as no heap has come or gone.
 */
lg_heap *lg_heap_of(const void *address)
{
	static _Thread_local struct lg_heap *last __attribute__((tls_model("initial-exec")));
	static _Thread_local uint64_t last_changes __attribute__((tls_model("initial-exec")));

	if (last != NULL && last_changes == lg_load_acquire(&heaps_changes) &&
	    is_inside(last, address))
		return last;
	pthread_mutex_lock(&heaps_lock);
	struct lg_heap *heap = heaps;
	while (heap != NULL && !is_inside(heap, address))
		heap = heap->next_open;
	last = heap;
	last_changes = lg_load_relaxed(&heaps_changes);
	pthread_mutex_unlock(&heaps_lock);
	return heap;
}
