/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/split.h"

#include "base/option.h"
#include "os/map.h"
#include "region/cache.h"
#include "region/class.h"
#include "region/mappings.h"
#include "region/thread.h"

enum { SPLITS = 2 };
#define HUGE_PAGE_BYTES LG_MIB(2)

/* The region's area in its present life. A slot's generations start at 1, so a life is never 0. */
static uint64_t life_of(const struct lg_region *region)
{
	struct lg_area *area = &lg_classes[region->class].areas[region->area];

	return (uint64_t)lg_area_generation(lg_load_relaxed(&area->word)) * LG_AREAS + region->area;
}

bool lg_split_is(const struct lg_region *region)
{
	return region->split == life_of(region);
}

bool lg_split_is_gathered(const struct lg_region *region)
{
	return lg_split_is(region) && region->gathered != 0;
}

static bool charge(struct lg_region *region, uint32_t splits)
{
	if (!lg_mappings_take(splits))
		return false;
	lg_add_relaxed(&lg_classes[region->class].areas[region->area].splits, splits);
	return true;
}

bool lg_split_take(struct lg_region *region)
{
	if (lg_split_is(region))
		return true;
	if (!charge(region, SPLITS))
		return false;
	region->split = life_of(region);
	region->gathered = 0;
	return true;
}

/* For all that it can ever become, at once: however often it is gathered to, nobody counts again. */
bool lg_split_take_gathered(struct lg_region *region)
{
	if (lg_split_is_gathered(region))
		return true;
	if (!charge(region, (uint32_t)(SPLITS + region->view.bytes / HUGE_PAGE_BYTES)))
		return false;
	region->split = life_of(region);
	region->gathered = 1;
	return true;
}

bool lg_split_mend(struct lg_region *region, size_t from, size_t bytes)
{
	uint64_t offset = lg_region_number(region) << lg_class_shift(region->class);

	return !lg_os_has_hole((char *)region->view.data + from, bytes) ||
	       lg_backing->mend(&lg_classes[region->class], offset + from, bytes) == 0;
}

void lg_split_lose(struct lg_region *region, size_t from, size_t bytes)
{
	struct lg_cache *mine = lg_thread_tallies(region->class);

	region->hole.from = from;
	region->hole.bytes = bytes;
	lg_cache_add(mine, &mine->magazines[region->class].frees, 1); /* it was handed out, to us */
	lg_region_set_state(region, LG_LOST);
	lg_stack_push(&lg_classes[region->class].lost, &region->node);
}
