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
#include "region/misuse.h"
#include "region/sanitizer.h"
#include "region/split.h"
#include "region/tail.h"
#include "region/thread.h"

#include <errno.h>
#include <string.h>

/* Moving costs two calls and a flush of other processors' address caches: less copies faster. */
enum { MOVE_BYTES_MIN = 512 << 10 };
#define HUGE_PAGE_BYTES LG_MIB(2)

/* LOST: the target has a hole; the source is as it was. */
enum carried { MOVED, COPIED, LOST };

/* The move of a piece failed after `done` bytes. */
static enum carried copy_rest(struct lg_region *from, struct lg_region *to, size_t done,
			      size_t piece, size_t bytes)
{
	char *source = from->view.data, *target = to->view.data;

	if (!lg_split_mend(to, done, piece)) {
		memcpy(source, target, done);
		lg_split_lose(to, done, piece);
		return LOST;
	}
	memcpy(target + done, source + done, bytes - done);
	return COPIED;
}

/*
 * One call moves pages of one mapping. Where pages were moved to the source before, it is several: they
 * meet at MOVE_BYTES_MIN, twice that, four times …, since those are the sizes that ever moved; or, where
 * they were gathered, at any multiple of a huge page.
 */
static enum carried carry(struct lg_region *from, struct lg_region *to, size_t bytes)
{
	char *source = from->view.data, *target = to->view.data;
	bool several = lg_split_is(from), gathered = lg_split_is_gathered(from);

	if (!lg_backing->can_move || bytes < MOVE_BYTES_MIN || lg_sanitizer_active ||
	    !(gathered ? lg_split_take_gathered(to) : lg_split_take(to))) {
		memcpy(target, source, bytes);
		return COPIED;
	}
	for (size_t done = 0, piece; done < bytes; done += piece) {
		piece = several ? lg_max(done, MOVE_BYTES_MIN) : bytes;
		if (gathered)
			piece = lg_min(piece, HUGE_PAGE_BYTES);
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
