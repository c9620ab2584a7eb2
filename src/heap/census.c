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

/* The list has the newest first. */
static void look(void *argument, struct lg_heap *heap)
{
	struct lg_census *census = argument;

	if (census->count == census->capacity)
		return; /* it came since they were counted */
	struct lg_census_entry *entry = &census->entries[census->capacity - ++census->count];
	memcpy(entry->name, heap->name, sizeof(entry->name));
	entry->mode = heap->super.mode;
	entry->readonly = heap->readonly;
	entry->failed = lg_load_relaxed(&heap->failed) != 0;
	lg_heap_measure(heap, &entry->stats);
}

void lg_census_read(struct lg_census *census)
{
	size_t room = 0;
	void *memory;

	*census = (struct lg_census){ .entries = NULL };
	lg_heap_each(count, &room);
	if (room == 0 || lg_os_map_record(room * sizeof(struct lg_census_entry), &memory) != 0)
		return;
	census->entries = memory;
	census->capacity = room;
	lg_heap_each(look, census);
	/* Fewer than were counted lie at the end. */
	memmove(census->entries, census->entries + (room - census->count),
		census->count * sizeof(struct lg_census_entry));
}

void lg_census_end(struct lg_census *census)
{
	if (census->entries != NULL)
		lg_os_unreserve(census->entries, census->capacity * sizeof(struct lg_census_entry));
}
