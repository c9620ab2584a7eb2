/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/census.h"

#include "heap/thread.h"
#include "os/map.h"

#include <string.h>

static void count(void *argument, struct lg_heap *heap)
{
	(void)heap;
	++*(size_t *)argument;
}

/* The list has the newest first, so they are filled in from the end. */
static void look(void *argument, struct lg_heap *heap)
{
	struct lg_census *census = argument;

	if (census->count++ >= census->capacity)
		return;
	struct lg_census_entry *entry = &census->entries[census->capacity - census->count];
	memcpy(entry->name, heap->name, sizeof(entry->name));
	entry->mode = heap->super.mode;
	entry->readonly = heap->readonly;
	entry->failed = lg_load_relaxed(&heap->failed) != 0;
	lg_heap_measure(heap, &entry->stats);
}

/* With room for some that come meanwhile. False: more came. */
static bool read_once(struct lg_census *census)
{
	size_t room = 0;
	void *memory;

	*census = (struct lg_census){ .entries = NULL };
	lg_heap_each(count, &room);
	if (room == 0)
		return true;
	room += 4;
	if (lg_os_map_record(room * sizeof(struct lg_census_entry), &memory) != 0)
		return true;
	census->entries = memory;
	census->capacity = room;
	lg_heap_each(look, census);
	if (census->count > room) {
		lg_census_end(census);
		*census = (struct lg_census){ .entries = NULL };
		return false;
	}
	memmove(census->entries, census->entries + (room - census->count),
		census->count * sizeof(struct lg_census_entry));
	return true;
}

void lg_census_read(struct lg_census *census)
{
	enum { TRIES = 8 };

	for (unsigned i = 0; i < TRIES && !read_once(census); i++)
		;
}

void lg_census_end(struct lg_census *census)
{
	if (census->entries != NULL)
		lg_os_unreserve(census->entries, census->capacity * sizeof(struct lg_census_entry));
}
