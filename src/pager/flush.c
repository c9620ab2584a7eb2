/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/flush.h"

#include "os/clock.h"
#include "pager/map.h"
#include "pager/sync.h"
#include "pager/transfer.h"
#include "pager/writer.h"

enum { BATCH = 64 }; /* handles looked at under one lock */

struct page {
	struct lg_map *map;
	uint64_t page;
};

void lg_flush_note(struct lg_pager *pager)
{
	uint64_t none = 0;

	if (pager->options.flush == 0)
		return;
	atomic_thread_fence(memory_order_seq_cst); /* F1: the page is DIRTY */
	if (lg_load_relaxed(&pager->flush_at) != 0)
		return;
	if (!lg_cas_relaxed(&pager->flush_at, &none, lg_os_now_ms() + pager->options.flush))
		return;
	lg_add_ordered(&pager->work, 1);
	lg_os_wake_all(&pager->work);
	lg_writer_wake_spare(pager); /* the others may be in a store that does not come back */
}

uint64_t lg_flush_wait_ms(struct lg_pager *pager)
{
	uint64_t at = lg_load_relaxed(&pager->flush_at), now = lg_os_now_ms();

	if (at == 0)
		return 0;
	return at > now ? at - now : 1;
}

/* Dirty, also where limbo has it. */
static bool is_dirty(uint64_t word)
{
	return lg_word_state(word) == LG_PAGE_DIRTY ||
	       (lg_word_state(word) == LG_PAGE_LIMBO && (word & LG_WORD_UNWRITTEN) != 0);
}

/* What others are to find; the pages of the rest come after them. */
static bool comes_first(const struct lg_map *map)
{
	return map->store->lasts;
}

struct turn {
	bool first; /* of those that come first, or of the others */
	bool left;  /* some are dirty */
	bool others;
};

static struct lg_map *map_to_flush(struct lg_pager *pager, struct lg_resident *resident)
{
	struct lg_map *map = resident->map < LG_MAPS ? lg_map_of(pager, resident->map) : NULL;

	if (map != NULL && !map->readonly && !lg_load_relaxed(&map->closing) &&
	    is_dirty(lg_load_relaxed(&map->words[resident->page])))
		return map;
	resident->was_dirty = false;
	return NULL;
}

/*
 * From handle *next on the pages of one map that were dirty at the last tick: how many. The map is kept from closing, as by a
 * request, and no other, as this one's store may take long. Under the lock.
 */
static unsigned choose(struct lg_pager *pager, uint32_t *next, struct page *pages,
		       struct turn *turn)
{
	struct lg_residents *residents = &pager->residents;
	unsigned count = 0;

	for (uint32_t end = *next + BATCH; *next < end && *next < residents->used; ++*next) {
		struct lg_resident *resident = &residents->table[*next];
		struct lg_map *map = map_to_flush(pager, resident);

		if (map == NULL)
			continue;
		if (comes_first(map) != turn->first) {
			turn->others = true;
			continue;
		}
		if (resident->was_dirty && count > 0 && map != pages[0].map)
			break;
		turn->left = true;
		/* With another tick: the writer is wanted elsewhere. */
		if (lg_transfer_rests(map) ||
		    (count == 0 && !lg_crew_leaves_one(&pager->writers, map->writers)))
			continue;
		if (resident->was_dirty)
			pages[count++] = (struct page){ map, resident->page };
		resident->was_dirty = !resident->was_dirty;
	}
	if (count > 0) {
		lg_add_relaxed(&pages[0].map->requests, 1);
		lg_crew_join(&pager->writers, &pages[0].map->writers);
	}
	return count;
}

/* Neighbours by one write, as far as their handles are neighbours. */
static void write_pages(const struct page *pages, unsigned count)
{
	struct lg_map *map = pages[0].map;

	for (unsigned i = 0, run;
	     i < count && !lg_load_relaxed(&map->closing) && !lg_transfer_rests(map); i += run) {
		for (run = 1; i + run < count && pages[i + run].page == pages[i].page + run; run++)
			;
		(void)lg_sync_write(map, pages[i].page, pages[i].page + run, false);
	}
	uint64_t signals = lg_pager_lock(map->pager);
	lg_crew_leave(&map->pager->writers, &map->writers);
	lg_pager_unlock(map->pager, signals);
	lg_sub_release(&map->requests, 1);
}

static bool is_due(struct lg_pager *pager)
{
	uint64_t at = lg_load_relaxed(&pager->flush_at);

	return at != 0 && at <= lg_os_now_ms();
}

/* The others leave off where it is time for the first again. */
static void flush(struct lg_pager *pager, struct turn *turn)
{
	struct page pages[BATCH];
	uint32_t next = 0;
	bool more = true;

	while (more && !lg_load_relaxed(&pager->stop) && (turn->first || !is_due(pager))) {
		uint64_t signals = lg_pager_lock(pager);
		unsigned count = choose(pager, &next, pages, turn);

		more = next < pager->residents.used;
		lg_pager_unlock(pager, signals);
		if (count == 0)
			continue;
		lg_flush_note(pager); /* the store may not come back: others have their tick */
		write_pages(pages, count);
	}
}

void lg_flush_look(struct lg_pager *pager)
{
	uint64_t at = lg_load_relaxed(&pager->flush_at);
	struct turn turn = { .first = true };

	if (!is_due(pager) || !lg_cas_relaxed(&pager->flush_at, &at, (uint64_t)0))
		return;
	atomic_thread_fence(memory_order_seq_cst); /* F1 */
	flush(pager, &turn);
	if (turn.left || turn.others)
		lg_flush_note(pager);
	turn.first = false;
	if (turn.others)
		flush(pager, &turn);
}
