/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/dirty.h"

#include "base/require.h"

void lg_dirty_init(struct lg_dirty *pool)
{
	lg_stack_init(&pool->stacks[0]);
	lg_stack_init(&pool->stacks[1]);
	lg_store_relaxed(&pool->young, 0);
}

void lg_dirty_put(struct lg_dirty *pool, struct lg_region *const *regions, unsigned count)
{
	struct lg_region *head = regions[0];

	LG_ASSERT(count >= 1);
	LG_ASSERT(count <= LG_CHAIN);
	for (unsigned i = 1; i < count; i++)
		regions[(i - 1) / LG_CHAIN_LINKS]->links[(i - 1) % LG_CHAIN_LINKS] = regions[i];
	head->chain = (uint8_t)count;
	/* A stale index only makes the chain older or younger than it is. */
	lg_stack_push(&pool->stacks[lg_load_relaxed(&pool->young)], &head->node);
}

static unsigned take_from(struct lg_stack *stack, struct lg_region **regions)
{
	struct lg_node *node = lg_stack_pop(stack);

	if (node == NULL)
		return 0;
	struct lg_region *region = lg_region_of_node(node);
	unsigned count = region->chain;
	LG_REQUIRE(count >= 1);
	LG_REQUIRE(count <= LG_CHAIN);
	regions[0] = region;
	for (unsigned i = 1; i < count; i++)
		regions[i] = regions[(i - 1) / LG_CHAIN_LINKS]->links[(i - 1) % LG_CHAIN_LINKS];
	return count;
}

unsigned lg_dirty_take(struct lg_dirty *pool, struct lg_region **regions)
{
	uint32_t young = lg_load_relaxed(&pool->young);
	unsigned count = take_from(&pool->stacks[young], regions);

	return count > 0 ? count : take_from(&pool->stacks[young ^ 1], regions);
}

unsigned lg_dirty_take_old(struct lg_dirty *pool, struct lg_region **regions)
{
	return take_from(&pool->stacks[lg_load_relaxed(&pool->young) ^ 1], regions);
}

void lg_dirty_turn(struct lg_dirty *pool)
{
	lg_store_relaxed(&pool->young, lg_load_relaxed(&pool->young) ^ 1);
}

bool lg_dirty_is_empty(struct lg_dirty *pool)
{
	return lg_stack_is_empty(&pool->stacks[0]) && lg_stack_is_empty(&pool->stacks[1]);
}
