/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* fifo, lifo, plru: one list, newest at the front. They differ in the end that leaves, and in touches. */
#include "pager/order.h"
#include "pager/policy.h"

struct queue {
	size_t bytes;
	uint32_t capacity;
	struct lg_order order;
	struct lg_link links[];
};

static void *queue_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t bytes = sizeof(struct queue) + (size_t)capacity * sizeof(struct lg_link);
	struct queue *queue = lg_policy_memory(bytes);

	(void)target;
	(void)argument;
	if (queue == NULL)
		return NULL;
	queue->bytes = bytes;
	queue->capacity = capacity;
	return queue;
}

static void queue_destroy(void *state)
{
	struct queue *queue = state;

	lg_policy_memory_end(queue, queue->bytes);
}

static void queue_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	struct queue *queue = state;

	(void)key;
	(void)how;
	LG_ASSERT(handle < queue->capacity);
	lg_order_push_front(&queue->order, queue->links, handle);
}

static void queue_remove(void *state, uint32_t handle)
{
	struct queue *queue = state;

	lg_order_take(&queue->order, queue->links, handle);
}

static uint64_t queue_bytes(const void *state, uint32_t handles)
{
	const struct queue *queue = state;

	return handles * sizeof(queue->links[0]);
}

static void queue_check(const void *state)
{
	const struct queue *queue = state;

	lg_order_check(&queue->order, queue->links, queue->capacity);
}

static void ignore_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)handle;
	(void)how;
}

static void move_to_front(void *state, uint32_t handle, enum lg_reference how)
{
	struct queue *queue = state;

	(void)how;
	lg_order_take(&queue->order, queue->links, handle);
	lg_order_push_front(&queue->order, queue->links, handle);
}

static uint32_t oldest(void *state)
{
	struct queue *queue = state;

	return lg_order_pop_back(&queue->order, queue->links);
}

static void put_back_oldest(void *state, uint32_t handle, uint64_t key)
{
	struct queue *queue = state;

	(void)key;
	lg_order_push_back(&queue->order, queue->links, handle);
}

static uint32_t newest(void *state)
{
	struct queue *queue = state;

	return lg_order_pop_front(&queue->order, queue->links);
}

static void put_back_newest(void *state, uint32_t handle, uint64_t key)
{
	struct queue *queue = state;

	(void)key;
	lg_order_push_front(&queue->order, queue->links, handle);
}

const struct lg_policy_ops lg_policy_fifo = {
	.size = sizeof(struct lg_policy_ops),
	.name = "fifo",
	.create = queue_create,
	.destroy = queue_destroy,
	.fill = queue_fill,
	.touch = ignore_touch,
	.victim = oldest,
	.put_back = put_back_oldest,
	.remove = queue_remove,
};

const struct lg_policy_ops lg_policy_lifo = {
	.size = sizeof(struct lg_policy_ops),
	.name = "lifo",
	.create = queue_create,
	.destroy = queue_destroy,
	.fill = queue_fill,
	.touch = ignore_touch,
	.victim = newest,
	.put_back = put_back_newest,
	.remove = queue_remove,
};

const struct lg_policy_ops lg_policy_plru = {
	.size = sizeof(struct lg_policy_ops),
	.name = "plru",
	.create = queue_create,
	.destroy = queue_destroy,
	.fill = queue_fill,
	.touch = move_to_front,
	.victim = oldest,
	.put_back = put_back_oldest,
	.remove = queue_remove,
};

uint64_t lg_policy_fifo_bytes(const void *state, uint32_t handles)
{
	return queue_bytes(state, handles);
}

void lg_policy_fifo_check(const void *state)
{
	queue_check(state);
}

uint64_t lg_policy_lifo_bytes(const void *state, uint32_t handles)
{
	return queue_bytes(state, handles);
}

void lg_policy_lifo_check(const void *state)
{
	queue_check(state);
}

uint64_t lg_policy_plru_bytes(const void *state, uint32_t handles)
{
	return queue_bytes(state, handles);
}

void lg_policy_plru_check(const void *state)
{
	queue_check(state);
}
