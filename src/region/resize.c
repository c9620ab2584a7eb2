/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Resize. Another class is another address, so contents go there: anonymous pages by the page table
 * (64 MiB in 57 to 117 us), where the budget of mappings allows; else by copying.
 */
#include "base/error.h"
#include "os/map.h"
#include "region/advise.h"
#include "region/alloc.h"
#include "region/cache.h"
#include "region/class.h"
#include "region/mappings.h"
#include "region/misuse.h"
#include "region/sanitizer.h"
#include "region/thread.h"

#include <errno.h>
#include <string.h>

/* Moving costs two calls and a flush of other processors' address caches: less copies faster. */
enum { MOVE_BYTES_MIN = 512 << 10, SPLITS = 2 };

/* A region that pages were moved to is a mapping of its own until its area goes. */
static bool take_mapping(struct lg_region *region)
{
	struct lg_area *area = &lg_classes[region->class].areas[region->area];
	/* A slot's generations start at 1, so a life is never 0. */
	uint64_t life = (uint64_t)lg_area_generation(lg_load_relaxed(&area->word)) * LG_AREAS +
			region->area;

	if (region->split == life)
		return true;
	if (!lg_mappings_take(SPLITS))
		return false;
	lg_add_relaxed(&area->splits, (uint32_t)SPLITS);
	region->split = life;
	return true;
}

/* LOST: the target's mapping is gone; the source is as it was. */
enum moving { MOVED, STAYED, LOST };

static enum moving move(struct lg_region *from, struct lg_region *to, size_t bytes)
{
	struct lg_class *class = &lg_classes[to->class];

	if (!lg_backing->can_move || bytes < MOVE_BYTES_MIN || lg_sanitizer_active ||
	    !take_mapping(to))
		return STAYED;
	if (lg_os_move(from->view.data, to->view.data, bytes) == 0)
		return MOVED;
	/* The kernel may have unmapped the target before it failed. */
	uint64_t offset = lg_region_number(to) << lg_class_shift(class->index);
	return lg_backing->map(class, offset, to->view.bytes) == 0 ? STAYED : LOST;
}

static lg_region *transfer(struct lg_region *from, struct lg_region *to)
{
	size_t bytes = lg_min(from->view.bytes, to->view.bytes);
	struct lg_cache *mine = lg_thread_tallies(to->class);

	switch (move(from, to, bytes)) {
	case LOST:
		lg_region_set_state(to, LG_LOST);
		lg_stack_push(&lg_classes[to->class].lost, &to->node);
		errno = -lg_fail(ENOMEM,
				 "a mapping was lost while pages were moved (vm.max_map_count)");
		return NULL;
	case MOVED:
		lg_count(mine, to->class, moved, 1);
		break;
	case STAYED:
		memcpy(to->view.data, from->view.data, bytes);
		lg_count(mine, to->class, copied, 1);
		break;
	}
	lg_region_free(from);
	return to;
}

lg_region *lg_region_resize(lg_region *region, size_t bytes)
{
	int error = 0;

	if (region == NULL)
		return lg_region_new(bytes);
	if (!lg_region_is_ours(region) ||
	    (lg_region_state(region) != LG_LIVE && lg_region_state(region) != LG_TAGGED))
		lg_misuse("lg_region_resize", region, "not a live region");
	if (bytes == 0) {
		errno = -lg_fail(EINVAL, "lg_region_resize to 0 bytes");
		return NULL;
	}
	if (bytes <= region->view.bytes &&
	    (bytes > region->view.bytes / 2 || region->class == lg_span.class_first))
		return region;
	struct lg_region *other = lg_region_obtain(bytes, false, &error);
	if (other == NULL && bytes <= region->view.bytes)
		return region; /* no smaller one to be had: larger than asked for is not a failure */
	if (other == NULL) {
		errno = -error;
		return NULL;
	}
	if (lg_region_state(region) == LG_TAGGED)
		lg_advise_undo(region);
	return transfer(region, other);
}
