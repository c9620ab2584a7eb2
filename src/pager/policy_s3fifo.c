/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * s3fifo. As its paper has it, but for what counts as being met again: there two hits in the small queue,
 * where every access is seen. Here one, as a use that a pager sees at all (again in limbo, written after
 * it was read) stands for many that it does not.
 *
 * A page that was read ahead and never touched leaves no ghost: nobody has met it.
 */
#include "pager/ghost.h"
#include "pager/order.h"
#include "pager/policy.h"

enum {
	USES_MAX = 3,
	SMALL_PART = 10, /* the small queue is one in so many of the target */
};

struct page {
	uint64_t key;
	uint8_t uses;
	bool is_main;
	bool is_ahead; /* read ahead and not touched so far */
};

struct s3fifo {
	size_t bytes;
	uint32_t capacity;
	uint32_t small_target;
	struct lg_order small; /* both: newest at the front */
	struct lg_order main;
	struct lg_ghosts ghosts;
	struct page *pages;
	struct lg_link *links;
};

static uint32_t small_of(uint32_t target)
{
	return target >= SMALL_PART ? target / SMALL_PART : 1;
}

/* As many as there are pages in the main queue. */
static uint32_t ghosts_of(uint32_t capacity, uint32_t target)
{
	uint32_t small = small_of(target);
	uint32_t bound = target > small ? target - small : 1;

	return bound < capacity ? bound : capacity;
}

static void *s3fifo_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t own = sizeof(struct s3fifo) +
		     (size_t)capacity * (sizeof(struct page) + sizeof(struct lg_link));
	size_t bytes = own + lg_ghosts_bytes(capacity);
	struct s3fifo *s3fifo = lg_policy_memory(bytes);

	(void)argument;
	if (s3fifo == NULL)
		return NULL;
	s3fifo->bytes = bytes;
	s3fifo->capacity = capacity;
	s3fifo->small_target = small_of(target);
	s3fifo->pages = (struct page *)(void *)(s3fifo + 1);
	s3fifo->links = (struct lg_link *)(void *)(s3fifo->pages + capacity);
	lg_ghosts_init(&s3fifo->ghosts, s3fifo->links + capacity, capacity,
		       ghosts_of(capacity, target));
	return s3fifo;
}

static void s3fifo_destroy(void *state)
{
	struct s3fifo *s3fifo = state;

	lg_policy_memory_end(s3fifo, s3fifo->bytes);
}

static void s3fifo_retarget(void *state, uint32_t target)
{
	struct s3fifo *s3fifo = state;

	s3fifo->small_target = small_of(target);
	lg_ghosts_rebound(&s3fifo->ghosts, ghosts_of(s3fifo->capacity, target));
}

static struct lg_order *queue_of(struct s3fifo *s3fifo, uint32_t handle)
{
	return s3fifo->pages[handle].is_main ? &s3fifo->main : &s3fifo->small;
}

static void s3fifo_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct s3fifo *s3fifo = state;
	bool is_ahead = how == LG_REFERENCE_PREFETCH;

	LG_ASSERT(handle < s3fifo->capacity);
	s3fifo->pages[handle] = (struct page){
		.key = key,
		.is_main = !is_ahead && lg_ghosts_take(&s3fifo->ghosts, key),
		.is_ahead = is_ahead,
	};
	lg_order_push_front(queue_of(s3fifo, handle), s3fifo->links, handle);
}

static void s3fifo_touch(void *state, uint32_t handle, enum lg_reference how)
{
	struct s3fifo *s3fifo = state;
	struct page *page = &s3fifo->pages[handle];

	(void)how;
	if (!page->is_ahead) {
		if (page->uses < USES_MAX)
			page->uses++;
		return;
	}
	page->is_ahead = false;
	if (!lg_ghosts_take(&s3fifo->ghosts, page->key))
		return;
	lg_order_take(&s3fifo->small, s3fifo->links, handle);
	page->is_main = true;
	lg_order_push_front(&s3fifo->main, s3fifo->links, handle);
}

/* The oldest of the small queue; what was met again goes to the main one. LG_NO_PAGE: all were. */
static uint32_t victim_of_small(struct s3fifo *s3fifo)
{
	uint32_t handle;

	while ((handle = lg_order_pop_back(&s3fifo->small, s3fifo->links)) != LG_NO_PAGE) {
		struct page *page = &s3fifo->pages[handle];

		if (page->uses == 0) {
			if (!page->is_ahead)
				lg_ghosts_add(&s3fifo->ghosts, page->key);
			break;
		}
		page->uses = 0;
		page->is_main = true;
		lg_order_push_front(&s3fifo->main, s3fifo->links, handle);
	}
	return handle;
}

static uint32_t victim_of_main(struct s3fifo *s3fifo)
{
	uint32_t handle;

	while ((handle = lg_order_pop_back(&s3fifo->main, s3fifo->links)) != LG_NO_PAGE) {
		struct page *page = &s3fifo->pages[handle];

		if (page->uses == 0)
			break;
		page->uses--;
		lg_order_push_front(&s3fifo->main, s3fifo->links, handle);
	}
	return handle;
}

static uint32_t s3fifo_victim(void *state)
{
	struct s3fifo *s3fifo = state;
	uint32_t handle = LG_NO_PAGE;

	if (s3fifo->small.count >= s3fifo->small_target)
		handle = victim_of_small(s3fifo);
	if (handle == LG_NO_PAGE)
		handle = victim_of_main(s3fifo);
	if (handle == LG_NO_PAGE)
		handle = victim_of_small(s3fifo);
	return handle != LG_NO_PAGE ? handle : victim_of_main(s3fifo);
}

static void s3fifo_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct s3fifo *s3fifo = state;

	if (!s3fifo->pages[handle].is_main)
		(void)lg_ghosts_take(&s3fifo->ghosts, key);
	lg_order_push_back(queue_of(s3fifo, handle), s3fifo->links, handle);
}

static void s3fifo_remove(void *state, uint32_t handle)
{
	struct s3fifo *s3fifo = state;

	lg_order_take(queue_of(s3fifo, handle), s3fifo->links, handle);
}

const struct lg_policy_ops lg_policy_s3fifo = {
	.size = sizeof(struct lg_policy_ops),
	.name = "s3fifo",
	.create = s3fifo_create,
	.destroy = s3fifo_destroy,
	.retarget = s3fifo_retarget,
	.fill = s3fifo_fill,
	.touch = s3fifo_touch,
	.victim = s3fifo_victim,
	.put_back = s3fifo_put_back,
	.remove = s3fifo_remove,
};

uint64_t lg_policy_s3fifo_bytes(const void *state, uint32_t handles)
{
	const struct s3fifo *s3fifo = state;

	return handles * (sizeof(*s3fifo->pages) + sizeof(*s3fifo->links)) +
	       lg_ghosts_taken(&s3fifo->ghosts);
}

void lg_policy_s3fifo_check(const void *state)
{
	const struct s3fifo *s3fifo = state;

	lg_order_check(&s3fifo->small, s3fifo->links, s3fifo->capacity);
	lg_order_check(&s3fifo->main, s3fifo->links, s3fifo->capacity);
	for (uint32_t at = s3fifo->small.front; at != 0; at = s3fifo->links[at - 1].after)
		LG_REQUIRE(!s3fifo->pages[at - 1].is_main);
	for (uint32_t at = s3fifo->main.front; at != 0; at = s3fifo->links[at - 1].after) {
		LG_REQUIRE(s3fifo->pages[at - 1].is_main);
		LG_REQUIRE(s3fifo->pages[at - 1].uses <= USES_MAX);
		LG_REQUIRE(!s3fifo->pages[at - 1].is_ahead);
	}
	LG_REQUIRE(lg_ghosts_check(&s3fifo->ghosts) <= s3fifo->ghosts.bound);
}
