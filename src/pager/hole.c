/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/hole.h"

#include "pager/flush.h"
#include "pager/map.h"

/* What was CLEAN has no longer what the store has. */
static void note_dirty(struct lg_map *map, uint64_t page)
{
	uint64_t word = lg_load_relaxed(&map->words[page]);

	if (lg_word_state(word) == LG_PAGE_CLEAN || lg_map_hash(map, word) >= LG_HASHES)
		lg_pager_count(map->pager, bytes_dirtied, lg_map_page_bytes(map));
	lg_map_set_hash(map, word, LG_HASH_NONE);
	lg_word_set_state(&map->words[page], LG_PAGE_DIRTY);
	lg_flush_note(map->pager);
}

bool lg_hole_fill(struct lg_map *map, uint64_t first, uint64_t count)
{
	char *at = lg_map_page_at(map, first);
	size_t bytes = count << map->shift;

	if (!lg_os_userfault_fill_holes(&map->pager->userfault, at, bytes))
		return false;
	if (map->readonly)
		return true;
	(void)lg_os_userfault_unprotect(&map->pager->userfault, at, bytes);
	for (uint64_t page = first; page < first + count; page++)
		note_dirty(map, page);
	return true;
}
