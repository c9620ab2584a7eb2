/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* prnd: the handles in an array without gaps, of which any one leaves and the last takes its place. */
#include "pager/order.h"
#include "pager/policy.h"

struct pot {
	size_t bytes;
	uint64_t random;
	uint32_t capacity;
	uint32_t count;
	uint32_t *handles;
	uint32_t *places; /* + 1; 0: not in the pot */
};

static void *pot_create(uint32_t capacity, uint32_t target, void *argument)
{
	size_t bytes = sizeof(struct pot) + (size_t)capacity * 2 * sizeof(uint32_t);
	struct pot *pot = lg_policy_memory(bytes);

	(void)target;
	(void)argument;
	if (pot == NULL)
		return NULL;
	pot->bytes = bytes;
	pot->capacity = capacity;
	pot->handles = (uint32_t *)(void *)(pot + 1);
	pot->places = pot->handles + capacity;
	return pot;
}

static void pot_destroy(void *state)
{
	struct pot *pot = state;

	lg_policy_memory_end(pot, pot->bytes);
}

static void pot_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct pot *pot = state;

	(void)key;
	LG_ASSERT(handle < pot->capacity);
	LG_ASSERT(pot->places[handle] == 0);
	pot->handles[pot->count] = handle;
	pot->places[handle] = ++pot->count;
}

static void pot_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)how;
	pot_put_back(state, handle, key);
}

static void pot_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)handle;
	(void)how;
}

static void pot_remove(void *state, uint32_t handle)
{
	struct pot *pot = state;
	uint32_t place = pot->places[handle];

	LG_ASSERT(place != 0);
	uint32_t last = pot->handles[--pot->count];
	pot->handles[place - 1] = last;
	pot->places[last] = place;
	pot->places[handle] = 0;
}

/* splitmix64: the same calls give the same victims, so that a simulation can repeat them. */
static uint64_t next_random(struct pot *pot)
{
	uint64_t z = (pot->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t pot_victim(void *state)
{
	struct pot *pot = state;

	if (pot->count == 0)
		return LG_NO_PAGE;
	uint32_t handle = pot->handles[next_random(pot) % pot->count];
	pot_remove(pot, handle);
	return handle;
}

const struct lg_policy_ops lg_policy_prnd = {
	.size = sizeof(struct lg_policy_ops),
	.name = "prnd",
	.create = pot_create,
	.destroy = pot_destroy,
	.fill = pot_fill,
	.touch = pot_touch,
	.victim = pot_victim,
	.put_back = pot_put_back,
	.remove = pot_remove,
};

uint64_t lg_policy_prnd_bytes(const void *state, uint32_t handles)
{
	const struct pot *pot = state;

	return handles * (sizeof(*pot->handles) + sizeof(*pot->places));
}

void lg_policy_prnd_check(const void *state)
{
	const struct pot *pot = state;

	LG_REQUIRE(pot->count <= pot->capacity);
	for (uint32_t i = 0; i < pot->count; i++) {
		LG_REQUIRE(pot->handles[i] < pot->capacity);
		LG_REQUIRE(pot->places[pot->handles[i]] == i + 1);
	}
}
