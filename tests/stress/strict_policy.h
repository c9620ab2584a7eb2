/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A user's policy, "strict": first in, first out, and claims that the pager keeps its side of lgalloc/pager.h: calls come one at
 * a time, a page is touched and removed while the policy has it, and is put back after the policy gave it up, under
 * the same key.
 */
#ifndef STRESS_STRICT_POLICY_H
#define STRESS_STRICT_POLICY_H

#include "stress/claim.h"

#include <lgalloc/pager.h>

#include <stdatomic.h>
#include <sys/mman.h>

enum { STRICT_NONE = 0 }; /* handles count from 1 here, so that a table of zeros is empty */

struct strict_page {
	uint64_t key;
	uint32_t before, behind;
	enum { STRICT_NEVER, STRICT_HAS, STRICT_GIVEN, STRICT_REMOVED } is;
};

struct strict_policy {
	uint32_t capacity;
	uint32_t front, back;
	atomic_bool called;
	struct strict_page pages[];
};

static inline struct strict_page *strict_enter(void *state, uint32_t handle)
{
	struct strict_policy *strict = state;

	CLAIM(!atomic_exchange(&strict->called, true));
	CLAIM(handle < strict->capacity);
	return &strict->pages[handle + 1];
}

static inline void strict_leave(void *state)
{
	atomic_store(&((struct strict_policy *)state)->called, false);
}

static inline void *strict_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t bytes =
		sizeof(struct strict_policy) + ((size_t)capacity + 1) * sizeof(struct strict_page);
	struct strict_policy *strict = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)argument;
	CLAIM(0 < target && target <= capacity);
	if (strict == MAP_FAILED)
		return NULL;
	strict->capacity = capacity;
	return strict;
}

static inline void strict_destroy(void *state)
{
	struct strict_policy *strict = state;

	CLAIM(strict->front == STRICT_NONE);
	CLAIM(munmap(strict, sizeof(*strict) + ((size_t)strict->capacity + 1) *
						       sizeof(struct strict_page)) == 0);
}

static inline void strict_retarget(void *state, uint32_t target)
{
	struct strict_policy *strict = state;

	(void)strict_enter(state, 0);
	CLAIM(0 < target && target <= strict->capacity);
	strict_leave(state);
}

/* Between these two, which are neighbours. */
static inline void strict_link(struct strict_policy *strict, uint32_t before, uint32_t behind)
{
	if (before != STRICT_NONE)
		strict->pages[before].behind = behind;
	else
		strict->front = behind;
	if (behind != STRICT_NONE)
		strict->pages[behind].before = before;
	else
		strict->back = before;
}

static inline void strict_take(struct strict_policy *strict, struct strict_page *page)
{
	CLAIM(page->is == STRICT_HAS);
	strict_link(strict, page->before, page->behind);
}

static inline void strict_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct strict_policy *strict = state;
	struct strict_page *page = strict_enter(state, handle);

	(void)how;
	CLAIM(page->is != STRICT_HAS);
	page->is = STRICT_HAS;
	page->key = key;
	strict_link(strict, strict->back, handle + 1);
	strict_link(strict, handle + 1, STRICT_NONE);
	strict_leave(state);
}

static inline void strict_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)how;
	CLAIM(strict_enter(state, handle)->is == STRICT_HAS);
	strict_leave(state);
}

static inline uint32_t strict_victim(void *state)
{
	struct strict_policy *strict = state;
	uint32_t handle = UINT32_MAX;

	(void)strict_enter(state, 0);
	if (strict->front != STRICT_NONE) {
		struct strict_page *page = &strict->pages[strict->front];

		handle = strict->front - 1;
		strict_take(strict, page);
		page->is = STRICT_GIVEN;
	}
	strict_leave(state);
	return handle;
}

static inline void strict_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct strict_policy *strict = state;
	struct strict_page *page = strict_enter(state, handle);

	CLAIM(page->is == STRICT_GIVEN);
	CLAIM(page->key == key);
	page->is = STRICT_HAS;
	strict_link(strict, handle + 1, strict->front);
	strict_link(strict, STRICT_NONE, handle + 1);
	strict_leave(state);
}

static inline void strict_remove(void *state, uint32_t handle)
{
	struct strict_page *page = strict_enter(state, handle);

	strict_take(state, page);
	page->is = STRICT_REMOVED;
	strict_leave(state);
}

/* Once in a process. */
static inline void strict_policy_register(void)
{
	static const struct lg_policy_ops ops = {
		.size = sizeof(ops),
		.name = "strict",
		.create = strict_create,
		.destroy = strict_destroy,
		.retarget = strict_retarget,
		.fill = strict_fill,
		.touch = strict_touch,
		.victim = strict_victim,
		.put_back = strict_put_back,
		.remove = strict_remove,
	};

	CLAIM(lg_policy_register(&ops, NULL) == 0);
}

#endif
