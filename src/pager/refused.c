/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/refused.h"

#include "os/map.h"
#include "pager/map.h"

int lg_refused_make(struct lg_refused *refused, uint32_t capacity)
{
	void *links;
	int error = lg_os_map_table(capacity * sizeof(struct lg_link), &links);

	if (error != 0)
		return error;
	refused->links = links;
	refused->capacity = capacity;
	return 0;
}

void lg_refused_end(struct lg_refused *refused)
{
	lg_os_unreserve(refused->links, refused->capacity * sizeof(struct lg_link));
}

void lg_refused_add(struct lg_map *map, uint32_t handle)
{
	struct lg_pager *pager = map->pager;
	struct lg_resident *resident = lg_resident_at(&pager->residents, handle);

	resident->is_refused = true;
	lg_order_push_back(&pager->refused.order, pager->refused.links, handle);
	lg_or_relaxed(&map->words[resident->page], LG_WORD_ASIDE);
}

void lg_refused_take(struct lg_pager *pager, uint32_t handle)
{
	struct lg_resident *resident = lg_resident_at(&pager->residents, handle);

	if (!resident->is_refused)
		return;
	resident->is_refused = false;
	lg_order_take(&pager->refused.order, pager->refused.links, handle);
}

bool lg_refused_join_oldest(struct lg_pager *pager)
{
	uint32_t handle;

	while ((handle = lg_order_front(&pager->refused.order)) != LG_NO_PAGE) {
		const struct lg_resident *resident = lg_resident_at(&pager->residents, handle);
		struct lg_map *map = lg_map_of(pager, resident->map);
		uint64_t word = lg_load_relaxed(&map->words[resident->page]);

		lg_refused_take(pager, handle);
		if ((word & LG_WORD_STAYS) != 0)
			continue;
		lg_and_relaxed(&map->words[resident->page], ~LG_WORD_ASIDE);
		lg_resident_fill(map, handle,
				 lg_word_state(word) == LG_PAGE_DIRTY ? LG_REFERENCE_WRITE :
									LG_REFERENCE_READ);
		return true;
	}
	return false;
}
