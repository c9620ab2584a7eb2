/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * wiro_f, wiro_l: writes in, reads out. Dirty pages, which cost a write, stay longer than clean ones.
 *
 * The middle. The list is kept as its front half and its back half, of n / 2 pages and the rest, so that
 * what goes to the middle goes between them; after each step at most one page crosses over.
 *
 * Clean first. The clean pages of each half are a list of their own in the same order. That needs no search
 * where one enters: clean pages enter only at the front or in the middle of all, and only the clean page that
 * crosses over is at an end of both.
 */
#include "pager/order.h"
#include "pager/policy.h"

enum half { FRONT, BACK, HALVES };

enum {
	IN_BACK = 1,
	DIRTY = 2,
};

struct wiro {
	size_t bytes;
	uint32_t capacity;
	bool front_leaves; /* wiro_l */
	struct lg_order all[HALVES];
	struct lg_order clean[HALVES];
	struct lg_link *links;       /* of all */
	struct lg_link *clean_links; /* of clean */
	uint8_t *flags;
};

static void *wiro_create(uint32_t capacity, bool front_leaves)
{
	size_t bytes = sizeof(struct wiro) + (size_t)capacity * (2 * sizeof(struct lg_link) + 1);
	struct wiro *wiro = lg_policy_memory(bytes);

	if (wiro == NULL)
		return NULL;
	wiro->bytes = bytes;
	wiro->capacity = capacity;
	wiro->front_leaves = front_leaves;
	wiro->links = (struct lg_link *)(void *)(wiro + 1);
	wiro->clean_links = wiro->links + capacity;
	wiro->flags = (uint8_t *)(wiro->clean_links + capacity);
	return wiro;
}

static void *wiro_f_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)target;
	(void)argument;
	return wiro_create(capacity, false);
}

static void *wiro_l_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)target;
	(void)argument;
	return wiro_create(capacity, true);
}

static void wiro_destroy(void *state)
{
	struct wiro *wiro = state;

	lg_policy_memory_end(wiro, wiro->bytes);
}

static bool is_dirty(const struct wiro *wiro, uint32_t handle)
{
	return (wiro->flags[handle] & DIRTY) != 0;
}

static void take(struct wiro *wiro, uint32_t handle)
{
	enum half half = (wiro->flags[handle] & IN_BACK) != 0 ? BACK : FRONT;

	lg_order_take(&wiro->all[half], wiro->links, handle);
	if (!is_dirty(wiro, handle))
		lg_order_take(&wiro->clean[half], wiro->clean_links, handle);
}

static void push_front(struct wiro *wiro, enum half half, uint32_t handle)
{
	lg_order_push_front(&wiro->all[half], wiro->links, handle);
	if (!is_dirty(wiro, handle))
		lg_order_push_front(&wiro->clean[half], wiro->clean_links, handle);
	wiro->flags[handle] = (uint8_t)((wiro->flags[handle] & DIRTY) | (half == BACK));
}

static void push_back(struct wiro *wiro, enum half half, uint32_t handle)
{
	lg_order_push_back(&wiro->all[half], wiro->links, handle);
	if (!is_dirty(wiro, handle))
		lg_order_push_back(&wiro->clean[half], wiro->clean_links, handle);
	wiro->flags[handle] = (uint8_t)((wiro->flags[handle] & DIRTY) | (half == BACK));
}

/* The front half has n / 2 pages again. */
static void balance(struct wiro *wiro)
{
	struct lg_order *front = &wiro->all[FRONT], *back = &wiro->all[BACK];

	if (front->count > back->count) {
		uint32_t handle = lg_order_back(front);

		take(wiro, handle);
		push_front(wiro, BACK, handle);
	} else if (back->count > front->count + 1) {
		uint32_t handle = lg_order_front(back);

		take(wiro, handle);
		push_back(wiro, FRONT, handle);
	}
}

/* What would leave early goes far from where pages leave, or to the middle. */
static void place(struct wiro *wiro, uint32_t handle)
{
	if (is_dirty(wiro, handle) != wiro->front_leaves)
		push_front(wiro, FRONT, handle);
	else
		push_back(wiro, FRONT, handle); /* the middle: between the halves */
	balance(wiro);
}

static void wiro_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct wiro *wiro = state;

	(void)key;
	LG_ASSERT(handle < wiro->capacity);
	wiro->flags[handle] = how == LG_REFERENCE_WRITE ? DIRTY : 0;
	place(wiro, handle);
}

static void wiro_remove(void *state, uint32_t handle)
{
	struct wiro *wiro = state;

	take(wiro, handle);
	balance(wiro);
}

static void wiro_touch(void *state, uint32_t handle, enum lg_reference how)
{
	struct wiro *wiro = state;

	wiro_remove(wiro, handle);
	if (how == LG_REFERENCE_WRITE)
		wiro->flags[handle] |= DIRTY;
	place(wiro, handle);
}

static uint32_t wiro_f_victim(void *state)
{
	struct wiro *wiro = state;
	const struct lg_order *const in_turn[] = { &wiro->clean[BACK], &wiro->clean[FRONT],
						   &wiro->all[BACK] };

	for (unsigned i = 0; i < sizeof(in_turn) / sizeof(in_turn[0]); i++) {
		uint32_t handle = lg_order_back(in_turn[i]);

		if (handle == LG_NO_PAGE)
			continue;
		wiro_remove(wiro, handle);
		return handle;
	}
	return LG_NO_PAGE; /* the front half has none either then */
}

static uint32_t wiro_l_victim(void *state)
{
	struct wiro *wiro = state;
	enum half half = wiro->all[FRONT].count > 0 ? FRONT : BACK;
	uint32_t handle = lg_order_front(&wiro->all[half]);

	if (handle != LG_NO_PAGE)
		wiro_remove(wiro, handle);
	return handle;
}

static void wiro_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct wiro *wiro = state;

	(void)key;
	if (wiro->front_leaves)
		push_front(wiro, FRONT, handle);
	else
		push_back(wiro, BACK, handle);
	balance(wiro);
}

const struct lg_policy_ops lg_policy_wiro_f = {
	.size = sizeof(struct lg_policy_ops),
	.name = "wiro_f",
	.create = wiro_f_create,
	.destroy = wiro_destroy,
	.fill = wiro_fill,
	.touch = wiro_touch,
	.victim = wiro_f_victim,
	.put_back = wiro_put_back,
	.remove = wiro_remove,
};

const struct lg_policy_ops lg_policy_wiro_l = {
	.size = sizeof(struct lg_policy_ops),
	.name = "wiro_l",
	.create = wiro_l_create,
	.destroy = wiro_destroy,
	.fill = wiro_fill,
	.touch = wiro_touch,
	.victim = wiro_l_victim,
	.put_back = wiro_put_back,
	.remove = wiro_remove,
};

/* The clean list of a half is what is clean of all, in the same order. */
static void check_half(const struct wiro *wiro, enum half half)
{
	uint32_t clean = wiro->clean[half].front;

	lg_order_check(&wiro->all[half], wiro->links, wiro->capacity);
	lg_order_check(&wiro->clean[half], wiro->clean_links, wiro->capacity);
	for (uint32_t at = wiro->all[half].front; at != 0; at = wiro->links[at - 1].after) {
		LG_REQUIRE(((wiro->flags[at - 1] & IN_BACK) != 0) == (half == BACK));
		if (is_dirty(wiro, at - 1))
			continue;
		LG_REQUIRE(clean == at);
		clean = wiro->clean_links[clean - 1].after;
	}
	LG_REQUIRE(clean == 0);
}

static uint64_t wiro_bytes(const void *state, uint32_t handles)
{
	const struct wiro *wiro = state;

	return handles * (sizeof(*wiro->links) + sizeof(*wiro->clean_links) + sizeof(*wiro->flags));
}

static void wiro_check(const void *state)
{
	const struct wiro *wiro = state;

	check_half(wiro, FRONT);
	check_half(wiro, BACK);
	LG_REQUIRE(wiro->all[BACK].count - wiro->all[FRONT].count <= 1);
}

uint64_t lg_policy_wiro_f_bytes(const void *state, uint32_t handles)
{
	return wiro_bytes(state, handles);
}

void lg_policy_wiro_f_check(const void *state)
{
	wiro_check(state);
}

uint64_t lg_policy_wiro_l_bytes(const void *state, uint32_t handles)
{
	return wiro_bytes(state, handles);
}

void lg_policy_wiro_l_check(const void *state)
{
	wiro_check(state);
}
