/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/share.h"

#include "os/thread.h"
#include "pager/budget.h"
#include "pager/map.h"

#include <stdbool.h>

enum {
	BUDGET_MS = 100,                      /* it may be more by then */
	PART = 2,                             /* of what is not pinned */
	READS_MOST = 3 * LG_STAGING_SMALL / 4 /* each has a buffer */
};

/* Of `taken`: the bytes are in whole pages. */
#define READS (LG_KIB(4) - 1)

static bool try_to_take(struct lg_map *map, uint64_t bytes)
{
	uint64_t seen = lg_load_relaxed(&map->share.taken);

	do {
		if (seen != 0 && ((seen & READS) == READS_MOST ||
				  (seen & ~READS) + bytes > lg_budget_unpinned(map->pager) / PART))
			return false;
	} while (!lg_cas_relaxed(&map->share.taken, &seen, seen + bytes + 1));
	return true;
}

void lg_share_take(struct lg_map *map, uint64_t bytes)
{
	struct lg_share *share = &map->share;

	for (;;) {
		uint32_t given = lg_load_ordered(&share->given); /* S1 */

		if (try_to_take(map, bytes))
			return;
		lg_add_ordered(&share->wanted, 1); /* S1 */
		lg_os_sleep_while(&share->given, given, BUDGET_MS);
		lg_sub_relaxed(&share->wanted, 1);
	}
}

void lg_share_give(struct lg_map *map, uint64_t bytes)
{
	struct lg_share *share = &map->share;

	lg_sub_relaxed(&share->taken, bytes + 1);
	lg_add_ordered(&share->given, 1);        /* S1 */
	if (lg_load_ordered(&share->wanted) > 0) /* S1 */
		lg_os_wake(&share->given);       /* the reads of a map are of one length */
}
