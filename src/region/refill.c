/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A class grows by as many bytes again as it has mapped, so the number of areas is a logarithm of its
 * size; extents are the lowest gap of the span, so that addresses of unmapped areas are used again.
 */
#include "region/refill.h"

#include "base/error.h"
#include "base/option.h"
#include "os/clock.h"
#include "os/thread.h"
#include "region/class.h"
#include "region/probe.h"
#include "region/worker.h"

#include <errno.h>

#define AREA_BYTES_FIRST LG_MIB(32)
#define HUGE_PAGE_BYTES LG_MIB(2)
enum { WAIT_US = 100 }; /* about as long as a refill takes */

static bool has_clean(struct lg_class *class)
{
	for (uint32_t i = 0; i < lg_load_relaxed(&class->slots); i++) {
		uint64_t word = lg_load_relaxed(&class->areas[i].word);

		if (lg_area_state(word) == LG_AREA_OPEN && lg_area_clean(word) > 0)
			return true;
	}
	return false;
}

/* Bytes the class has mapped; and the first slot without an area, LG_AREAS: none. */
static uint64_t survey(struct lg_class *class, uint32_t *unused)
{
	uint64_t bytes = 0;

	*unused = LG_AREAS;
	for (uint32_t i = LG_AREAS; i-- > 0;) {
		enum lg_area_state state =
			lg_area_state(lg_load_acquire(&class->areas[i].word)); /* A4 */

		if (state == LG_AREA_UNUSED)
			*unused = i;
		else if (state == LG_AREA_OPEN)
			bytes += lg_load_relaxed(&class->areas[i].count)
				 << lg_class_shift(class->index);
	}
	return bytes;
}

/* The lowest region number from which `count` lie in no area; the class's end: there is none. */
static uint64_t lowest_gap(struct lg_class *class, uint64_t count)
{
	uint64_t gap = 0;
	bool moved;

	do {
		moved = false;
		for (uint32_t i = 0; i < lg_load_relaxed(&class->slots); i++) {
			struct lg_area *area = &class->areas[i];
			uint64_t end =
				lg_load_relaxed(&area->first) + lg_load_relaxed(&area->count);

			if (lg_area_state(lg_load_acquire(&area->word)) != LG_AREA_UNUSED && /* A4 */
			    lg_load_relaxed(&area->first) < gap + count && end > gap) {
				gap = end;
				moved = true;
			}
		}
	} while (moved);
	return gap + count <= lg_class_regions(class->index) ? gap : lg_class_regions(class->index);
}

static int map_area(struct lg_class *class, uint32_t slot, uint64_t bytes)
{
	unsigned shift = lg_class_shift(class->index);
	uint64_t count = bytes >> shift, first = lowest_gap(class, count);

	if (first == lg_class_regions(class->index))
		return lg_fail(ENOMEM, "the span of class %zu is used up; see option span",
			       lg_class_bytes(class->index));
	int error = lg_span_grow_tables(class->index, first + count);
	if (error != 0)
		return lg_backing_refused(error, bytes);
	error = lg_backing->map(class, first << shift, bytes);
	if (error != 0)
		return error;
	lg_store_relaxed(&class->areas[slot].file, lg_load_relaxed(&class->file));
	lg_area_open(class, (uint16_t)slot, first, count);
	lg_class_event(class, refills, 1);
	lg_probe_refill(class->index, bytes);
	return 0;
}

static int grow(struct lg_class *class)
{
	uint64_t least = lg_max(lg_class_bytes(class->index), HUGE_PAGE_BYTES);
	uint64_t dampener = lg_option(growth_dampener);
	uint32_t slot;
	uint64_t bytes = survey(class, &slot);
	uint64_t span = (uint64_t)1 << lg_span.shift;

	if (slot == LG_AREAS)
		return lg_fail(ENOMEM, "class %zu has %d areas, which is the most; raise area_max",
			       lg_class_bytes(class->index), LG_AREAS);
	if (slot < LG_AREAS / 2) /* slots are for the class's whole growth: the rest doubles */
		bytes /= dampener + 1;
	bytes = lg_min(lg_max(bytes, AREA_BYTES_FIRST), lg_option(area_max));
	bytes = lg_min(lg_max(lg_round_down(bytes, least), least), span);
	for (;; bytes = lg_round_up(bytes / 2, least)) {
		int error = map_area(class, slot, bytes);

		if (error == 0 || bytes <= least)
			return error;
		if (error != -ENOMEM && error != -ENOSPC && error != -EFBIG)
			return error;
	}
}

int lg_refill(unsigned index)
{
	struct lg_class *class = &lg_classes[index];
	int error = 0;

	/* Not in the lock's queue: a waiter that was stopped just as it was woken would keep all others there. */
	if (!lg_class_try_lock(class)) {
		lg_os_sleep_us(WAIT_US);
		return 0;
	}
	int cancel = lg_os_cancel_hold();
	if (!has_clean(class))
		error = grow(class);
	lg_class_unlock(class);
	lg_os_cancel_restore(cancel);
	if (error == 0)
		lg_worker_ensure();
	return error;
}
