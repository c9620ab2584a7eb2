/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * commit: random pages of a volume changed, a word each, and made durable. bytes=512M pages=1000 alone=7 count=100
 *
 * Timed: the commit, not the changes before it. First `alone` times with nothing of the one before on its way; then
 * `count` times one behind the other, what the heap does in its background included.
 *
 * value: ms alone, the median. mean: ms one behind the other, the mean. written: MiB to the disk for each of these,
 * until all of it is where it belongs, and whatever others have written to the same disk meanwhile.
 */
#include "heap/volume.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/median.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <math.h>

enum { ALONE_MAX = 100 };

static struct volume volume;
static uint64_t seed = 1;

static double commit_ms(size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		volume_change(&volume, random_below(&seed, volume.bytes / VOLUME_PAGE),
			      random_next(&seed));
	uint64_t begin = clock_ns();
	volume_commit(&volume);
	return (double)(clock_ns() - begin) / 1e6;
}

void workload_commit(void)
{
	size_t pages = argument_size("pages", 1000), count = argument_size("count", 100);
	size_t alone = argument_size("alone", 7);
	double ms[ALONE_MAX], sum = 0;

	if (alone == 0 || alone > ALONE_MAX)
		result_fail("alone must be 1 to %d", ALONE_MAX);
	volume_open(&volume, argument_size("bytes", (size_t)512 << 20));
	commit_ms(pages); /* what only the first one does */
	for (size_t i = 0; i < alone; i++) {
		volume_settle(&volume);
		ms[i] = commit_ms(pages);
	}
	result_value("value", median_of(ms, alone));
	volume_settle(&volume);
	double written = volume_written_mib(&volume);
	for (size_t i = 0; i < count; i++)
		sum += commit_ms(pages);
	volume_settle(&volume);
	if (count > 0) {
		written = (volume_written_mib(&volume) - written) / (double)count;
		result_value("mean", sum / (double)count);
		if (!isnan(written))
			result_value("written", written);
	}
	volume_close(&volume);
}
