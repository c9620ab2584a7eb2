/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/atlas.h"

#include "os/latch.h"
#include "os/map.h"
#include "pager/map.h"

#include <errno.h>

enum { CAPACITY_FIRST = 256 };

struct entry {
	_Atomic(uintptr_t) start;
	_Atomic(uintptr_t) end;
	_Atomic(struct lg_map *) map;
	_Atomic(struct lg_pager *) pager; /* the map's, without a look at the map */
};

static struct lg_os_latch lock;
static _Atomic(uint32_t) version;
static _Atomic(struct entry *) entries;
static _Atomic(uint32_t) count;
static uint32_t capacity;
static bool has_forgotten;

/* Release keeps what changes behind the odd version; acquire, in search, keeps the second look behind it. */
static void set(struct entry *entry, uintptr_t start, uintptr_t end, struct lg_map *map,
		struct lg_pager *pager)
{
	lg_store_release(&entry->start, start); /* R2 */
	lg_store_release(&entry->end, end);     /* R2 */
	lg_store_release(&entry->map, map);     /* R2 */
	lg_store_release(&entry->pager, pager); /* R2 */
}

static void copy(struct entry *to, struct entry *from)
{
	set(to, lg_load_relaxed(&from->start), lg_load_relaxed(&from->end),
	    lg_load_relaxed(&from->map), lg_load_relaxed(&from->pager));
}

/* Twice the room. Old arrays stay mapped; together they are as large as the new one. */
static int grow(void)
{
	uint32_t wanted = capacity > 0 ? capacity * 2 : CAPACITY_FIRST;
	struct entry *old = lg_load_relaxed(&entries), *larger;
	void *record;
	int error = lg_os_map_record(wanted * sizeof(struct entry), &record);

	if (error != 0)
		return error;
	larger = record;
	for (uint32_t i = 0; i < lg_load_relaxed(&count); i++)
		copy(&larger[i], &old[i]);
	lg_store_relaxed(&entries, larger);
	capacity = wanted;
	return 0;
}

static void begin(void)
{
	lg_own_add(&version, 1);
}

static void end(void)
{
	lg_store_release(&version, lg_load_relaxed(&version) + 1); /* R1 */
}

int lg_atlas_add(struct lg_map *map)
{
	uint64_t signals = lg_os_latch_hold(&lock);
	int error = 0;
	uint32_t i = lg_load_relaxed(&count);

	if (i == capacity)
		error = grow();
	if (error == 0) {
		struct entry *table = lg_load_relaxed(&entries);

		begin();
		for (; i > 0 && lg_load_relaxed(&table[i - 1].start) > (uintptr_t)map->base; i--)
			copy(&table[i], &table[i - 1]);
		set(&table[i], (uintptr_t)map->base,
		    (uintptr_t)map->base + (map->pages << map->shift), map, map->pager);
		lg_store_release(&count, lg_load_relaxed(&count) + 1); /* R3 */
		end();
	}
	lg_os_latch_let_go(&lock, signals);
	return error;
}

void lg_atlas_remove(struct lg_map *map)
{
	uint64_t signals = lg_os_latch_hold(&lock);
	struct entry *table = lg_load_relaxed(&entries);
	bool found = false;

	begin();
	for (uint32_t i = 0; i + 1 < lg_load_relaxed(&count); i++) {
		found = found || lg_load_relaxed(&table[i].map) == map;
		if (found)
			copy(&table[i], &table[i + 1]);
	}
	lg_store_release(&count, lg_load_relaxed(&count) - 1); /* R3 */
	end();
	lg_os_latch_let_go(&lock, signals);
}

/* `pager`: of its maps only; NULL: of all. */
static struct lg_map *search(const struct lg_pager *pager, uintptr_t address)
{
	uint32_t low = 0, high = lg_load_acquire(&count); /* R3 */
	struct entry *table = lg_load_relaxed(&entries);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct entry *entry = &table[middle];

		if (address < lg_load_acquire(&entry->start)) /* R2 */
			high = middle;
		else if (address >= lg_load_acquire(&entry->end)) /* R2 */
			low = middle + 1;
		else if (pager != NULL && lg_load_acquire(&entry->pager) != pager) /* R2 */
			return NULL;
		else
			return lg_load_acquire(&entry->map); /* R2 */
	}
	return NULL;
}

static struct lg_map *find(const struct lg_pager *pager, uintptr_t address)
{
	for (;;) {
		uint32_t before = lg_load_acquire(&version); /* R1 */
		struct lg_map *map = (before & 1) == 0 ? search(pager, address) : NULL;

		if ((before & 1) == 0 && lg_load_relaxed(&version) == before)
			return map;
	}
}

struct lg_map *lg_atlas_find(const void *address)
{
	return find(NULL, (uintptr_t)address);
}

struct lg_map *lg_atlas_find_of(const struct lg_pager *pager, const void *address)
{
	return find(pager, (uintptr_t)address);
}

void lg_atlas_forget(void)
{
	has_forgotten = has_forgotten || lg_load_relaxed(&count) > 0;
	lg_store_relaxed(&count, 0);
	lg_store_relaxed(&lock.word, (uint32_t)LG_LATCH_FREE);
	if ((lg_load_relaxed(&version) & 1) != 0)
		end();
}

bool lg_atlas_has_forgotten(void)
{
	return has_forgotten;
}
