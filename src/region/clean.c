/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/clean.h"

#include "os/thread.h"
#include "region/class.h"

#include <errno.h>

/*
 * Reserves as much of the run as there is space for, halving; the numbers reserved. What is left over is
 * clean again.
 */
static int reserve_run(struct lg_class *class, uint16_t slot, const uint64_t *numbers,
		       uint32_t count, uint32_t *reserved)
{
	uint32_t try = count, file = lg_load_relaxed(&class->areas[slot].file);
	unsigned shift = lg_class_shift(class->index);
	int error;

	*reserved = 0;
	for (;;) {
		error = lg_backing->reserve(class, file, numbers[0] << shift,
					    (uint64_t)try << shift);
		if (error == 0) {
			*reserved = try;
			break;
		}
		if (try == 1 || (error != -ENOSPC && error != -EDQUOT))
			break;
		try /= 2;
	}
	lg_area_give_numbers(class, slot, numbers + *reserved, count - *reserved);
	return error;
}

static struct lg_region *describe(struct lg_class *class, uint16_t slot, uint64_t number)
{
	struct lg_region *region = lg_region_at(class->index, number);

	region->view.data = lg_region_address(class->index, number);
	region->view.bytes = lg_class_bytes(class->index);
	region->class = (uint8_t) class->index;
	region->area = slot;
	lg_region_set_state(region, LG_ZERO);
	return region;
}

int lg_clean_take(unsigned index, unsigned want, struct lg_region **regions, unsigned *count)
{
	struct lg_class *class = &lg_classes[index];
	uint64_t numbers[LG_CLEAN_RUN];
	uint16_t slot;
	int error = 0;

	/* A thread cancelled while it waits for the disk would take its regions along. */
	int cancel = lg_os_cancel_hold();
	uint32_t taken = lg_area_take(class, (uint32_t)lg_min(want, LG_CLEAN_RUN), numbers, &slot);
	*count = 0;
	for (uint32_t i = 0, length; i < taken; i += length) {
		uint32_t reserved;

		for (length = 1; i + length < taken && numbers[i + length] == numbers[i] + length;
		     length++)
			;
		if (error == 0)
			error = reserve_run(class, slot, numbers + i, length, &reserved);
		else /* no use in asking again */
			lg_area_give_numbers(class, slot, numbers + i, length), reserved = 0;
		for (uint32_t k = 0; k < reserved; k++)
			regions[(*count)++] = describe(class, slot, numbers[i + k]);
	}
	lg_os_cancel_restore(cancel);
	/* Handed out from the end: the lowest address first. */
	for (unsigned i = 0, j = *count; i + 1 < j; i++) {
		struct lg_region *swap = regions[i];

		regions[i] = regions[--j];
		regions[j] = swap;
	}
	return *count > 0 ? 0 : error;
}
