/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "cursor.h"

#include <stdbool.h>

const uint64_t cursor_ended = UINT64_MAX;

static size_t offset_of(const struct cursor *cursor, const uint64_t *key)
{
	return (size_t)(key - (const uint64_t *)lg_region_data(cursor->region)) * sizeof(*key);
}

/* Advice that fails (the kernel was busy, memory is locked) costs time, never a key. */
static void advise(const struct cursor *cursor, size_t from, size_t to, enum lg_advice advice)
{
	if (cursor->window_bytes != 0 && from < to)
		(void)lg_region_advise(cursor->region, from, to - from, advice);
}

/* The window that holds `next` becomes current; the one after it is asked for. */
static void enter_window(struct cursor *cursor)
{
	size_t end = offset_of(cursor, cursor->end);
	size_t stop = end;

	if (cursor->window_bytes != 0) {
		stop = (offset_of(cursor, cursor->next) / cursor->window_bytes + 1) *
		       cursor->window_bytes;
		stop = stop < end ? stop : end;
	}
	size_t ahead = end - stop < cursor->window_bytes ? end - stop : cursor->window_bytes;

	advise(cursor, stop, stop + ahead, LG_WILLNEED);
	cursor->window = cursor->next;
	cursor->stop = (const uint64_t *)lg_region_data(cursor->region) + stop / sizeof(uint64_t);
}

void cursor_open_ended(struct cursor *cursor)
{
	*cursor = (struct cursor){
		.next = &cursor_ended,
		.stop = &cursor_ended + 1,
		.end = &cursor_ended + 1,
	};
}

void cursor_open(struct cursor *cursor, lg_region *region, size_t first, size_t last,
		 size_t window_bytes)
{
	const uint64_t *keys = lg_region_data(region);

	cursor->region = region;
	cursor->window_bytes = window_bytes;
	cursor->next = keys + first;
	cursor->end = keys + last;
	if (first == last) {
		cursor_open_ended(cursor);
		return;
	}
	enter_window(cursor);
	advise(cursor, offset_of(cursor, cursor->next), offset_of(cursor, cursor->stop),
	       LG_WILLNEED);
}

void cursor_turn(struct cursor *cursor)
{
	if (cursor->window != NULL)
		advise(cursor, offset_of(cursor, cursor->window), offset_of(cursor, cursor->stop),
		       LG_DEAD);
	if (cursor->next == cursor->end)
		cursor_open_ended(cursor);
	else
		enter_window(cursor);
}
