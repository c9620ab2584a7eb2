/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Advice. Access advice (sequential, random) makes a mapping of its own out of the range: it is taken for
 * regions of 2 MiB and more, on the budget of mappings, and undone when the region is freed.
 */
#include "region/advise.h"

#include "base/error.h"
#include "os/map.h"
#include "region/class.h"
#include "region/mappings.h"

#include <errno.h>

enum { SPLITS = 2, ACCESS_ADVICE_BYTES_MIN = 2 << 20 };

/* Huge pages and random access do not go together: each fault would read 2 MiB. */
static int set_access(struct lg_region *region, enum lg_os_advice access)
{
	bool huge = lg_backing->is_huge(&lg_classes[region->class]);
	int error = lg_os_advise(region->view.data, region->view.bytes, access);

	if (error == 0 && huge)
		(void)lg_os_advise(region->view.data, region->view.bytes,
				   access == LG_OS_RANDOM ? LG_OS_NOHUGEPAGE : LG_OS_HUGEPAGE);
	return error;
}

void lg_advise_undo(struct lg_region *region)
{
	(void)set_access(region, LG_OS_NORMAL);
	lg_mappings_give(SPLITS);
	lg_region_set_state(region, LG_LIVE);
}

static int refused(int error)
{
	return lg_fail(-error, "the kernel refused the advice%s: %s",
		       error == -EINVAL ? " (locked memory?)" : "", lg_error_name(-error));
}

static int advise_access(struct lg_region *region, enum lg_os_advice advice)
{
	bool tagged = lg_region_state(region) == LG_TAGGED;

	if (region->view.bytes < ACCESS_ADVICE_BYTES_MIN || !lg_backing->has_order)
		return 0;
	if (advice == LG_OS_NORMAL) {
		if (tagged)
			lg_advise_undo(region);
		return 0;
	}
	if (!tagged && !lg_mappings_take(SPLITS))
		return lg_fail(ENOMEM,
			       "an eighth of vm.max_map_count mappings is in use for advice and "
			       "moved pages; this region was left as it is");
	/* The whole region: parts would be more mappings, and nobody reads one half in order. */
	int error = set_access(region, advice);
	uint8_t live = LG_LIVE;
	/* Another thread may have advised it as well: one tag, one loan. */
	if (!tagged && (error != 0 || !lg_cas_relaxed(&region->state, &live, LG_TAGGED)))
		lg_mappings_give(SPLITS);
	return error == 0 ? 0 : refused(error);
}

int lg_region_advise(lg_region *region, size_t offset, size_t length, enum lg_advice advice)
{
	if (region == NULL || !lg_region_is_ours(region) ||
	    (lg_region_state(region) != LG_LIVE && lg_region_state(region) != LG_TAGGED))
		return lg_fail(EINVAL, "lg_region_advise(%p): not a live region", (void *)region);
	size_t bytes = region->view.bytes;
	if (offset > bytes || length > bytes - offset)
		return lg_fail(EINVAL, "lg_region_advise: %zu bytes from %zu are not inside %zu",
			       length, offset, bytes);
	size_t page = lg_os_page_bytes(), end = length == 0 ? bytes : offset + length;
	size_t from = lg_round_up(offset, page), to = lg_round_down(end, page);
	struct lg_class *class = &lg_classes[region->class];
	uint32_t file = lg_load_relaxed(&class->areas[region->area].file);
	uint64_t at = (lg_region_number(region) << lg_class_shift(class->index)) + from;

	switch (advice) {
	case LG_SEQUENTIAL:
		return advise_access(region, LG_OS_SEQUENTIAL);
	case LG_RANDOM:
		return advise_access(region, LG_OS_RANDOM);
	case LG_NORMAL:
		return advise_access(region, LG_OS_NORMAL);
	case LG_WILLNEED:
	case LG_COLD:
	case LG_DEAD:
		break;
	default:
		return lg_fail(EINVAL, "lg_region_advise: advice %d is unknown", (int)advice);
	}
	if (from >= to)
		return 0;
	int error;
	if (advice == LG_WILLNEED)
		error = lg_backing->will_need(class, at, to - from);
	else if (advice == LG_COLD)
		error = lg_backing->page_out(class, file, at, to - from);
	else
		error = lg_backing->discard(class, file, at, to - from);
	return error == 0 ? 0 : refused(error);
}
