/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/tract.h"

#include "os/map.h"
#include "pager/pager.h"

/* A table of the kernel's is for as much memory as a huge page, and there for one that is whole, too. */
void lg_tract_count(struct lg_map *map)
{
	uint64_t words = sizeof(lg_word) << LG_TRACT_SHIFT;
	uint64_t pages = lg_min(map->pages, (uint64_t)1 << LG_TRACT_SHIFT);
	uint64_t tables = lg_max(pages << map->shift >> LG_PAGE_SHIFT_HUGE, 1);
	uint64_t bytes = words + tables * lg_os_page_bytes();

	lg_add_relaxed(&map->word_bytes, words);
	lg_add_relaxed(&map->pager->word_bytes, words);
	lg_add_relaxed(&map->tables, bytes);
	lg_add_relaxed(&map->pager->map_tables, bytes);
}

void lg_tracts_use(struct lg_map *map, uint64_t first, uint64_t end)
{
	uint64_t pages = (uint64_t)1 << LG_TRACT_SHIFT;

	for (uint64_t page = first; page < end; page = lg_round_down(page, pages) + pages)
		lg_tract_use(map, page);
}

/* The first page from `page` on, before `end`, that is of a tract used, or not; `end`: there is none. */
static uint64_t find(const struct lg_map *map, uint64_t page, uint64_t end, bool used)
{
	uint64_t tract = page >> LG_TRACT_SHIFT, flip = used ? 0 : UINT64_MAX;

	while (tract << LG_TRACT_SHIFT < end) {
		uint64_t bits = (lg_load_relaxed(&map->tracts[tract / 64]) ^ flip) >> tract % 64;

		if (bits != 0) {
			tract += (uint64_t)__builtin_ctzll(bits);
			return lg_min(lg_max(tract << LG_TRACT_SHIFT, page), end);
		}
		tract = lg_round_down(tract, 64) + 64;
	}
	return end;
}

bool lg_tracts_next(const struct lg_map *map, uint64_t *page, uint64_t end, uint64_t *to)
{
	atomic_thread_fence(memory_order_seq_cst); /* U1 */
	*page = find(map, *page, end, true);
	*to = find(map, *page, end, false);
	return *page < end;
}
