/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Resize. Another class is another address, so contents go there: anonymous pages by the page table
 * (64 MiB in some 20 us), where the budget of mappings allows; else by copying.
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
#include "region/tail.h"
#include "region/thread.h"

#include <errno.h>
#include <string.h>

/* Moving costs two calls and a flush of other processors' address caches: less copies faster. */
enum { MOVE_BYTES_MIN = 512 << 10, SPLITS = 2 };

/* The region's area in its present life. A slot's generations start at 1, so a life is never 0. */
static uint64_t life_of(const struct lg_region *region)
{
	struct lg_area *area = &lg_classes[region->class].areas[region->area];

	return (uint64_t)lg_area_generation(lg_load_relaxed(&area->word)) * LG_AREAS + region->area;
}

/* A region that pages were moved to is a mapping of its own until its area goes. */
static bool take_mapping(struct lg_region *region)
{
	if (region->split == life_of(region))
		return true;
	if (!lg_mappings_take(SPLITS))
		return false;
	lg_add_relaxed(&lg_classes[region->class].areas[region->area].splits, (uint32_t)SPLITS);
	region->split = life_of(region);
	return true;
}

/* LOST: the target has a hole; the source is as it was. */
enum carried { MOVED, COPIED, LOST };

/* The move of a piece failed after `done` bytes. */
static enum carried copy_rest(struct lg_region *from, struct lg_region *to, size_t done,
			      size_t piece, size_t bytes)
{
	char *source = from->view.data, *target = to->view.data;
	uint64_t offset = lg_region_number(to) << lg_class_shift(to->class);

	if (lg_os_has_hole(target + done, piece) &&
	    lg_backing->mend(&lg_classes[to->class], offset + done, piece) != 0) {
		memcpy(source, target, done);
		to->hole.from = done;
		to->hole.bytes = piece;
		return LOST;
	}
	memcpy(target + done, source + done, bytes - done);
	return COPIED;
}

/*
 * One call moves pages of one mapping. Where pages were moved to the source before, it is several: they
 * meet at MOVE_BYTES_MIN, twice that, four times …, since those are the sizes that ever moved.
 */
static enum carried carry(struct lg_region *from, struct lg_region *to, size_t bytes)
{
	char *source = from->view.data, *target = to->view.data;
	bool several = from->split == life_of(from);

	if (!lg_backing->can_move || bytes < MOVE_BYTES_MIN || lg_sanitizer_active ||
	    !take_mapping(to)) {
		memcpy(target, source, bytes);
		return COPIED;
	}
	for (size_t done = 0, piece; done < bytes; done += piece) {
		piece = several ? lg_max(done, MOVE_BYTES_MIN) : bytes;
		if (lg_os_move(source + done, target + done, piece) != 0)
			return copy_rest(from, to, done, piece, bytes);
	}
	return MOVED;
}

static lg_region *transfer(struct lg_region *from, struct lg_region *to)
{
	size_t bytes = lg_min(from->view.bytes, to->view.bytes);
	struct lg_cache *mine = lg_thread_tallies(to->class);

	switch (carry(from, to, bytes)) {
	case LOST:
		lg_cache_add(mine, &mine->magazines[to->class].frees,
			     1); /* it was handed out, to us */
		lg_region_set_state(to, LG_LOST);
		lg_stack_push(&lg_classes[to->class].lost, &to->node);
		errno = -lg_fail(ENOMEM,
				 "a mapping was lost while pages were moved (vm.max_map_count)");
		return NULL;
	case MOVED:
		lg_count(mine, to->class, moved, 1);
		break;
	case COPIED:
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
	char words[LG_ERROR_BYTES];
	lg_error_save(words);
	struct lg_region *other = lg_region_obtain(bytes, LG_ZEROED_NOT, &error);
	if (other == NULL && bytes <= region->view.bytes) {
		lg_error_restore(words); /* larger than asked for is not a failure */
		return region;
	}
	if (other == NULL) {
		errno = -error;
		return NULL;
	}
	if (lg_region_state(region) == LG_TAGGED)
		lg_advise_undo(region);
	if (region->tail == LG_TAIL_PLAIN)
		lg_tail_forget(region); /* a move is of one mapping */
	return transfer(region, other);
}
