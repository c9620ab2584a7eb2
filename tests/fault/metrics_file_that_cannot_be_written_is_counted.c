/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a metrics file that cannot be written is counted with its error number and printed nowhere;
 * allocation goes on; the old file stays whole; and when the cause is gone, it is written again.
 * Method: in a child each: the directory goes away, is not ours to write, a limit on the size of files, a full
 * disk (as root).
 * Oracle: lg_stats_read, the child's stderr, the old file.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "fault/metrics.h"

enum { NOBODY = 65534 };

static char directory[] = "fault.metrics.XXXXXX";

/* Until the worker has written, or failed, twice more; the error number of the last. */
static uint64_t ticks_beside(bool succeed, void (*meanwhile)(void))
{
	struct lg_stats stats;
	uint64_t before = UINT64_MAX;

	for (double hang = clock_hang();; clock_breathe()) {
		lg_region *region = lg_region_new(1 << 20);

		CLAIM(region != NULL);
		meanwhile();
		memset(lg_region_data(region), 1, 1 << 20);
		lg_region_free(region);
		CLAIM(lg_stats_read(&stats) == 0);
		uint64_t now = succeed ? stats.metrics_writes : stats.metrics_failures;
		before = now < before ? now : before;
		if (now >= before + 2)
			return stats.metrics_error;
		CLAIM(!clock_passed(hang));
	}
}

static void do_nothing(void)
{
}

static uint64_t ticks(bool succeed)
{
	return ticks_beside(succeed, do_nothing);
}

static void begin(const char *where)
{
	metrics_configure(where, "app.prom", "interval:1ms,backing:anon");
}

static void directory_goes_away(void *unused)
{
	char moved[64];

	(void)unused;
	snprintf(moved, sizeof(moved), "%s.moved", directory);
	begin(directory);
	CLAIM(ticks(true) == 0);
	CLAIM(rename(directory, moved) == 0);
	CLAIM(ticks(false) == ENOENT);
	CLAIM(metrics_claim_whole(moved, "app.prom"));
	CLAIM(rename(moved, directory) == 0);
	CLAIM(ticks(true) == 0);
}

static void directory_is_not_ours(void *unused)
{
	(void)unused;
	begin(directory);
	CLAIM(ticks(true) == 0);
	CLAIM(chmod(directory, 0555) == 0);
	if (geteuid() == 0)
		CLAIM(seteuid(NOBODY) == 0); /* of all threads: the worker too */
	uint64_t error = ticks(false);
	CLAIM(error == EACCES || error == EPERM);
	CLAIM(metrics_claim_whole(directory, "app.prom"));
	if (getuid() == 0)
		CLAIM(seteuid(0) == 0);
	CLAIM(chmod(directory, 0755) == 0);
	CLAIM(ticks(true) == 0);
}

static void files_may_not_grow(void *unused)
{
	struct rlimit limit;

	(void)unused;
	begin(directory);
	CLAIM(ticks(true) == 0);
	CLAIM(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 1000;
	CLAIM(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CLAIM(ticks(false) == EFBIG);
	CLAIM(metrics_claim_whole(directory, "app.prom"));
	limit.rlim_cur = before;
	CLAIM(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CLAIM(ticks(true) == 0);
	CLAIM(metrics_count(directory, ".tmp", false) <= 1); /* a tick may be under way */
}

static struct disk disk;

/* Again and again: a write that was under way takes the place of the old file, whose room is free then. */
static void fill_disk(void)
{
	disk_fill(&disk, "other", true);
}

static void disk_is_full(void *unused)
{
	(void)unused;
	disk_open_tmpfs(&disk, "size=1M");
	begin(disk.path);
	CLAIM(ticks(true) == 0);
	CLAIM(ticks_beside(false, fill_disk) == ENOSPC);
	CLAIM(metrics_claim_whole(disk.path, "app.prom"));
	disk_empty(&disk, "other");
	CLAIM(ticks(true) == 0);
}

static void claim_quiet(const char *what, void (*body)(void *))
{
	struct child_end end = child_try(body, NULL);

	if (child_skipped(&end)) {
		child_print(what, &end);
		return;
	}
	if (!child_ended_well(&end) || end.length > 0) {
		child_print(what, &end);
		BROKEN("the child ends well and prints nothing");
	}
}

int main(void)
{
	metrics_make_directory(directory);
	claim_quiet("directory goes away", directory_goes_away);
	if (geteuid() == 0)
		CLAIM(chmod(directory, 0755) == 0);
	claim_quiet("directory is not ours", directory_is_not_ours);
	claim_quiet("files may not grow", files_may_not_grow);
	claim_quiet("disk is full", disk_is_full);
	metrics_count(directory, "", true);
	CLAIM(rmdir(directory) == 0);
	return 0;
}
