/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * clock. The ring is a list whose back follows the hand: what the hand passes over goes to the back.
 *
 * Pages that are read ahead stand in a queue of their own, and leave from there as long as they are more than an eighth of
 * all: a scan drives itself out, not what others use. A page that comes again soon after it left the queue, as those
 * of a cycle that nearly fits, goes to the ring; so does one whose second use is seen.
 *
 * What is seen of a page's use: that it was used again in limbo, or written after it was read. A page in
 * use that never faults looks like one that rests, as in any pager without the processor's referenced
 * bit; limbo gives it the chance to be seen.
 */
#include "pager/ghost.h"
#include "pager/order.h"
#include "pager/policy.h"

enum {
	REFERENCED = 1,
	AHEAD = 2,  /* read ahead and not touched so far */
	QUEUED = 4, /* in the queue */
	QUEUE_PART = 8,
};

struct clock {
	size_t bytes;
	uint32_t capacity;
	struct lg_order ring;    /* the hand is at the front */
	struct lg_order queue;   /* the oldest at the front */
	struct lg_ghosts ghosts; /* that left the queue */
	uint64_t *keys;
	struct lg_link *links;
	uint8_t *flags;
};

/* As many as there are pages in all. */
static uint32_t ghosts_of(uint32_t capacity, uint32_t target)
{
	return target > 0 && target < capacity ? target : capacity;
}

static void *clock_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t own = sizeof(struct clock) +
		     (size_t)capacity * (sizeof(uint64_t) + sizeof(struct lg_link));
	size_t bytes = own + lg_ghosts_bytes(capacity) + capacity;
	struct clock *clock = lg_policy_memory(bytes);

	(void)argument;
	if (clock == NULL)
		return NULL;
	clock->bytes = bytes;
	clock->capacity = capacity;
	clock->keys = (uint64_t *)(void *)(clock + 1);
	clock->links = (struct lg_link *)(void *)(clock->keys + capacity);
	lg_ghosts_init(&clock->ghosts, clock->links + capacity, capacity,
		       ghosts_of(capacity, target));
	clock->flags = (uint8_t *)clock + own + lg_ghosts_bytes(capacity);
	return clock;
}

static void clock_destroy(void *state)
{
	struct clock *clock = state;

	lg_policy_memory_end(clock, clock->bytes);
}

static void clock_retarget(void *state, uint32_t target)
{
	struct clock *clock = state;

	lg_ghosts_rebound(&clock->ghosts, ghosts_of(clock->capacity, target));
}

static struct lg_order *list_of(struct clock *clock, uint32_t handle)
{
	return (clock->flags[handle] & QUEUED) != 0 ? &clock->queue : &clock->ring;
}

static void clock_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct clock *clock = state;
	bool is_ahead = how == LG_REFERENCE_PREFETCH,
	     was_here = lg_ghosts_take(&clock->ghosts, key);

	LG_ASSERT(handle < clock->capacity);
	clock->keys[handle] = key;
	clock->flags[handle] = 0;
	if (is_ahead)
		clock->flags[handle] = was_here ? AHEAD : AHEAD | QUEUED;
	lg_order_push_back(list_of(clock, handle), clock->links, handle);
}

static void clock_touch(void *state, uint32_t handle, enum lg_reference how)
{
	struct clock *clock = state;
	uint8_t *flags = &clock->flags[handle];

	(void)how;
	if ((*flags & AHEAD) != 0)
		*flags &= (uint8_t)~AHEAD;
	else
		*flags |= REFERENCED;
}

/* The oldest of the queue; what was met again goes to the ring. LG_NO_PAGE: all were. */
static uint32_t victim_of_queue(struct clock *clock)
{
	uint32_t handle;

	while ((handle = lg_order_pop_front(&clock->queue, clock->links)) != LG_NO_PAGE) {
		if ((clock->flags[handle] & REFERENCED) == 0) {
			lg_ghosts_add(&clock->ghosts, clock->keys[handle]);
			break;
		}
		clock->flags[handle] = 0;
		lg_order_push_back(&clock->ring, clock->links, handle);
	}
	return handle;
}

static uint32_t victim_of_ring(struct clock *clock)
{
	uint32_t handle;

	while ((handle = lg_order_pop_front(&clock->ring, clock->links)) != LG_NO_PAGE) {
		if ((clock->flags[handle] & REFERENCED) == 0)
			break;
		clock->flags[handle] = 0;
		lg_order_push_back(&clock->ring, clock->links, handle);
	}
	return handle;
}

static uint32_t clock_victim(void *state)
{
	struct clock *clock = state;
	uint32_t handle = LG_NO_PAGE, all = clock->ring.count + clock->queue.count;

	if (clock->queue.count > all / QUEUE_PART)
		handle = victim_of_queue(clock);
	if (handle == LG_NO_PAGE)
		handle = victim_of_ring(clock);
	return handle != LG_NO_PAGE ? handle : victim_of_queue(clock);
}

static void clock_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct clock *clock = state;

	if ((clock->flags[handle] & QUEUED) != 0)
		(void)lg_ghosts_take(&clock->ghosts, key);
	lg_order_push_front(list_of(clock, handle), clock->links, handle);
}

static void clock_remove(void *state, uint32_t handle)
{
	struct clock *clock = state;

	lg_order_take(list_of(clock, handle), clock->links, handle);
}

const struct lg_policy_ops lg_policy_clock = {
	.size = sizeof(struct lg_policy_ops),
	.name = "clock",
	.create = clock_create,
	.destroy = clock_destroy,
	.retarget = clock_retarget,
	.fill = clock_fill,
	.touch = clock_touch,
	.victim = clock_victim,
	.put_back = clock_put_back,
	.remove = clock_remove,
};

uint64_t lg_policy_clock_bytes(const void *state, uint32_t handles)
{
	const struct clock *clock = state;

	return handles * (sizeof(*clock->keys) + sizeof(*clock->links) + sizeof(*clock->flags)) +
	       lg_ghosts_taken(&clock->ghosts);
}

void lg_policy_clock_check(const void *state)
{
	const struct clock *clock = state;

	lg_order_check(&clock->ring, clock->links, clock->capacity);
	lg_order_check(&clock->queue, clock->links, clock->capacity);
	for (uint32_t at = clock->ring.front; at != 0; at = clock->links[at - 1].after)
		LG_REQUIRE(clock->flags[at - 1] <= AHEAD);
	for (uint32_t at = clock->queue.front; at != 0; at = clock->links[at - 1].after)
		LG_REQUIRE((clock->flags[at - 1] & QUEUED) != 0);
	LG_REQUIRE(lg_ghosts_check(&clock->ghosts) <= clock->ghosts.bound);
}
