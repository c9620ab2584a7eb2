/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/resident.h"

#include "base/error.h"
#include "os/limits.h"
#include "os/map.h"
#include "pager/budget.h"
#include "pager/map.h"
#include "pager/pager.h"
#include "pager/refused.h"
#include "pager/tract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The table, the hashes and the links, one behind the other. */
#define RESIDENT_BYTES (sizeof(struct lg_resident) + sizeof(uint64_t) + sizeof(struct lg_link))

int lg_residents_make(struct lg_residents *residents, uint64_t bytes)
{
	uint64_t capacity = lg_min(bytes >> LG_PAGE_SHIFT_MIN, UINT32_MAX - 1);
	void *tables;
	int error = lg_os_map_table(capacity * RESIDENT_BYTES, &tables);

	if (error != 0)
		return error;
	residents->table = tables;
	residents->hashes = (uint64_t *)(residents->table + capacity);
	residents->links = (struct lg_link *)(residents->hashes + capacity);
	residents->capacity = (uint32_t)capacity;
	residents->free = LG_HANDLE_NONE;
	return 0;
}

void lg_residents_end(struct lg_residents *residents)
{
	for (unsigned i = 0; i < LG_POLICY_USES; i++)
		if (residents->uses[i].state != NULL)
			residents->uses[i].policy.ops->destroy(residents->uses[i].state);
	lg_os_unreserve(residents->table, residents->capacity * RESIDENT_BYTES);
}

/* --- policies ----------------------------------------------------------------------------------- */

/* Its own, or the first that is free: there is one for each policy there can be. */
static struct lg_policy_use *find_use(struct lg_residents *residents, const char *name)
{
	struct lg_policy_use *use = residents->uses;

	while (use->state != NULL && strcmp(use->policy.ops->name, name) != 0)
		use++;
	return use;
}

static uint32_t target_of(const struct lg_pager *pager, unsigned shift)
{
	return (uint32_t)lg_min(lg_load_relaxed(&pager->budget) >> shift,
				pager->residents.capacity);
}

/* Under the lock. */
static void retarget(struct lg_pager *pager, struct lg_policy_use *use)
{
	if (use->policy.ops->retarget != NULL)
		use->policy.ops->retarget(use->state, target_of(pager, use->shift));
}

void lg_policy_retarget(struct lg_pager *pager)
{
	struct lg_policy_use *uses = pager->residents.uses;
	uint64_t signals = lg_pager_lock(pager);

	for (unsigned i = 0; i < LG_POLICY_USES && uses[i].state != NULL; i++)
		retarget(pager, &uses[i]);
	lg_pager_unlock(pager, signals);
}

/* A change costs a policy its ghosts: not for a size that is not the most by far. Under the lock. */
static void follow_pages(struct lg_pager *pager, struct lg_policy_use *use)
{
	enum { FAR = 2 };
	unsigned most = use->shift - LG_PAGE_SHIFT_MIN;
	uint64_t bytes = FAR * use->bytes_of[most];

	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++)
		if (use->bytes_of[i] > bytes) {
			most = i;
			bytes = use->bytes_of[i];
		}
	if (most + LG_PAGE_SHIFT_MIN == use->shift)
		return;
	use->shift = most + LG_PAGE_SHIFT_MIN;
	retarget(pager, use);
}

void lg_policy_follow_pages(struct lg_pager *pager)
{
	struct lg_policy_use *uses = pager->residents.uses;

	for (unsigned i = 0; i < LG_POLICY_USES && uses[i].state != NULL; i++)
		follow_pages(pager, &uses[i]);
}

int lg_policy_use(struct lg_pager *pager, const char *name, unsigned shift,
		  struct lg_policy_use **use)
{
	struct lg_residents *residents = &pager->residents;
	struct lg_policy policy;
	int error = lg_policy_named(name, &policy);

	if (error != 0)
		return error;
	/* Under maps_lock: only one thread makes a use, and it shows when its name is there. */
	*use = find_use(residents, name);
	if ((*use)->state != NULL)
		return 0;
	void *state =
		policy.ops->create(residents->capacity, target_of(pager, shift), policy.argument);
	if (state == NULL)
		return lg_fail(ENOMEM, "policy '%s' could not be created: no memory%s", name,
			       lg_os_address_space_hint(-ENOMEM));
	uint64_t signals = lg_pager_lock(pager);
	(*use)->policy = policy;
	(*use)->shift = shift;
	(*use)->state = state;
	lg_pager_unlock(pager, signals);
	return 0;
}

/* --- handles ------------------------------------------------------------------------------------ */

static uint32_t use_more(struct lg_pager *pager)
{
	enum { NOTE_EACH = 256 };

	if (pager->residents.used % NOTE_EACH == 0)
		lg_budget_note_tables(pager);
	return pager->residents.used++;
}

uint32_t lg_resident_add(struct lg_map *map, uint64_t page)
{
	struct lg_residents *residents = &map->pager->residents;
	uint32_t handle = residents->free;

	if (handle != LG_HANDLE_NONE)
		residents->free = residents->table[handle].frame;
	else if (residents->used < residents->capacity)
		handle = use_more(map->pager);
	else
		return LG_HANDLE_NONE;
	residents->table[handle] = (struct lg_resident){ .page = page,
							 .map = (uint16_t)map->index,
							 .frame = LG_FRAME_NONE };
	lg_resident_set_hash(residents, handle, LG_HASH_NONE);
	lg_tract_use(map, page); /* U1 */
	return handle;
}

void lg_resident_remove(struct lg_pager *pager, uint32_t handle)
{
	struct lg_residents *residents = &pager->residents;

	residents->table[handle].frame = residents->free;
	residents->table[handle].map = LG_RESIDENT_FREE;
	residents->free = handle;
}

/* The same page has the same key for ever: map and page together. */
static uint64_t key_of(const struct lg_map *map, uint64_t page)
{
	enum { PAGE_BITS = 48 };

	return (uint64_t)map->index << PAGE_BITS | page;
}

/* The policy has the page now. */
static void note_given(struct lg_map *map, uint32_t handle)
{
	struct lg_policy_use *use = map->use;

	map->pager->residents.table[handle].is_known = true;
	use->handles = (uint32_t)lg_max(use->handles, (uint64_t)handle + 1);
	use->given++;
	use->bytes += lg_map_page_bytes(map);
	use->bytes_of[map->shift - LG_PAGE_SHIFT_MIN] += lg_map_page_bytes(map);
}

/* It has it no longer. */
static void note_taken(struct lg_map *map, uint32_t handle)
{
	map->pager->residents.table[handle].is_known = false;
	map->use->bytes -= lg_map_page_bytes(map);
	map->use->bytes_of[map->shift - LG_PAGE_SHIFT_MIN] -= lg_map_page_bytes(map);
}

void lg_resident_fill(struct lg_map *map, uint32_t handle, enum lg_reference how)
{
	struct lg_policy_use *use = map->use;
	uint64_t page = map->pager->residents.table[handle].page;

	use->policy.ops->fill(use->state, handle, key_of(map, page), how);
	note_given(map, handle);
}

static lg_word *word_of(struct lg_map *map, uint32_t handle)
{
	return &map->words[map->pager->residents.table[handle].page];
}

static bool is_aside(struct lg_map *map, uint32_t handle)
{
	return (lg_load_relaxed(word_of(map, handle)) & LG_WORD_ASIDE) != 0;
}

static void end_aside(struct lg_map *map, uint32_t handle)
{
	lg_refused_take(map->pager, handle);
	lg_and_relaxed(word_of(map, handle), ~LG_WORD_ASIDE);
}

void lg_resident_touch(struct lg_map *map, uint32_t handle, enum lg_reference how)
{
	if (!is_aside(map, handle))
		map->use->policy.ops->touch(map->use->state, handle, how);
}

void lg_resident_arrive(struct lg_map *map, uint32_t handle, enum lg_reference how)
{
	lg_resident_fill(map, handle, LG_REFERENCE_PREFETCH);
	lg_resident_touch(map, handle, how);
}

void lg_resident_leave(struct lg_map *map, uint32_t handle)
{
	if (is_aside(map, handle)) {
		end_aside(map, handle);
		return;
	}
	map->use->policy.ops->remove(map->use->state, handle);
	note_taken(map, handle);
}

static bool policy_has(struct lg_pager *pager, const struct lg_policy_use *use, uint32_t handle)
{
	const struct lg_residents *residents = &pager->residents;

	return handle < residents->used && residents->table[handle].is_known &&
	       lg_map_of(pager, residents->table[handle].map)->use == use;
}

uint32_t lg_resident_victim(struct lg_pager *pager, struct lg_policy_use *use)
{
	uint32_t handle = use->policy.ops->victim(use->state);

	if (handle == LG_HANDLE_NONE)
		return handle;
	if (!policy_has(pager, use, handle)) {
		lg_say("policy '%s': victim gave up page handle %u, which the policy does not have",
		       use->policy.ops->name, handle);
		abort();
	}
	note_taken(lg_map_of(pager, pager->residents.table[handle].map), handle);
	return handle;
}

bool lg_resident_set_aside(struct lg_map *map, uint32_t handle)
{
	lg_word *word = word_of(map, handle);
	uint64_t seen = lg_load_relaxed(word);

	do {
		if ((seen & LG_WORD_STAYS) == 0)
			return false;
	} while (!lg_cas_relaxed(word, &seen, seen | LG_WORD_ASIDE));
	return true;
}

/* It is ASIDE, and not pinned (again). */
static bool may_join(uint64_t seen)
{
	return lg_word_is_mapped(seen) && (seen & LG_WORD_ASIDE) != 0 &&
	       (seen & LG_WORD_STAYS) == 0;
}

bool lg_resident_join(struct lg_map *map, uint64_t page, enum lg_reference how)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	if (!may_join(seen))
		return false;
	end_aside(map, lg_word_handle(seen));
	lg_resident_fill(map, lg_word_handle(seen), how);
	return true;
}

bool lg_resident_join_used(struct lg_map *map, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	return lg_resident_join(map, page,
				lg_word_state(seen) == LG_PAGE_DIRTY ? LG_REFERENCE_WRITE :
								       LG_REFERENCE_READ);
}

void lg_resident_put_back(struct lg_map *map, uint32_t handle)
{
	struct lg_policy_use *use = map->use;

	use->policy.ops->put_back(use->state, handle,
				  key_of(map, map->pager->residents.table[handle].page));
	note_given(map, handle);
}

/* --- recent fills ------------------------------------------------------------------------------- */

enum { NOTES_OF_A_TURN = 8 }; /* for each ring */

static void forget_fill(struct lg_residents *residents, struct lg_ring *ring, uint32_t place)
{
	struct lg_map *map = ring->fills[place].map;

	if (map == NULL)
		return;
	lg_sub_relaxed(&map->words[ring->fills[place].page], LG_WORD_RECENT);
	ring->fills[place].map = NULL;
	ring->bytes -= lg_map_page_bytes(map);
	residents->recent_bytes -= lg_map_page_bytes(map);
}

static void forget_oldest(struct lg_residents *residents, struct lg_ring *ring)
{
	uint32_t place = ring->next;

	while (ring->fills[place].map == NULL)
		place = (place + 1) % LG_RING;
	forget_fill(residents, ring, place);
}

static uint64_t recent_most(const struct lg_pager *pager)
{
	uint64_t unpinned = lg_budget_unpinned(pager);

	return (unpinned - lg_min(pager->residents.refused_bytes, unpinned)) / 2;
}

void lg_recent_trim(struct lg_pager *pager)
{
	struct lg_residents *residents = &pager->residents;
	uint64_t most = recent_most(pager);

	while (residents->recent_bytes > most) {
		struct lg_ring *longest = &residents->rings[0];

		for (unsigned i = 1; i < LG_RINGS; i++)
			if (residents->rings[i].bytes > longest->bytes)
				longest = &residents->rings[i];
		forget_oldest(residents, longest);
	}
}

/* How many rings can have what one instruction needs. */
static uint32_t rings_kept(const struct lg_pager *pager)
{
	const struct lg_residents *residents = &pager->residents;
	uint64_t kept = recent_most(pager) / (LG_RING_LEAST * lg_pager_page_most(pager));

	return (uint32_t)lg_min(lg_max(kept, 1), lg_max(residents->rings_used, 1));
}

static bool is_kept(const struct lg_residents *residents, const struct lg_ring *ring, uint32_t kept)
{
	return (ring->place + residents->rings_used - residents->turn) % residents->rings_used <
	       kept;
}

/* Those whose turn is over have none any more. */
static void take_turns(struct lg_residents *residents, uint32_t kept)
{
	if (kept == residents->rings_used ||
	    ++residents->turn_notes < NOTES_OF_A_TURN * residents->rings_used)
		return;
	residents->turn_notes = 0;
	residents->turn = (residents->turn + kept) % residents->rings_used;
	for (unsigned i = 0; i < LG_RINGS; i++) {
		struct lg_ring *ring = &residents->rings[i];

		if (ring->used && !is_kept(residents, ring, kept))
			for (uint32_t place = 0; place < LG_RING; place++)
				forget_fill(residents, ring, place);
	}
}

static _Thread_local uint32_t filled_for __attribute__((tls_model("initial-exec")));

void lg_recent_for(uint32_t thread)
{
	filled_for = thread;
}

/* Any number that threads differ in. */
uint32_t lg_recent_thread(void)
{
	return filled_for != 0 ? filled_for :
				 (uint32_t)((uintptr_t)__builtin_thread_pointer() >> 6) | 1;
}

static struct lg_ring *own_ring(struct lg_residents *residents)
{
	/* Multiplied, the upper bits differ whatever the numbers have in common. */
	uint32_t mixed = (lg_recent_thread() * UINT32_C(0x9e3779b1)) >> 16;
	struct lg_ring *ring = &residents->rings[mixed % LG_RINGS];

	if (!ring->used) {
		ring->used = true;
		ring->place = residents->rings_used++;
	}
	return ring;
}

/* A page is in a ring but once: the word has room for as many as there are rings. */
static void forget_page(struct lg_residents *residents, struct lg_ring *ring,
			const struct lg_map *map, uint64_t page)
{
	if ((lg_load_relaxed(&map->words[page]) & LG_WORD_RECENTS) == 0)
		return;
	for (uint32_t place = 0; place < LG_RING; place++)
		if (ring->fills[place].map == map && ring->fills[place].page == page)
			forget_fill(residents, ring, place);
}

void lg_recent_note(struct lg_map *map, uint64_t page)
{
	struct lg_residents *residents = &map->pager->residents;
	struct lg_ring *ring = own_ring(residents);
	uint32_t kept = rings_kept(map->pager);

	take_turns(residents, kept);
	if (!is_kept(residents, ring, kept))
		return;
	forget_page(residents, ring, map, page);
	forget_fill(residents, ring, ring->next);
	lg_add_relaxed(&map->words[page], LG_WORD_RECENT);
	ring->fills[ring->next].map = map;
	ring->fills[ring->next].page = page;
	ring->next = (ring->next + 1) % LG_RING;
	ring->bytes += lg_map_page_bytes(map);
	residents->recent_bytes += lg_map_page_bytes(map);
	lg_recent_trim(map->pager);
}

void lg_recent_forget(struct lg_map *map)
{
	struct lg_residents *residents = &map->pager->residents;

	for (unsigned i = 0; i < LG_RINGS; i++)
		for (uint32_t place = 0; place < LG_RING; place++)
			if (residents->rings[i].fills[place].map == map)
				forget_fill(residents, &residents->rings[i], place);
}
