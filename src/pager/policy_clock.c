/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * clock. The ring is a list whose back follows the hand: what the hand passes over goes to the back.
 *
 * What is seen of a page's use: that it was used again in limbo, or written after it was read. A page in
 * use that never faults looks like one that rests, as in any pager without the processor's referenced
 * bit; limbo gives it the chance to be seen.
 */
#include "pager/order.h"
#include "pager/policy.h"

enum {
	REFERENCED = 1,
	AHEAD = 2, /* read ahead and not touched so far */
};

struct clock {
	size_t bytes;
	uint32_t capacity;
	struct lg_order ring; /* the hand is at the front */
	struct lg_link *links;
	uint8_t *flags;
};

static void *clock_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t bytes = sizeof(struct clock) + (size_t)capacity * (sizeof(struct lg_link) + 1);
	struct clock *clock = lg_policy_memory(bytes);

	(void)target;
	(void)argument;
	if (clock == NULL)
		return NULL;
	clock->bytes = bytes;
	clock->capacity = capacity;
	clock->links = (struct lg_link *)(void *)(clock + 1);
	clock->flags = (uint8_t *)(clock->links + capacity);
	return clock;
}

static void clock_destroy(void *state)
{
	struct clock *clock = state;

	lg_policy_memory_end(clock, clock->bytes);
}

static void clock_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct clock *clock = state;

	(void)key;
	LG_ASSERT(handle < clock->capacity);
	clock->flags[handle] = how == LG_REFERENCE_PREFETCH ? AHEAD : 0;
	lg_order_push_back(&clock->ring, clock->links, handle);
}

static void clock_touch(void *state, uint32_t handle, enum lg_reference how)
{
	struct clock *clock = state;

	(void)how;
	clock->flags[handle] = clock->flags[handle] == AHEAD ? 0 : REFERENCED;
}

static uint32_t clock_victim(void *state)
{
	struct clock *clock = state;
	uint32_t handle;

	while ((handle = lg_order_pop_front(&clock->ring, clock->links)) != LG_NO_PAGE) {
		if (clock->flags[handle] != REFERENCED)
			break;
		clock->flags[handle] = 0;
		lg_order_push_back(&clock->ring, clock->links, handle);
	}
	return handle;
}

static void clock_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct clock *clock = state;

	(void)key;
	lg_order_push_front(&clock->ring, clock->links, handle);
}

static void clock_remove(void *state, uint32_t handle)
{
	struct clock *clock = state;

	lg_order_take(&clock->ring, clock->links, handle);
}

const struct lg_policy_ops lg_policy_clock = {
	.size = sizeof(struct lg_policy_ops),
	.name = "clock",
	.create = clock_create,
	.destroy = clock_destroy,
	.fill = clock_fill,
	.touch = clock_touch,
	.victim = clock_victim,
	.put_back = clock_put_back,
	.remove = clock_remove,
};

void lg_policy_clock_check(const void *state)
{
	const struct clock *clock = state;

	lg_order_check(&clock->ring, clock->links, clock->capacity);
	for (uint32_t at = clock->ring.front; at != 0; at = clock->links[at - 1].after)
		LG_REQUIRE(clock->flags[at - 1] <= AHEAD);
}
