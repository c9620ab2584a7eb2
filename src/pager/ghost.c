/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/ghost.h"

#include "base/bits.h"
#include "base/require.h"
#include "os/map.h"

#include <string.h>

static uint32_t buckets_for(uint32_t slots)
{
	return (uint32_t)1 << (slots > 1 ? lg_log2_floor(slots - 1) : 0);
}

size_t lg_ghosts_bytes(uint32_t capacity)
{
	return (size_t)capacity * sizeof(struct lg_ghost_slot) +
	       (size_t)buckets_for(capacity) * sizeof(uint32_t);
}

void lg_ghosts_init(struct lg_ghosts *ghosts, void *memory, uint32_t capacity, uint32_t bound)
{
	LG_ASSERT(bound >= 1);
	LG_ASSERT(bound <= capacity);
	ghosts->bound = bound;
	ghosts->mask = buckets_for(bound) - 1;
	ghosts->next = 0;
	ghosts->used = 0;
	ghosts->slots = memory;
	ghosts->buckets = (uint32_t *)(void *)(ghosts->slots + capacity);
}

/* Whole pages go: to write zeros would take memory for all that was never used. */
static void clear(void *table, size_t bytes)
{
	size_t page = lg_os_page_bytes(), head = -(uintptr_t)table % page;
	char *from = table;

	if (bytes < head + page || lg_os_drop(from + head, (bytes - head) / page * page) != 0) {
		memset(from, 0, bytes);
		return;
	}
	size_t tail = (bytes - head) % page;
	memset(from, 0, head);
	memset(from + bytes - tail, 0, tail);
}

void lg_ghosts_rebound(struct lg_ghosts *ghosts, uint32_t bound)
{
	if (bound == ghosts->bound)
		return;
	clear(ghosts->slots, (size_t)ghosts->bound * sizeof(*ghosts->slots));
	clear(ghosts->buckets, ((size_t)ghosts->mask + 1) * sizeof(*ghosts->buckets));
	ghosts->bound = bound;
	ghosts->mask = buckets_for(bound) - 1;
	ghosts->next = 0;
	ghosts->used = 0;
}

/* A bucket is anywhere: the first ones take a page each. */
uint64_t lg_ghosts_taken(const struct lg_ghosts *ghosts)
{
	uint64_t buckets = ((uint64_t)ghosts->mask + 1) * sizeof(*ghosts->buckets);

	return ghosts->used * sizeof(*ghosts->slots) +
	       lg_min(buckets, (uint64_t)ghosts->used * lg_os_page_bytes());
}

/* The end of splitmix64: keys are page numbers, of which neighbours come together. */
static uint32_t bucket_of(const struct lg_ghosts *ghosts, uint64_t key)
{
	key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9u;
	key = (key ^ (key >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)(key ^ (key >> 31)) & ghosts->mask;
}

bool lg_ghosts_take(struct lg_ghosts *ghosts, uint64_t key)
{
	for (uint32_t *at = &ghosts->buckets[bucket_of(ghosts, key)]; *at != 0;) {
		struct lg_ghost_slot *slot = &ghosts->slots[*at - 1];

		if (slot->key != key) {
			at = &slot->after;
			continue;
		}
		uint32_t place = *at - 1;
		*at = slot->after;
		slot->alive = 0;
		if (place + 1 == (ghosts->next > 0 ? ghosts->next : ghosts->bound))
			ghosts->next = place; /* as if it had not left */
		return true;
	}
	return false;
}

void lg_ghosts_add(struct lg_ghosts *ghosts, uint64_t key)
{
	(void)lg_ghosts_take(ghosts, key);
	struct lg_ghost_slot *slot = &ghosts->slots[ghosts->next];
	if (slot->alive)
		(void)lg_ghosts_take(ghosts, slot->key);
	uint32_t *bucket = &ghosts->buckets[bucket_of(ghosts, key)];
	*slot = (struct lg_ghost_slot){ key, *bucket, 1 };
	*bucket = ghosts->next + 1;
	ghosts->used = (uint32_t)lg_max(ghosts->used, ghosts->next + 1);
	ghosts->next = ghosts->next + 1 < ghosts->bound ? ghosts->next + 1 : 0;
}

uint32_t lg_ghosts_check(const struct lg_ghosts *ghosts)
{
	uint32_t alive = 0, chained = 0;

	LG_REQUIRE(ghosts->next < ghosts->bound);
	for (uint32_t i = 0; i < ghosts->bound; i++)
		alive += ghosts->slots[i].alive;
	for (uint32_t i = 0; i <= ghosts->mask; i++) {
		for (uint32_t at = ghosts->buckets[i]; at != 0;
		     at = ghosts->slots[at - 1].after, chained++) {
			LG_REQUIRE(at <= ghosts->bound);
			LG_REQUIRE(chained < alive);
			LG_REQUIRE(ghosts->slots[at - 1].alive == 1);
			LG_REQUIRE(bucket_of(ghosts, ghosts->slots[at - 1].key) == i);
		}
	}
	LG_REQUIRE(chained == alive);
	return alive;
}
