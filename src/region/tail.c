/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/tail.h"

#include "base/option.h"
#include "os/map.h"
#include "region/class.h"
#include "region/mappings.h"

#define HUGE_PAGE_BYTES LG_MIB(2)
enum { SPLITS = 2 };
enum { TOUCHED_WHOLE = 128 };

/* Waste below a sixteenth of the block is not worth a mapping; nor is any a call on each reuse. */
enum { WASTE_PART = 16, DROP_PART = 4 };

static uint64_t offset_of(const struct lg_region *region, uint64_t inside)
{
	return (lg_region_number(region) << lg_class_shift(region->class)) + inside;
}

/* In parts of the capacity, rounded up: capacities are powers of two of at least 4 KiB. */
static uint8_t part_of(const struct lg_region *region, size_t bytes)
{
	return (uint8_t)((bytes * TOUCHED_WHOLE + region->view.bytes - 1) / region->view.bytes);
}

size_t lg_tail_end(const struct lg_region *region)
{
	size_t bytes = (region->view.bytes * region->touched + TOUCHED_WHOLE - 1) / TOUCHED_WHOLE;

	return lg_min(lg_round_up(bytes, HUGE_PAGE_BYTES), region->view.bytes);
}

size_t lg_tail_huge_end(const struct lg_region *region, size_t bytes)
{
	size_t plain = lg_round_down(bytes, HUGE_PAGE_BYTES);
	size_t waste = plain == bytes ? 0 : plain + HUGE_PAGE_BYTES - bytes;

	if (region->view.bytes < HUGE_PAGE_BYTES)
		return 0;
	if (waste <= bytes / WASTE_PART || waste < HUGE_PAGE_BYTES / WASTE_PART)
		return lg_round_up(bytes, HUGE_PAGE_BYTES);
	return plain;
}

/* Keeps huge pages out of the tail if the last one would be mostly that. */
static void decide(struct lg_region *region, size_t bytes)
{
	size_t plain = lg_tail_huge_end(region, bytes);

	region->tail = LG_TAIL_DECIDED;
	if (region->view.bytes < HUGE_PAGE_BYTES || plain >= bytes ||
	    !lg_backing->is_huge(&lg_classes[region->class]) || !lg_mappings_take(SPLITS))
		return;
	if (lg_os_advise((char *)region->view.data + plain, region->view.bytes - plain,
			 LG_OS_NOHUGEPAGE) != 0) {
		lg_mappings_give(SPLITS);
		return;
	}
	region->tail = LG_TAIL_PLAIN;
}

static void drop(struct lg_region *region, size_t bytes)
{
	size_t from = lg_round_up(bytes, HUGE_PAGE_BYTES);

	if (from < region->view.bytes)
		(void)lg_backing->discard(
			&lg_classes[region->class],
			lg_load_relaxed(&lg_classes[region->class].areas[region->area].file),
			offset_of(region, from), region->view.bytes - from);
}

void lg_tail_fit(struct lg_region *region, size_t bytes)
{
	size_t capacity = region->view.bytes;
	unsigned part = part_of(region, bytes);

	region->asked = bytes;
	if (LG_UNLIKELY(region->tail == LG_TAIL_UNDECIDED))
		decide(region, bytes);
	if (region->touched > part && region->touched - part > TOUCHED_WHOLE / DROP_PART &&
	    capacity > HUGE_PAGE_BYTES) {
		drop(region, bytes);
		region->touched = (uint8_t)part;
	}
	region->touched = (uint8_t)lg_max(region->touched, part);
}

void lg_tail_have(struct lg_region *region, size_t end)
{
	region->touched = (uint8_t)lg_max(region->touched, part_of(region, end));
}

void lg_tail_cut(struct lg_region *region, size_t end)
{
	region->touched = (uint8_t)lg_min(region->touched, part_of(region, end));
}

void lg_tail_join(struct lg_region *region)
{
	if (region->tail == LG_TAIL_PLAIN) {
		(void)lg_os_advise(region->view.data, region->view.bytes, LG_OS_HUGEPAGE);
		lg_mappings_give(SPLITS);
	}
	region->tail = LG_TAIL_UNDECIDED;
}

void lg_tail_forget(struct lg_region *region)
{
	lg_tail_join(region);
	region->touched = 0;
}
