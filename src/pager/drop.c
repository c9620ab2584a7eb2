/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/drop.h"

#include "os/clock.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/poison.h"
#include "pager/tract.h"
#include "pager/writeback.h"

#include <errno.h>

/* Dropped at once: the lock is held for as long as it takes to forget them, and signals for all of it. */
#define RUN_BYTES LG_MIB(64)

/* What is dropped. */
struct drop {
	struct lg_map *map;
	bool all;        /* pinned pages too: the map ends */
	bool discards;   /* what the store has, too */
	uint64_t frames; /* that are nobody's now */
};

/* What the store was given is not wanted any more, where nobody else reads it. */
static uint64_t forgotten(const struct lg_map *map)
{
	return map->store->lasts ? 0 : LG_WORD_STORED;
}

/* What the store has of pages that were never here, too. */
static bool reaches_store(const struct drop *drop)
{
	return drop->discards && drop->map->store->lasts;
}

/* It is out and there is nothing to forget of it, or pinned and may not be touched. */
static bool stays(const struct drop *drop, uint64_t seen)
{
	bool goes = (seen & forgotten(drop->map)) != 0 || reaches_store(drop);

	return (lg_word_state(seen) == LG_PAGE_OUT && !goes) ||
	       ((seen & LG_WORD_STAYS) != 0 && !drop->all);
}

/* Pages from `first` on that are nobody's, all mapped or none: how many. */
static uint64_t claim_run(const struct drop *drop, uint64_t first, uint64_t end, bool mapped)
{
	struct lg_map *map = drop->map;
	uint64_t count = 0;

	end = lg_min(end, first + (RUN_BYTES >> map->shift));
	for (; first + count < end; count++) {
		lg_word *word = &map->words[first + count];
		uint64_t seen = lg_load_acquire(word); /* W1 */

		if (lg_word_is_mapped(seen) != mapped || stays(drop, seen) ||
		    !lg_word_claim(word, &seen))
			break;
	}
	return count;
}

/* Mapped pages, claimed, from `first`: all at once. */
static void drop_mapped(struct lg_map *map, uint64_t first, uint64_t count)
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
	}
	lg_pager_unlock(pager, signals);
	lg_budget_give(pager, count << map->shift);
}

/* A claimed page that is not mapped. True: it had a frame, whose memory is nobody's now. */
static bool drop_other(struct lg_map *map, uint64_t page, uint64_t seen)
{
	bool has_frame = lg_word_state(seen) == LG_PAGE_LIMBO;

	if (has_frame)
		lg_limbo_drop(map, seen);
	if (lg_word_state(seen) == LG_PAGE_POISONED)
		lg_poison_heal(map, page);
	return has_frame;
}

/* The page of this word has no memory any more. */
static void release(struct lg_map *map, uint64_t page, uint64_t word)
{
	lg_word_release(
		&map->words[page],
		lg_word_with_state(word & ~(LG_WORD_UNWRITTEN | LG_WORD_AHEAD), LG_PAGE_OUT));
}

/* Claimed pages. While they are, none can come back and be written, and then be what is discarded. */
static void drop_run(struct drop *drop, uint64_t first, uint64_t count, bool mapped)
{
	struct lg_map *map = drop->map;

	if (mapped)
		drop_mapped(map, first, count);
	for (uint64_t page = first; !mapped && page < first + count; page++)
		drop->frames += drop_other(map, page, lg_load_relaxed(&map->words[page]));
	if (drop->discards)
		(void)map->store->calls->discard(map->store, first << map->shift,
						 lg_map_stored_bytes(map, first, count));
	for (uint64_t page = first; page < first + count; page++)
		release(map, page, lg_load_relaxed(&map->words[page]) & ~forgotten(map));
}

/* The page, and those behind it that go with it; how many: none if they are others' by now. */
static uint64_t drop_some(struct drop *drop, uint64_t page, uint64_t end)
{
	uint64_t signals = lg_os_signals_hold();
	bool mapped = lg_word_is_mapped(lg_load_relaxed(&drop->map->words[page]));
	uint64_t count = claim_run(drop, page, end, mapped);

	if (count > 0)
		drop_run(drop, page, count, mapped);
	lg_os_signals_release(signals);
	return count;
}

/* All of these pages: how many had to go. */
static uint64_t drop_pages(struct drop *drop, uint64_t first, uint64_t end)
{
	struct lg_map *map = drop->map;
	uint64_t dropped = 0, count;

	for (uint64_t page = first; page < end; page += count) {
		uint64_t seen = lg_load_relaxed(&map->words[page]);

		count = 0;
		if ((seen & LG_WORD_BUSY) != 0) {
			(void)lg_word_wait(&map->words[page], seen);
		} else if (stays(drop, seen)) {
			count = 1;
		} else {
			count = drop_some(drop, page, end);
			dropped += count;
		}
	}
	return dropped;
}

static void drop_range(struct drop *drop, uint64_t first, uint64_t end)
{
	struct lg_map *map = drop->map;
	uint64_t dropped = 0, page = first, to;

	/* What is discarded is claimed meanwhile, used or not: its words have memory then. */
	if (reaches_store(drop))
		lg_tracts_use(map, first, end);
	for (; lg_tracts_next(map, &page, end, &to); page = to)
		dropped += drop_pages(drop, page, to);
	if (!drop->all && !lg_load_relaxed(&map->stale))
		lg_pager_count(map->pager, discarded, dropped);
}

/* Huge frames are worth keeping for what is touched next. */
static void drop_and_trim(struct drop *drop, uint64_t first, uint64_t end)
{
	drop_range(drop, first, end);
	if (!drop->map->huge)
		lg_limbo_trim(drop->map, drop->frames << drop->map->shift);
}

void lg_drop_range(struct lg_map *map, uint64_t first, uint64_t end)
{
	drop_and_trim(&(struct drop){ .map = map }, first, end);
}

void lg_drop_and_discard(struct lg_map *map, uint64_t first, uint64_t end)
{
	drop_and_trim(&(struct drop){ .map = map, .discards = map->store->discards }, first, end);
}

/* A page in limbo; false: it is another's by now. */
static bool write_and_drop(struct lg_map *map, uint64_t page, uint64_t seen, uint64_t *frames,
			   int *error)
{
	uint64_t signals = lg_os_signals_hold();
	bool claimed = lg_word_claim(&map->words[page], &seen);

	*error = 0;
	if (claimed && (seen & LG_WORD_UNWRITTEN) != 0)
		*error = lg_writeback_pages(map, page, 1, &seen);
	if (claimed && *error == 0) {
		*frames += drop_other(map, page, seen);
		release(map, page, seen);
	} else if (claimed) {
		lg_word_release(&map->words[page], seen);
	}
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
	drop_and_trim(&(struct drop){ .map = map, .all = true }, 0, map->pages);
	if (lg_load_relaxed(&map->pager->map_count) == 1)
		while (lg_limbo_retire(map->pager, LG_BATCH_BYTES) > 0)
			;
}

/* The pages that are not OUT; *pinned: whether there are pins. */
static uint64_t count_left(const struct lg_map *map, bool *pinned)
{
	uint64_t left = 0, page = 0, to;

	*pinned = false;
	for (; lg_tracts_next(map, &page, map->pages, &to); page = to)
		for (; page < to; page++) {
			uint64_t seen = lg_load_acquire(&map->words[page]);

			*pinned = *pinned || (seen & LG_WORD_PINS) != 0;
			left += lg_word_state(seen) != LG_PAGE_OUT;
		}
	return left;
}

int lg_drop_changed(struct lg_map *map)
{
	enum { PAUSE_US = 50 };
	struct drop drop = { .map = map };
	bool pinned;

	(void)count_left(map, &pinned);
	if (pinned)
		return -ESTALE;
	forget_pages(map);
	for (;;) {
		drop_range(&drop, 0, map->pages);
		uint64_t left = count_left(map, &pinned);

		if (pinned || left == 0)
			return pinned ? -ESTALE : 0;
		lg_os_sleep_us(PAUSE_US); /* copies are short */
	}
}
