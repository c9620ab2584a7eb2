/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * checkpoint: uMMAP-IO's example: a file as memory whose every state that is wanted again is synced. bytes=1G steps=4
 *
 * Timed: writing every number from the front (write); then `steps` times adding one to every eighth of the pages, each
 * time another eighth, and a sync (value). Everything is compared with nothing of it in memory.
 *
 * value: ms a step, its sync in it. write: MB/s of the first writing with its sync.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

enum { UNIT = 4096, PARTS = 8 };

static struct space space;

static uint64_t salt_of(size_t unit, size_t steps)
{
	return 1 + (steps + PARTS - 1 - unit % PARTS) / PARTS;
}

void workload_checkpoint(void)
{
	size_t steps = argument_size("steps", 4);
	struct lg_pager_stats before;

	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	space_stats(&space, &before);
	size_t units = space.bytes / UNIT;
	uint64_t begin = clock_ns();
	space_write(&space, 0, space.bytes);
	space_sync(&space);
	result_value("write", (double)space.bytes * 1000 / (double)(clock_ns() - begin));
	begin = clock_ns();
	for (size_t step = 0; step < steps; step++) {
		for (size_t unit = step % PARTS; unit < units; unit += PARTS) {
			uint64_t *words = (uint64_t *)(void *)(space.data + unit * UNIT);
			for (size_t i = 0; i < UNIT / sizeof(*words); i++)
				words[i]++;
		}
		space_sync(&space);
	}
	if (steps > 0)
		result_value("value", (double)(clock_ns() - begin) / 1e6 / (double)steps);
	space_report(&space, &before);
	space_cold(&space);
	for (size_t unit = 0; unit < units; unit++)
		if (!pattern_holds(space.data + unit * UNIT, UNIT, unit * (UNIT / 8),
				   salt_of(unit, steps)))
			result_fail("the %d bytes at %zu are not what was written last", UNIT,
				    unit * UNIT);
	space_close(&space);
}
