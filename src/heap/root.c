/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Roots: a table of fixed places in the image, open addressing. One that is removed keeps its place in the search,
 * until a later one takes it.
 */
#include "heap/root.h"

#include "base/crc.h"
#include "base/error.h"
#include "heap/gate.h"
#include "heap/thread.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)LG_HEAP_NAME_MAX == (int)LG_ROOT_NAME - 1, "the public bound is the format's");
_Static_assert((int)LG_HEAP_ROOTS_MAX == (int)LG_ROOTS, "the public bound is the format's");

struct lg_root *lg_root_table(const struct lg_heap *heap)
{
	return (struct lg_root *)(void *)(heap->base + LG_ROOTS_OFFSET);
}

/* The root of this name, or NULL; *place is then where it would go, or NULL: nowhere. */
static struct lg_root *find(const struct lg_heap *heap, const char *name, size_t length,
			    struct lg_root **place)
{
	struct lg_root *table = lg_root_table(heap), *free = NULL;
	uint32_t hash = lg_crc32c(0, name, length);

	for (uint32_t i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &table[(hash + i) % LG_ROOTS];

		if (root->state != LG_ROOT_USED && free == NULL)
			free = root;
		if (root->state == LG_ROOT_EMPTY)
			break;
		if (root->state == LG_ROOT_USED && root->hash == hash &&
		    strncmp(root->name, name, LG_ROOT_NAME) == 0)
			return root;
	}
	*place = free;
	return NULL;
}

static int set(struct lg_heap *heap, const char *name, size_t length, lg_ref ref)
{
	struct lg_root *place = NULL, *root = find(heap, name, length, &place);

	if (root != NULL && ref == 0) {
		root->state = LG_ROOT_REMOVED;
		return 0;
	}
	if (root != NULL) {
		root->ref = ref;
		return 0;
	}
	if (ref == 0)
		return 0;
	if (place == NULL)
		return lg_fail(ENOSPC, "a heap has at most %d roots", LG_HEAP_ROOTS_MAX);
	place->ref = ref;
	place->hash = lg_crc32c(0, name, length);
	memset(place->name, 0, sizeof(place->name));
	memcpy(place->name, name, length);
	/* Last: of a shared mapping a killed process leaves any prefix of this. */
	__atomic_store_n(&place->state, LG_ROOT_USED, __ATOMIC_RELEASE);
	return 0;
}

static size_t length_of(const char *name)
{
	size_t length = name != NULL ? strnlen(name, LG_ROOT_NAME) : 0;

	return length < LG_ROOT_NAME ? length : 0;
}

int lg_heap_root_set(lg_heap *heap, const char *name, lg_ref ref)
{
	struct lg_heap_thread *thread = lg_heap_thread_of(heap);
	size_t length = length_of(name);

	if (length == 0)
		return lg_fail(EINVAL, "a root's name has 1 to %d bytes", LG_HEAP_NAME_MAX);
	if (ref >= heap->bytes)
		return lg_fail(EINVAL, "%#llx is no ref of the heap", (unsigned long long)ref);
	if (thread == NULL)
		return lg_fail(ENOMEM, "no memory for the thread's cache");
	if (!lg_gate_enter(heap, thread))
		return lg_fail(EROFS,
			       "the heap may not be changed: it is read-only, failed, or closed");
	pthread_mutex_lock(&heap->space_lock);
	int error = set(heap, name, length, ref);
	pthread_mutex_unlock(&heap->space_lock);
	lg_gate_leave(thread);
	return error;
}

/* What only reads may read while the gate is closed: the lock is enough, since a commit changes no root. */
lg_ref lg_heap_root_get(const lg_heap *heap, const char *name)
{
	struct lg_heap *mutable = (struct lg_heap *)(uintptr_t)heap;
	struct lg_root *place, *root = NULL;
	size_t length = length_of(name);

	if (length == 0 || lg_load_relaxed(&heap->gate) == LG_GATE_DEAD)
		return 0;
	pthread_mutex_lock(&mutable->space_lock);
	root = find(heap, name, length, &place);
	lg_ref ref = root != NULL ? root->ref : 0;
	pthread_mutex_unlock(&mutable->space_lock);
	return ref;
}

int lg_heap_root_next(lg_heap *heap, uint64_t *cursor, char *name, lg_ref *ref)
{
	const struct lg_root *table = lg_root_table(heap);
	int given = 0;

	if (lg_load_relaxed(&heap->gate) == LG_GATE_DEAD)
		return 0;
	pthread_mutex_lock(&heap->space_lock);
	for (; *cursor < LG_ROOTS && given == 0; ++*cursor) {
		const struct lg_root *root = &table[*cursor];

		if (root->state != LG_ROOT_USED)
			continue;
		memcpy(name, root->name, LG_ROOT_NAME);
		name[LG_ROOT_NAME - 1] = '\0';
		*ref = root->ref;
		given = 1;
	}
	pthread_mutex_unlock(&heap->space_lock);
	return given;
}
