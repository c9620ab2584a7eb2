/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/block.h"

#include "workload/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block_calls block_calls;

void block_calls_init(void)
{
#ifdef BENCH_REGIONS
	block_calls.take = lg_region_new;
	block_calls.give = lg_region_free;
	block_calls.resize = lg_region_resize;
#else
	block_calls.take = malloc;
	block_calls.give = free;
	block_calls.resize = realloc;
#endif
}

block *block_take(size_t bytes)
{
	block *taken = block_calls.take(bytes);

	if (taken == NULL)
		result_fail("no block of %zu bytes: %s", bytes, strerror(errno));
	return taken;
}
