/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An order: a list of handles, doubly linked through an array of links. A handle is in one order of an array
 * of links at a time; the links of those in none are zero, so that zeroed memory needs no preparation.
 *
 * Links and ends hold handle + 1. Zero is none, which as a handle (0 - 1) is LG_NO_PAGE.
 */
#ifndef LG_PAGER_ORDER_H
#define LG_PAGER_ORDER_H

#include "base/require.h"

#include <stdbool.h>
#include <stdint.h>

#define LG_NO_PAGE UINT32_MAX

struct lg_link {
	uint32_t before; /* towards the front */
	uint32_t after;
};

struct lg_order {
	uint32_t front;
	uint32_t back;
	uint32_t count;
};

static inline uint32_t lg_order_front(const struct lg_order *order)
{
	return order->front - 1;
}

static inline uint32_t lg_order_back(const struct lg_order *order)
{
	return order->back - 1;
}

static inline void lg_order_push_front(struct lg_order *order, struct lg_link *links,
				       uint32_t handle)
{
	LG_ASSERT(links[handle].before == 0 && links[handle].after == 0);
	links[handle].after = order->front;
	if (order->front != 0)
		links[order->front - 1].before = handle + 1;
	else
		order->back = handle + 1;
	order->front = handle + 1;
	order->count++;
}

static inline void lg_order_push_back(struct lg_order *order, struct lg_link *links,
				      uint32_t handle)
{
	LG_ASSERT(links[handle].before == 0 && links[handle].after == 0);
	links[handle].before = order->back;
	if (order->back != 0)
		links[order->back - 1].after = handle + 1;
	else
		order->front = handle + 1;
	order->back = handle + 1;
	order->count++;
}

/* The handle must be in this order. */
static inline void lg_order_take(struct lg_order *order, struct lg_link *links, uint32_t handle)
{
	struct lg_link *link = &links[handle];

	LG_ASSERT(order->count > 0);
	if (link->before != 0)
		links[link->before - 1].after = link->after;
	else
		order->front = link->after;
	if (link->after != 0)
		links[link->after - 1].before = link->before;
	else
		order->back = link->before;
	link->before = link->after = 0;
	order->count--;
}

static inline uint32_t lg_order_pop_front(struct lg_order *order, struct lg_link *links)
{
	uint32_t handle = lg_order_front(order);

	if (handle != LG_NO_PAGE)
		lg_order_take(order, links, handle);
	return handle;
}

static inline uint32_t lg_order_pop_back(struct lg_order *order, struct lg_link *links)
{
	uint32_t handle = lg_order_back(order);

	if (handle != LG_NO_PAGE)
		lg_order_take(order, links, handle);
	return handle;
}

/* Tests: stops the program unless both directions meet the same `count` handles below `capacity`. */
static inline void lg_order_check(const struct lg_order *order, const struct lg_link *links,
				  uint32_t capacity)
{
	uint32_t before = 0, count = 0;

	for (uint32_t at = order->front; at != 0; at = links[at - 1].after, count++) {
		LG_REQUIRE(at <= capacity);
		LG_REQUIRE(count < order->count);
		LG_REQUIRE(links[at - 1].before == before);
		before = at;
	}
	LG_REQUIRE(order->back == before);
	LG_REQUIRE(order->count == count);
}

#endif
