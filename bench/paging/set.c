/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "paging/set.h"

#include "workload/result.h"

enum { STEP_BYTES = 16 << 20 };

void set_take(struct set *set, size_t bytes, size_t block_bytes)
{
	set->block_bytes = block_bytes;
	set->count = bytes / block_bytes;
	set->bytes = set->count * block_bytes;
	if (set->count == 0 || set->count > SET_BLOCKS_MAX)
		result_fail("bytes must be 1 to %d blocks", SET_BLOCKS_MAX);
	for (size_t i = 0; i < set->count; i++)
		set->blocks[i] = block_take(block_bytes);
}

void set_give(struct set *set)
{
	for (size_t i = 0; i < set->count; i++)
		block_calls.give(set->blocks[i]);
}

void set_progress(size_t offset)
{
	if (offset % STEP_BYTES == 0)
		result_value("taken", (double)offset / 1048576.0);
}
