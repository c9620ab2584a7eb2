/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/around.h"

#include "base/bits.h"

struct lg_around_run *lg_around_step(struct lg_around *around, uint64_t page, uint64_t most)
{
	struct lg_around_run *oldest = &around->runs[0];

	around->faults++;
	for (unsigned i = 0; i < LG_AROUNDS; i++) {
		struct lg_around_run *run = &around->runs[i];

		if (run->end == page && page > 0) {
			run->pages = lg_max(lg_min(run->pages * 2, most), 1);
			run->used = around->faults;
			return run;
		}
		if (run->used < oldest->used)
			oldest = run;
	}
	*oldest = (struct lg_around_run){ .pages = 1, .used = around->faults };
	return oldest;
}
