/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/refused.h"

#include "pager/map.h"

/* A page that is pinned by now joins with the end of its last pin. */
static void join(const struct lg_refused_page *refused)
{
	lg_word *word = &refused->map->words[refused->page];
	uint64_t seen = lg_load_relaxed(word);

	if (!lg_word_is_mapped(seen) || (seen & LG_WORD_ASIDE) == 0 || (seen & LG_WORD_STAYS) != 0)
		return;
	lg_and_relaxed(word, ~LG_WORD_ASIDE);
	lg_resident_fill(refused->map, lg_word_handle(seen),
			 lg_word_state(seen) == LG_PAGE_DIRTY ? LG_REFERENCE_WRITE :
								LG_REFERENCE_READ);
}

bool lg_refused_join_oldest(struct lg_pager *pager)
{
	struct lg_refused_pages *pages = &pager->refused;

	if (pages->count == 0)
		return false;
	struct lg_refused_page oldest = pages->ring[pages->first];
	pages->first = (pages->first + 1) % LG_REFUSED_PAGES;
	pages->count--;
	if (oldest.map != NULL)
		join(&oldest);
	return true;
}

void lg_refused_add(struct lg_map *map, uint64_t page)
{
	struct lg_refused_pages *pages = &map->pager->refused;

	if (pages->count == LG_REFUSED_PAGES)
		(void)lg_refused_join_oldest(map->pager);
	pages->ring[(pages->first + pages->count++) % LG_REFUSED_PAGES] =
		(struct lg_refused_page){ map, page };
	lg_or_relaxed(&map->words[page], LG_WORD_ASIDE);
}

void lg_refused_forget(const struct lg_map *map)
{
	struct lg_refused_pages *pages = &map->pager->refused;

	for (uint32_t i = 0; i < pages->count; i++) {
		struct lg_refused_page *refused =
			&pages->ring[(pages->first + i) % LG_REFUSED_PAGES];

		if (refused->map == map)
			refused->map = NULL;
	}
}
