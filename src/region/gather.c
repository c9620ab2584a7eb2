/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/gather.h"

#include "base/option.h"
#include "os/map.h"
#include "region/class.h"
#include "region/dirty.h"
#include "region/pool.h"
#include "region/reclaim.h"
#include "region/sanitizer.h"
#include "region/split.h"
#include "region/tail.h"

#define HUGE_PAGE_BYTES LG_MIB(2)

/* [at, to) is still without pages. */
struct target {
	struct lg_region *region;
	size_t at;
	size_t to;
	bool lost;
};

static bool is_done(const struct target *target)
{
	return target->at >= target->to || target->lost;
}

static void give_up(struct target *target)
{
	target->to = target->at;
}

/* Moves the piece before *end of the source, which must be within one mapping. False: it was refused. */
static bool move_piece(struct lg_region *source, size_t *end, struct target *target, size_t bytes)
{
	char *from = (char *)source->view.data + *end - bytes;

	if (lg_os_move(from, (char *)target->region->view.data + target->at, bytes) != 0) {
		if (!lg_split_mend(target->region, target->at, bytes)) {
			lg_split_lose(target->region, target->at, bytes);
			target->lost = true;
		}
		return false;
	}
	*end -= bytes;
	target->at += bytes;
	return true;
}

/* Of the pages of a region in hand; then it goes where it belongs. */
static void take_from(struct lg_region *source, struct target *target)
{
	size_t end = lg_tail_end(source);
	bool several = lg_split_is(source), refused = false;

	lg_tail_join(source);
	while (end > 0 && !refused && !is_done(target)) {
		size_t bytes = lg_min(target->to - target->at, end);

		refused = !move_piece(source, &end, target, several ? HUGE_PAGE_BYTES : bytes);
	}
	if (refused && !several)
		give_up(target); /* this kernel does not move, or has no mappings left */
	if (end == 0 || (refused && several)) {
		(void)lg_reclaim_regions(source->class, &source, 1, false);
		return;
	}
	lg_tail_cut(source, end);
	lg_pool_put(source->class, &source, 1);
}

static void take_from_class(unsigned class, bool young, struct target *target)
{
	struct lg_region *regions[LG_CHAIN];
	unsigned count;

	while (!is_done(target) && (count = lg_pool_take_dirty(class, regions, young)) > 0) {
		if (!lg_split_take_gathered(target->region))
			give_up(target);
		while (count > 0 && !is_done(target))
			take_from(regions[--count], target);
		lg_pool_put(class, regions, count);
	}
}

bool lg_gather(struct lg_region *region, size_t bytes)
{
	struct target target = { region, lg_tail_end(region), lg_tail_huge_end(region, bytes),
				 false };

	if (is_done(&target) || !lg_backing->can_move || lg_sanitizer_active ||
	    lg_pool_dirty_bytes() == 0)
		return true;
	/* What nobody wanted for a tick before what another class may want again; large ones first. */
	for (int young = 0; young <= 1; young++)
		for (unsigned class = LG_CLASSES; class -- > lg_class_of(HUGE_PAGE_BYTES);)
			if (class != region->class)
				take_from_class(class, young, &target);
	if (!target.lost)
		lg_tail_have(region, target.at);
	return !target.lost;
}
