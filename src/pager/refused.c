/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/refused.h"

#include "pager/map.h"

void lg_refused_add(struct lg_map *map, uint32_t handle)
{
	struct lg_residents *residents = &map->pager->residents;
	struct lg_resident *resident = lg_resident_at(residents, handle);

	resident->is_refused = true;
	residents->refused_bytes += lg_map_page_bytes(map);
	lg_order_push_back(&residents->refused, residents->links, handle);
	lg_or_relaxed(&map->words[resident->page], LG_WORD_ASIDE);
}

void lg_refused_take(struct lg_pager *pager, uint32_t handle)
{
	struct lg_residents *residents = &pager->residents;
	struct lg_resident *resident = lg_resident_at(residents, handle);

	if (!resident->is_refused)
		return;
	resident->is_refused = false;
	residents->refused_bytes -= lg_map_page_bytes(lg_map_of(pager, resident->map));
	lg_order_take(&residents->refused, residents->links, handle);
}

bool lg_refused_join_oldest(struct lg_pager *pager)
{
	struct lg_residents *residents = &pager->residents;
	uint32_t handle;

	while ((handle = lg_order_front(&residents->refused)) != LG_NO_PAGE) {
		const struct lg_resident *resident = lg_resident_at(residents, handle);
		struct lg_map *map = lg_map_of(pager, resident->map);

		if (lg_resident_join_used(map, resident->page))
			return true;
		lg_refused_take(pager, handle); /* pinned by now */
	}
	return false;
}
