/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A cursor reads one part of a run in order, and tells the kernel where it is: the window after the
 * current one will be needed, the one before it is dead. So a merge larger than memory never waits for
 * one page at a time, and memory is not full of keys that were already written.
 *
 * Windows start at multiples of their size in the region. Where two threads' parts meet inside a page,
 * lg_region_advise leaves that page alone, as it takes only whole ones: no thread drops another's keys.
 */
#ifndef EXTERNAL_SORT_CURSOR_H
#define EXTERNAL_SORT_CURSOR_H

#include <lgalloc/lgalloc.h>

#include <stdint.h>

/* A past-the-end pointer is never read: an ended cursor stays on a key of its own, the largest. */
extern const uint64_t cursor_ended;

struct cursor {
	const uint64_t *next;
	const uint64_t *stop; /* next reaches it: the window or the part ends */
	const uint64_t *end;
	const uint64_t *window; /* where the current window, or the part, starts */
	lg_region *region;
	size_t window_bytes; /* 0: everything is in memory, no advice */
};

/* Over keys[first .. last) of the region. */
void cursor_open(struct cursor *cursor, lg_region *region, size_t first, size_t last,
		 size_t window_bytes);

/* Over nothing. */
void cursor_open_ended(struct cursor *cursor);

/* What to do when next has reached stop. */
void cursor_turn(struct cursor *cursor);

static inline uint64_t cursor_key(const struct cursor *cursor)
{
	return *cursor->next;
}

static inline void cursor_step(struct cursor *cursor)
{
	if (__builtin_expect(++cursor->next == cursor->stop, 0))
		cursor_turn(cursor);
}

#endif
