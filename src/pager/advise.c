/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Advice, populating, and what can be said and done about pages that could not be read. */
#include "base/error.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/drop.h"
#include "pager/evict.h"
#include "pager/fault.h"
#include "pager/map.h"
#include "pager/poison.h"
#include "pager/tract.h"
#include "pager/writeback.h"

#include <errno.h>

enum { RUN = 64 };

#define COLD_BYTES LG_MIB(4)

static bool may_leave(uint64_t word)
{
	return lg_word_is_mapped(word) && (word & LG_WORD_STAYS) == 0;
}

/* The first page from `page` on that is mapped and may leave; `end`: there is none. */
static uint64_t find_mapped(struct lg_map *map, uint64_t page, uint64_t end)
{
	for (; page < end; page++) {
		lg_word *word = &map->words[page];
		uint64_t seen = lg_load_relaxed(word);

		if (lg_word_is_mapped(seen)) /* BUSY, it may be on its way out */
			seen = lg_word_wait(word, seen);
		if (may_leave(seen))
			break;
	}
	return page;
}

static uint64_t claim_mapped(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	for (; first + count < end && count < RUN; count++) {
		lg_word *word = &map->words[first + count];
		uint64_t seen = lg_load_relaxed(word);

		if (!may_leave(seen) || !lg_word_claim(word, &seen))
			break;
	}
	return count;
}

/*
 * Mapped pages from `first`, as many as can be claimed, go to limbo and are written from there, or tried again when they are dropped;
 * *count. What stays is held by the kernel, or could not be written where it is.
 */
static int take_out(struct lg_map *map, uint64_t first, uint64_t end, uint64_t *count)
{
	uint64_t signals = lg_os_signals_hold(), written;
	int error = 0;

	*count = claim_mapped(map, first, end);
	if (*count > 0)
		(void)lg_evict_claimed(map, first, *count, &error);
	lg_os_signals_release(signals);
	for (uint64_t page = first; page < first + *count; page += lg_max(written, 1))
		if (lg_writeback_neighbours(map, page, first + *count, &written) != 0)
			break;
	return error;
}

/* Some neighbours go, and what is in limbo of them. */
static int make_piece_cold(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t count, page = first;
	int error = 0;

	/* Written run by run as they come, for what is left below is written page by page. */
	while ((page = find_mapped(map, page, end)) < end) {
		int failed = take_out(map, page, end, &count);

		error = error == 0 ? failed : error;
		page += count;
	}
	int failed = lg_drop_limbo(map, first, end);
	return error != 0 ? error : failed;
}

/* Piece by piece, for limbo may not have as many frames as the map has pages in memory. */
static int make_pieces_cold(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t most = lg_max(COLD_BYTES >> map->shift, 1);
	int error = 0;

	for (uint64_t page = first; page < end; page += most) {
		int failed = make_piece_cold(map, page, lg_min(page + most, end));

		error = error == 0 ? failed : error;
	}
	return error;
}

static int make_cold(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t to;
	int error = 0;

	for (uint64_t page = first; lg_tracts_next(map, &page, end, &to); page = to) {
		int failed = make_pieces_cold(map, page, to);

		error = error == 0 ? failed : error;
	}
	return error == 0 ?
		       0 :
		       lg_fail(-error, "pages could not be written: %s", lg_error_name(-error));
}

/* Whole pages inside the range, for it is their end. */
static void make_dead(struct lg_map *map, size_t offset, size_t length)
{
	uint64_t page = lg_map_page_bytes(map), to = length == 0 ? map->bytes : offset + length;
	uint64_t first = lg_round_up(offset, page) >> map->shift;
	uint64_t end = to == map->bytes ? map->pages : to >> map->shift;

	if (first < end)
		lg_drop_and_discard(map, first, end);
}

int lg_map_advise(lg_map *map, size_t offset, size_t length, enum lg_advice advice)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	switch (advice) {
	case LG_WILLNEED:
		lg_prefetch_range(map, first, end);
		return 0;
	case LG_COLD:
		return make_cold(map, first, end);
	case LG_DEAD:
		make_dead(map, offset, length);
		return 0;
	case LG_SEQUENTIAL:
	case LG_RANDOM:
	case LG_NORMAL:
		lg_store_relaxed(&map->access, (uint32_t)advice);
		return 0;
	}
	return lg_fail(EINVAL, "%d is no advice", (int)advice);
}

int lg_map_populate(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end, most;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	most = lg_load_relaxed(&map->pager->budget) / 4 * 3 >> map->shift;
	end = lg_min(end, first + most);
	lg_prefetch_range(map, first, end);
	for (uint64_t page = first; error == 0 && page < end; page++)
		error = lg_fault_serve(map, page, LG_OS_ACCESS_READ);
	return error == 0 ?
		       0 :
		       lg_fail(-error, "pages could not be brought in: %s", lg_error_name(-error));
}

int lg_map_error(lg_map *map, const void *address)
{
	if (map == NULL)
		return -EINVAL; /* without words: this may be a handler of signals */
	if (map->pager->process != lg_os_process())
		return -ECHILD;
	uint64_t offset = (uint64_t)((const char *)address - map->base);
	if (offset >= map->pages << map->shift)
		return lg_fail(EINVAL, "%p is not in this map", address);
	uint64_t word = lg_load_relaxed(&map->words[offset >> map->shift]);
	if (lg_word_state(word) != LG_PAGE_POISONED)
		return 0;
	int error = lg_word_error(word);
	return map->store->calls->explain != NULL ? map->store->calls->explain(map->store, error) :
						    error;
}

static bool heal(struct lg_map *map, uint64_t page, uint64_t seen)
{
	lg_word *word = &map->words[page];
	uint64_t signals = lg_os_signals_hold(); /* the wait is for others: nothing is ours yet */

	while (lg_word_state(seen) == LG_PAGE_POISONED && !lg_word_claim(word, &seen))
		seen = lg_word_wait(word, seen);
	bool claimed = lg_word_state(seen) == LG_PAGE_POISONED;
	if (claimed) {
		lg_poison_heal(map, page);
		lg_word_release(word, lg_word_with_state(seen, LG_PAGE_OUT));
	}
	lg_os_signals_release(signals);
	return claimed;
}

/* Pages of used tracts: how many there were. */
static int heal_some(struct lg_map *map, uint64_t first, uint64_t end)
{
	int healed = 0;

	for (uint64_t page = first; page < end && lg_load_relaxed(&map->poisoned) > 0; page++) {
		uint64_t seen = lg_load_relaxed(&map->words[page]);

		if (lg_word_state(seen) == LG_PAGE_POISONED)
			healed += heal(map, page, seen);
	}
	return healed;
}

int lg_map_retry(lg_map *map)
{
	int error = lg_map_check(map), healed = 0;
	uint64_t page = 0, to;

	if (error != 0)
		return error;
	for (; lg_load_relaxed(&map->poisoned) > 0 && lg_tracts_next(map, &page, map->pages, &to);
	     page = to)
		healed += heal_some(map, page, to);
	return healed;
}
