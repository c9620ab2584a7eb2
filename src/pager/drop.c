/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/drop.h"

#include "os/clock.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/poison.h"

#include <errno.h>

/* Dropped at once: the lock is held for as long as it takes to forget them, and signals for all of it. */
#define RUN_BYTES LG_MIB(64)

/* It is out and need not be touched, or pinned and may not be. */
static bool stays(uint64_t seen, bool pinned_too)
{
	return (lg_word_state(seen) == LG_PAGE_OUT && (seen & LG_WORD_STORED) == 0) ||
	       ((seen & LG_WORD_STAYS) != 0 && !pinned_too);
}

/* Mapped pages from `first` on that are nobody's: how many. */
static uint64_t claim_mapped(struct lg_map *map, uint64_t first, uint64_t end, bool pinned_too)
{
	uint64_t count = 0;

	end = lg_min(end, first + (RUN_BYTES >> map->shift));
	for (; first + count < end; count++) {
		lg_word *word = &map->words[first + count];
		uint64_t seen = lg_load_acquire(word); /* W1 */

		if (!lg_word_is_mapped(seen) || stays(seen, pinned_too) ||
		    !lg_word_claim(word, &seen))
			break;
	}
	return count;
}

/* Mapped pages, claimed, from `first`: all at once. */
static void drop_mapped(struct lg_map *map, uint64_t first, uint64_t count, uint64_t forget)
{
	struct lg_pager *pager = map->pager;

	(void)lg_os_drop(lg_map_page_at(map, first), count << map->shift);
	uint64_t signals = lg_pager_lock(pager);
	for (uint64_t page = first; page < first + count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		lg_resident_leave(map, lg_word_handle(word));
		lg_resident_remove(pager, lg_word_handle(word));
		/* The map ends with it. */
		if ((word & LG_WORD_PINS) != 0)
			lg_sub_relaxed(&pager->pinned, lg_map_page_bytes(map));
		lg_word_release(&map->words[page], lg_word_with_state(word & ~forget, LG_PAGE_OUT));
	}
	lg_pager_unlock(pager, signals);
	lg_budget_give(pager, count << map->shift);
}

/* A claimed page that is not mapped. True: it had a frame, whose memory is nobody's now. */
static bool drop_other(struct lg_map *map, uint64_t page, uint64_t seen, uint64_t forget)
{
	bool has_frame = lg_word_state(seen) == LG_PAGE_LIMBO;

	if (has_frame)
		lg_limbo_drop(map, seen);
	if (lg_word_state(seen) == LG_PAGE_POISONED)
		lg_poison_heal(map, page);
	lg_word_release(&map->words[page],
			lg_word_with_state(seen & ~(forget | LG_WORD_UNWRITTEN | LG_WORD_AHEAD),
					   LG_PAGE_OUT));
	return has_frame;
}

/* The page, and those behind it that go with it; how many: none if they are others' by now. */
static uint64_t drop_some(struct lg_map *map, uint64_t page, uint64_t end, bool all,
			  uint64_t *frames)
{
	uint64_t forget = map->store->lasts ? 0 : LG_WORD_STORED, count = 0;
	uint64_t signals = lg_os_signals_hold();
	uint64_t seen = lg_load_acquire(&map->words[page]); /* W1 */

	if (lg_word_is_mapped(seen)) {
		count = claim_mapped(map, page, end, all);
		if (count > 0)
			drop_mapped(map, page, count, forget);
	} else if (!stays(seen, all) && lg_word_claim(&map->words[page], &seen)) {
		*frames += drop_other(map, page, seen, forget);
		count = 1;
	}
	lg_os_signals_release(signals);
	return count;
}

/* How many frames are nobody's now. */
static uint64_t drop(struct lg_map *map, uint64_t first, uint64_t end, bool all)
{
	uint64_t dropped = 0, frames = 0, count;

	for (uint64_t page = first; page < end; page += count) {
		uint64_t seen = lg_load_relaxed(&map->words[page]);

		count = 0;
		if ((seen & LG_WORD_BUSY) != 0) {
			(void)lg_word_wait(&map->words[page], seen);
		} else if (stays(seen, all)) {
			count = 1;
		} else {
			count = drop_some(map, page, end, all, &frames);
			dropped += count;
		}
	}
	if (!all && !lg_load_relaxed(&map->stale))
		lg_pager_count(map->pager, discarded, dropped);
	return frames;
}

void lg_drop_range(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t frames = drop(map, first, end, false);

	if (!map->huge) /* those are worth keeping for what is touched next */
		lg_limbo_trim(map, frames << map->shift);
}

/* A page in limbo; false: it is another's by now. */
static bool write_and_drop(struct lg_map *map, uint64_t page, uint64_t seen, uint64_t *frames,
			   int *error)
{
	uint64_t signals = lg_os_signals_hold();
	bool claimed = lg_word_claim(&map->words[page], &seen);

	*error = 0;
	if (claimed && (seen & LG_WORD_UNWRITTEN) != 0)
		*error = lg_limbo_write_pages(map, page, 1, &seen);
	if (claimed && *error == 0)
		*frames += drop_other(map, page, seen, 0);
	else if (claimed)
		lg_word_release(&map->words[page], seen);
	lg_os_signals_release(signals);
	return claimed;
}

int lg_drop_limbo(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t frames = 0;
	int result = 0;

	for (uint64_t page = first; page < end;) {
		uint64_t seen = lg_load_relaxed(&map->words[page]);
		int error;

		if (lg_word_state(seen) != LG_PAGE_LIMBO) {
			page++;
		} else if ((seen & LG_WORD_BUSY) != 0) { /* a writer has it, and leaves it here */
			(void)lg_word_wait(&map->words[page], seen);
		} else if (write_and_drop(map, page, seen, &frames, &error)) {
			result = result == 0 ? error : result;
			page++;
		}
	}
	lg_limbo_trim(map, frames << map->shift);
	return result;
}

/* Nothing but the words knows of its pages. */
static void forget_pages(struct lg_map *map)
{
	uint64_t signals = lg_pager_lock(map->pager);

	lg_recent_forget(map);
	lg_piece_forget(map);
	lg_pager_unlock(map->pager, signals);
}

void lg_drop_all(struct lg_map *map)
{
	forget_pages(map);
	uint64_t frames = drop(map, 0, map->pages, true);
	/* Huge frames are worth keeping for other maps, if there are; those of small pages are not. */
	if (!map->huge)
		lg_limbo_trim(map, frames << map->shift);
	if (lg_load_relaxed(&map->pager->map_count) == 1)
		while (lg_limbo_retire(map->pager, LG_BATCH_BYTES) > 0)
			;
}

static bool has_pins(const struct lg_map *map)
{
	for (uint64_t page = 0; page < map->pages; page++)
		if ((lg_load_relaxed(&map->words[page]) & LG_WORD_PINS) != 0)
			return true;
	return false;
}

int lg_drop_changed(struct lg_map *map)
{
	enum { PAUSE_US = 50 };
	uint64_t left = 1;

	if (has_pins(map))
		return -ESTALE;
	forget_pages(map);
	while (left > 0) {
		left = 0;
		(void)drop(map, 0, map->pages, false);
		for (uint64_t page = 0; page < map->pages; page++) {
			uint64_t seen = lg_load_acquire(&map->words[page]);

			if ((seen & LG_WORD_PINS) != 0)
				return -ESTALE;
			left += lg_word_state(seen) != LG_PAGE_OUT;
		}
		if (left > 0)
			lg_os_sleep_us(PAUSE_US); /* copies are short */
	}
	return 0;
}
