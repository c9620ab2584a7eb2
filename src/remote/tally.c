/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/tally.h"

#include "base/error.h"

#include <lgalloc/pager.h>

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct lg_remote_stats) == 112 * sizeof(uint64_t),
	       "fields take the place of reserved");

struct lg_remote_tally lg_remote_tally;

void lg_remote_tally_read(struct lg_remote_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
#define LG_READ(field, name, help) stats->field = lg_load_relaxed(&lg_remote_tally.field);
	LG_REMOTE_COUNTERS(LG_READ)
#undef LG_READ
	stats->first_byte_ns_sum =
		lg_times_read(&lg_remote_tally.first_byte_ns, stats->first_byte_ns);
	stats->fault_ns_sum = lg_times_read(&lg_remote_tally.fault_ns, stats->fault_ns);
}

void lg_remote_tally_forget(void)
{
	memset(&lg_remote_tally, 0, sizeof(lg_remote_tally));
}

int lg_remote_stats_read(struct lg_remote_stats *stats)
{
	if (stats == NULL)
		return lg_fail(EINVAL, "lg_remote_stats_read(NULL)");
	lg_remote_tally_read(stats);
	return 0;
}
