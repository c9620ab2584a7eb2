/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/resident.h"

#include "base/error.h"
#include "os/map.h"
#include "pager/map.h"
#include "pager/pager.h"

#include <errno.h>
#include <string.h>

int lg_residents_make(struct lg_residents *residents, uint64_t bytes)
{
	uint64_t capacity = lg_min(bytes >> LG_PAGE_SHIFT_MIN, UINT32_MAX - 1);
	void *table;
	int error = lg_os_map_record(capacity * sizeof(struct lg_resident), &table);

	if (error != 0)
		return error;
	residents->table = table;
	residents->capacity = (uint32_t)capacity;
	residents->free = LG_HANDLE_NONE;
	return 0;
}

void lg_residents_end(struct lg_residents *residents)
{
	for (unsigned i = 0; i < LG_POLICY_USES; i++)
		if (residents->uses[i].state != NULL)
			residents->uses[i].policy.ops->destroy(residents->uses[i].state);
	lg_os_unreserve(residents->table, residents->capacity * sizeof(struct lg_resident));
}

/* --- policies ----------------------------------------------------------------------------------- */

static struct lg_policy_use *find_use(struct lg_residents *residents, const char *name)
{
	for (unsigned i = 0; i < LG_POLICY_USES; i++) {
		struct lg_policy_use *use = &residents->uses[i];

		if (use->state == NULL || strcmp(use->policy.ops->name, name) == 0)
			return use;
	}
	return NULL;
}

static uint32_t target_of(const struct lg_pager *pager)
{
	return (uint32_t)lg_min(lg_load_relaxed(&pager->budget) / pager->options.page,
				pager->residents.capacity);
}

int lg_policy_use(struct lg_pager *pager, const char *name, struct lg_policy_use **use)
{
	struct lg_residents *residents = &pager->residents;
	struct lg_policy policy;
	char names[160];

	if (!lg_policy_find(name, strlen(name), &policy)) {
		lg_policy_names(names, sizeof(names));
		return lg_fail(EINVAL, "there is no policy '%s'; there are %s", name, names);
	}
	/* Under maps_lock: only one thread makes a use, and it shows when its name is there. */
	*use = find_use(residents, name);
	if (*use == NULL)
		return lg_fail(EINVAL, "a pager has at most %d policies at once", LG_POLICY_USES);
	if ((*use)->state != NULL)
		return 0;
	void *state = policy.ops->create(residents->capacity, target_of(pager), policy.argument);
	if (state == NULL)
		return lg_fail(ENOMEM, "policy '%s' could not be created: no memory", name);
	uint64_t signals = lg_pager_lock(pager);
	(*use)->policy = policy;
	(*use)->state = state;
	lg_pager_unlock(pager, signals);
	return 0;
}

/* --- handles ------------------------------------------------------------------------------------ */

uint32_t lg_resident_add(struct lg_map *map, uint64_t page)
{
	struct lg_residents *residents = &map->pager->residents;
	uint32_t handle = residents->free;

	if (handle != LG_HANDLE_NONE)
		residents->free = residents->table[handle].frame;
	else if (residents->used < residents->capacity)
		handle = residents->used++;
	else
		return LG_HANDLE_NONE;
	residents->table[handle] = (struct lg_resident){ .page = page,
							 .map = map->index,
							 .frame = LG_FRAME_NONE };
	return handle;
}

void lg_resident_remove(struct lg_pager *pager, uint32_t handle)
{
	struct lg_residents *residents = &pager->residents;

	residents->table[handle].frame = residents->free;
	residents->table[handle].map = UINT32_MAX;
	residents->free = handle;
}

/* The same page has the same key for ever: map and page together. */
static uint64_t key_of(const struct lg_map *map, uint64_t page)
{
	enum { PAGE_BITS = 48 };

	return (uint64_t)map->index << PAGE_BITS | page;
}

void lg_resident_fill(struct lg_map *map, uint32_t handle, enum lg_reference how)
{
	struct lg_policy_use *use = map->use;
	uint64_t page = map->pager->residents.table[handle].page;

	use->policy.ops->fill(use->state, handle, key_of(map, page), how);
	use->bytes += lg_map_page_bytes(map);
}

void lg_resident_leave(struct lg_map *map, uint32_t handle)
{
	map->use->policy.ops->remove(map->use->state, handle);
	map->use->bytes -= lg_map_page_bytes(map);
}

void lg_resident_put_back(struct lg_map *map, uint32_t handle)
{
	struct lg_policy_use *use = map->use;

	use->policy.ops->put_back(use->state, handle,
				  key_of(map, map->pager->residents.table[handle].page));
	use->bytes += lg_map_page_bytes(map);
}

/* --- recent fills ------------------------------------------------------------------------------- */

static void forget_fill(struct lg_ring *ring, uint32_t place)
{
	struct lg_map *map = ring->fills[place].map;

	if (map != NULL)
		lg_sub_relaxed(&map->words[ring->fills[place].page], LG_WORD_RECENT);
	ring->fills[place].map = NULL;
}

/* As many as leave half of the budget to choose victims from. */
static uint32_t depth_of(const struct lg_pager *pager, uint64_t page_bytes)
{
	uint64_t pages = lg_load_relaxed(&pager->budget) / page_bytes;
	uint64_t depth = pages / 2 / lg_max(pager->residents.rings_used, 1);

	return (uint32_t)lg_min(lg_max(depth, LG_RING_LEAST), LG_RING);
}

static _Thread_local uint32_t filled_for __attribute__((tls_model("initial-exec")));

void lg_recent_for(uint32_t thread)
{
	filled_for = thread;
}

/* Any number that threads differ in. */
static uint64_t self(void)
{
	return filled_for != 0 ? filled_for : (uint64_t)(uintptr_t)__builtin_thread_pointer() >> 12;
}

void lg_recent_note(struct lg_map *map, uint64_t page)
{
	struct lg_residents *residents = &map->pager->residents;
	struct lg_ring *ring = &residents->rings[(self() ^ self() >> 8) % LG_RINGS];
	uint32_t depth = depth_of(map->pager, lg_map_page_bytes(map));

	if (ring->next == 0 && ring->fills[0].map == NULL && ring->fills[LG_RING - 1].map == NULL)
		residents->rings_used++;
	forget_fill(ring, ring->next);
	forget_fill(ring, (ring->next + LG_RING - depth) % LG_RING);
	lg_add_relaxed(&map->words[page], LG_WORD_RECENT);
	ring->fills[ring->next].map = map;
	ring->fills[ring->next].page = page;
	ring->next = (ring->next + 1) % LG_RING;
}

void lg_recent_forget(struct lg_map *map)
{
	for (unsigned i = 0; i < LG_RINGS; i++)
		for (uint32_t place = 0; place < LG_RING; place++)
			if (map->pager->residents.rings[i].fills[place].map == map)
				forget_fill(&map->pager->residents.rings[i], place);
}
