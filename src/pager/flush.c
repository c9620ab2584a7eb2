/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/flush.h"

#include "os/clock.h"
#include "pager/map.h"
#include "pager/sync.h"

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

/*
 * From these handles the pages that were dirty at the last tick: how many. Their maps are kept from closing,
 * as by a request. *left: some are dirty. Under the lock.
 */
static unsigned choose(struct lg_pager *pager, uint32_t first, struct page *pages, bool *left)
{
	struct lg_residents *residents = &pager->residents;
	unsigned count = 0;

	for (uint32_t handle = first; handle < first + BATCH && handle < residents->used;
	     handle++) {
		struct lg_resident *resident = &residents->table[handle];
		struct lg_map *map = resident->map < LG_MAPS ? lg_map_of(pager, resident->map) :
							       NULL;

		if (map == NULL || map->readonly || lg_load_relaxed(&map->closing) ||
		    !is_dirty(lg_load_relaxed(&map->words[resident->page]))) {
			resident->was_dirty = false;
			continue;
		}
		*left = true;
		if (resident->was_dirty) {
			lg_add_relaxed(&map->requests, 1);
			pages[count++] = (struct page){ map, resident->page };
		}
		resident->was_dirty = !resident->was_dirty;
	}
	return count;
}

/* Neighbours by one write, as far as their handles are neighbours. */
static void write_pages(const struct page *pages, unsigned count)
{
	for (unsigned i = 0, run; i < count; i += run) {
		for (run = 1; i + run < count && pages[i + run].map == pages[i].map &&
			      pages[i + run].page == pages[i].page + run;
		     run++)
			;
		(void)lg_sync_write(pages[i].map, pages[i].page, pages[i].page + run, false);
	}
	for (unsigned i = 0; i < count; i++)
		lg_sub_release(&pages[i].map->requests, 1);
}

void lg_flush_look(struct lg_pager *pager)
{
	struct page pages[BATCH];
	uint64_t at = lg_load_relaxed(&pager->flush_at), now = lg_os_now_ms();
	bool left = false;

	if (at == 0 || at > now || !lg_cas_relaxed(&pager->flush_at, &at, (uint64_t)0))
		return;
	atomic_thread_fence(memory_order_seq_cst); /* F1 */
	for (uint32_t first = 0; !lg_load_relaxed(&pager->stop); first += BATCH) {
		uint64_t signals = lg_pager_lock(pager);
		bool more = first < pager->residents.used;
		unsigned count = more ? choose(pager, first, pages, &left) : 0;

		lg_pager_unlock(pager, signals);
		if (!more)
			break;
		write_pages(pages, count);
	}
	if (left)
		lg_flush_note(pager);
}
