/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/bar.h"

#include <math.h>
#include <string.h>

enum kind {
	AT_MOST,  /* the metric itself */
	BELOW,    /* as AT_MOST, but not the limit itself */
	RATIO,    /* at least so many times better than another lane in the same run */
	FASTEST,  /* more than once as good as the best of the other allocators measured */
	AT_LEAST, /* the metric itself */
	BEST,     /* as RATIO, to the best of several other lanes */
	SURVIVES, /* ended well in every repeat */
};

#define BOTH (LANE_BIT(LANE_FILE) | LANE_BIT(LANE_ANON))
#define FILE_ONLY LANE_BIT(LANE_FILE)

struct bar {
	const char *text;
	const char *rows; /* between spaces; the worst of those that were measured counts */
	const char *metric;
	enum kind kind;
	double limit;
	unsigned other; /* RATIO: the lane; BEST: bits of several */
	unsigned lanes;
	const char *unit;
};

#define TO_32M                                                                                     \
	"pair-64K pair-128K pair-256K pair-512K pair-1M pair-2M pair-4M pair-8M pair-16M pair-32M"
#define FROM_64M "pair-64M pair-128M pair-256M pair-512M pair-1G"
#define WINDOWS "window-2M window-64M"
#define LARSONS "larson-small larson-large"

static const struct bar region_bars[] = {
	{ "pair, untouched, 64 KiB to 32 MiB: <= 4 ns", TO_32M, "value", AT_MOST, 4, 0, BOTH,
	  " ns" },
	{ "pair, 2 MiB: >= 25 x jemalloc", "pair-2M", "value", RATIO, 25, LANE_JEMALLOC, BOTH,
	  " x" },
	{ "pair, 2 MiB: >= 8 x jemalloc, lg_tcache_max:23", "pair-2M", "value", RATIO, 8,
	  LANE_TCACHE, BOTH, " x" },
	{ "pair, 2 MiB: faster than the others here", "pair-2M", "value", FASTEST, 1, 0, BOTH,
	  " x" },
	{ "pair, 64 MiB to 1 GiB: <= 30 ns", FROM_64M, "value", AT_MOST, 30, 0, BOTH, " ns" },
	{ "pair, 64 MiB to 1 GiB: >= 20 x jemalloc", FROM_64M, "value", RATIO, 20, LANE_JEMALLOC,
	  BOTH, " x" },
	{ "window of 64, 2 MiB and 64 MiB: >= 10 x jemalloc", WINDOWS, "value", RATIO, 10,
	  LANE_JEMALLOC, BOTH, " x" },
	{ "window of 64, 2 MiB and 64 MiB: faster than the others here", WINDOWS, "value", FASTEST,
	  1, 0, BOTH, " x" },
	{ "producer to consumer, 2 MiB: <= 30 ns over the ring", "handoff-2M", "over", AT_MOST, 30,
	  0, BOTH, " ns" },
	{ "producer to consumer: >= 10 x jemalloc, over the ring", "handoff-2M", "over", RATIO, 10,
	  LANE_JEMALLOC, BOTH, " x" },
	{ "producer to consumer: >= 10 x jemalloc, ring included", "handoff-2M", "value", RATIO, 10,
	  LANE_JEMALLOC, BOTH, " x" },
	{ "pair with every page touched: <= 1.05 x no allocator", "touch-64K touch-2M touch-32M",
	  "over", AT_MOST, 1.05, 0, BOTH, " x" },
	{ "malloc-large, second pass: <= 1.2 x memset alone", "malloc-large", "over", AT_MOST, 1.2,
	  0, BOTH, " x" },
	{ "malloc-large, cold, file: <= 2 x memset alone", "malloc-large", "over_first", AT_MOST, 2,
	  0, FILE_ONLY, " x" },
	{ "malloc-large, second pass: >= 4 x jemalloc", "malloc-large", "value", RATIO, 4,
	  LANE_JEMALLOC, BOTH, " x" },
	{ "larson, two threads: <= 35 ns", LARSONS, "value", AT_MOST, 35, 0, BOTH, " ns" },
	{ "larson, two threads: >= 10 x jemalloc", LARSONS, "value", RATIO, 10, LANE_JEMALLOC, BOTH,
	  " x" },
	{ "two threads against one, private work: >= 1.9 x", "threads-2", "scale", AT_LEAST, 1.9, 0,
	  BOTH, " x" },
	{ "two threads against one, neighbours: >= 1.9 x", "threads-neighbours", "scale", AT_LEAST,
	  1.9, 0, BOTH, " x" },
	{ "a new thread's first block, class warm: <= 5 us", "thread-start", "value", AT_MOST, 5, 0,
	  BOTH, " us" },
	{ "idle after the decay: physical < 4 MiB over the start", "idle", "value", BELOW, 4, 0,
	  BOTH, " MiB" },
	{ "idle after the decay: address space of areas 0", "idle", "address", AT_MOST, 0, 0, BOTH,
	  " MiB" },
	{ "idle after the decay: file blocks 0", "idle", "disk", AT_MOST, 0, 0, FILE_ONLY, " MiB" },
	{ "600 MiB as 2, 4, 8 MiB under 1 GiB: survives", "churn", "value", SURVIVES, 0, 0, BOTH,
	  " ms" },
	{ "longest stall while 1 GiB is given back: <= 10 ms", "stall", "value", AT_MOST, 10, 0,
	  BOTH, " ms" },
	{ "statistics snapshot, 64 threads: <= 50 us", "statistics", "value", AT_MOST, 50, 0, BOTH,
	  " us" },
	{ "statistics snapshot: no system call", "statistics", "calls", AT_MOST, 0, 0, BOTH, "" },
};

#define PAGERS (LANE_BIT(LANE_PAGER) | LANE_BIT(LANE_PAGER_FILE))
#define SWAPS (LANE_BIT(LANE_SWAP) | LANE_BIT(LANE_SWAP_HUGE))
#define SWAPS_AND_FILE (SWAPS | LANE_BIT(LANE_SHARED_FILE))
#define SCANS "pager-scan-64K pager-scan-2M"
#define PEAKS "pager-peak-4K pager-peak-64K pager-peak-2M pager-peak-3G-clock pager-peak-3G-s3fifo"

static const struct bar pager_bars[] = {
	{ "sequential write, 64K: >= 3 x better of swap, file map", "pager-scan-64K", "write", BEST,
	  3, SWAPS_AND_FILE, PAGERS, " x" },
	{ "sequential write, 2M: >= 4 x better of swap, file map", "pager-scan-2M", "write", BEST,
	  4, SWAPS_AND_FILE, PAGERS, " x" },
	{ "sequential read, 64K: >= 0.95 x file map", "pager-scan-64K", "read", RATIO, 0.95,
	  LANE_SHARED_FILE, PAGERS, " x" },
	{ "sequential read, 2M: >= 0.95 x file map", "pager-scan-2M", "read", RATIO, 0.95,
	  LANE_SHARED_FILE, PAGERS, " x" },
	{ "sequential read, 64K and 2M: >= 8 x swap", SCANS, "read", BEST, 8, SWAPS, PAGERS, " x" },
	{ "random read 4K, one thread: >= 0.85 x swap", "pager-read-1", "value", BEST, 0.85, SWAPS,
	  PAGERS, " x" },
	{ "random read 4K, one thread: >= 50 x file map", "pager-read-1", "value", RATIO, 50,
	  LANE_SHARED_FILE, PAGERS, " x" },
	{ "random read 4K, 8 threads: >= 1.1 x swap", "pager-read-8", "value", BEST, 1.1, SWAPS,
	  PAGERS, " x" },
	{ "random write 4K: >= 0.85 x swap", "pager-write-1", "value", BEST, 0.85, SWAPS, PAGERS,
	  " x" },
	{ "cyclic scan 2:1, lifo, 64K: >= 2 x file map", "pager-cycle-64K", "value", RATIO, 2,
	  LANE_SHARED_FILE, PAGERS, " x" },
	{ "cyclic scan 2:1, lifo, 2M: >= 2 x file map", "pager-cycle-2M", "value", RATIO, 2,
	  LANE_SHARED_FILE, PAGERS, " x" },
	{ "limbo, 2 MiB, read, alone: <= 12 us", "pager-limbo-read", "value", AT_MOST, 12, 0,
	  PAGERS, " us" },
	{ "limbo, 2 MiB, write, alone: <= 12 us", "pager-limbo-write", "value", AT_MOST, 12, 0,
	  PAGERS, " us" },
	{ "limbo, 2 MiB, read, another runs: <= 30 us", "pager-limbo-read-2", "value", AT_MOST, 30,
	  0, PAGERS, " us" },
	{ "limbo, 2 MiB, write, another runs: <= 30 us", "pager-limbo-write-2", "value", AT_MOST,
	  30, 0, PAGERS, " us" },
	{ "resident touch: no cost, <= 1.05 x plain memory", "pager-limbo-read pager-limbo-write",
	  "resident_over", AT_MOST, 1.05, 0, PAGERS, " x" },
	{ "two threads faulting, 4K: >= 1.5 x one", "pager-threads-4K", "scale", AT_LEAST, 1.5, 0,
	  PAGERS, " x" },
	{ "two threads faulting, 64K: >= 1.5 x one", "pager-threads-64K", "scale", AT_LEAST, 1.5, 0,
	  PAGERS, " x" },
	{ "peak memory: <= budget + 8 MiB", PEAKS, "value", AT_MOST, 8, 0, PAGERS, " MiB" },
	{ "policies: within 2 % of the simulation", "pager-policy", "value", AT_MOST, 2, 0, PAGERS,
	  " %" },
};

#define HEAP LANE_BIT(LANE_HEAP)

static const struct bar heap_bars[] = {
	{ "pair, 16 B to 1 KiB: <= 6 ns", "heap-pair-16 heap-pair-64 heap-pair-256 heap-pair-1K",
	  "value", AT_MOST, 6, 0, HEAP, " ns" },
	{ "batch of 1000, 64 B, shuffled: <= 10 ns", "heap-batch", "value", AT_MOST, 10, 0, HEAP,
	  " ns" },
	{ "pair, 64 KiB and 1 MiB: <= 50 ns", "heap-pair-64K heap-pair-1M", "value", AT_MOST, 50, 0,
	  HEAP, " ns" },
	{ "two threads: >= 1.9 x one", "heap-threads", "scale", AT_LEAST, 1.9, 0, HEAP, " x" },
	{ "commit of 1000 pages of 512 MiB, alone: <= 5 ms", "heap-commit", "value", AT_MOST, 5, 0,
	  HEAP, " ms" },
	{ "the same, 100 back to back: mean <= 25 ms", "heap-commit", "mean", AT_MOST, 25, 0, HEAP,
	  " ms" },
	{ "the same: <= 8.5 MiB written each", "heap-commit", "written", AT_MOST, 8.5, 0, HEAP,
	  " MiB" },
	{ "commit of a page, 16 MiB: <= 1.4 x pwrite+fdatasync", "heap-page-16M", "over", AT_MOST,
	  1.4, 0, HEAP, " x" },
	{ "commit of a page, 512 MiB: <= 2.5 x pwrite+fdatasync", "heap-page-512M", "over", AT_MOST,
	  2.5, 0, HEAP, " x" },
	{ "commit of a page, 16 and 64 MiB: >= 1 x LMDB's put", "heap-page-16M heap-page-64M",
	  "value", RATIO, 1, LANE_LMDB, HEAP, " x" },
	{ "open of a clean heap of 10 GiB: <= 5 ms", "heap-reopen", "value", AT_MOST, 5, 0, HEAP,
	  " ms" },
	{ "the first commit after it: <= 50 ms", "heap-reopen", "commit", AT_MOST, 50, 0, HEAP,
	  " ms" },
	{ "open after a kill, one page to replay: <= 5 ms", "heap-reopen", "killed", AT_MOST, 5, 0,
	  HEAP, " ms" },
};

#define REMOTE LANE_BIT(LANE_REMOTE)
#define MOUNTS (LANE_BIT(LANE_RCLONE) | LANE_BIT(LANE_S3FS))

static const struct bar remote_bars[] = {
	{ "read, 20 ms, 64M: >= 300 MiB/s", "remote-read-64M", "value", AT_LEAST, 300, 0, REMOTE,
	  " MiB/s" },
	{ "read, 20 ms, 256M: >= 600 MiB/s", "remote-read-256M", "value", AT_LEAST, 600, 0, REMOTE,
	  " MiB/s" },
	{ "read, 20 ms: >= 2 x rclone mount and s3fs", "remote-read-64M remote-read-256M", "value",
	  BEST, 2, MOUNTS, REMOTE, " x" },
	{ "backward and every second, 64M: >= 200 MiB/s",
	  "remote-backward-64M remote-stride-64M remote-pages-64M", "value", AT_LEAST, 200, 0,
	  REMOTE, " MiB/s" },
	{ "backward and every second, 256M: >= 300 MiB/s",
	  "remote-backward-256M remote-stride-256M remote-pages-256M", "value", AT_LEAST, 300, 0,
	  REMOTE, " MiB/s" },
	{ "random 4K, 20 ms: p50 <= 25 ms", "remote-random", "value", AT_MOST, 25, 0, REMOTE,
	  " ms" },
	{ "random 4K: 16 threads >= 12 x one", "remote-random", "scale", AT_LEAST, 12, 0, REMOTE,
	  " x" },
	{ "read, no added latency: >= 1024 MiB/s", "remote-plain", "value", AT_LEAST, 1024, 0,
	  REMOTE, " MiB/s" },
	{ "peak memory: <= budget + 16 MiB", "remote-peak", "value", AT_MOST, 16, 0, REMOTE,
	  " MiB" },
	{ "first byte: <= 1.3 x one request (curl's)", "remote-first", "value", RATIO, 1 / 1.3,
	  LANE_CURL, REMOTE, " x" },
};

enum verdict { NOT_MEASURED, MET, MISSED };

#define OTHER_ALLOCATORS                                                                           \
	(LANE_BIT(LANE_JEMALLOC) | LANE_BIT(LANE_GLIBC) | LANE_BIT(LANE_MIMALLOC) |                \
	 LANE_BIT(LANE_TCMALLOC))

/* How many times better than the best of the others; NAN where none was measured. */
static double against_best(const struct suite *suite, int row, int lane, unsigned others,
			   const char *metric)
{
	double ours = outcome_median(&suite->outcomes[row][lane], metric);
	double least = (double)NAN;

	for (int other = 0; other < LANES; other++)
		if ((others & LANE_BIT(other)) != 0)
			least = fmin(least, unit_ratio(plans[row].shown[0].unit, ours,
						       outcome_median(&suite->outcomes[row][other],
								      metric)));
	return least;
}

static double measured_in(const struct suite *suite, const struct bar *bar, int row, int lane)
{
	const struct outcome *outcome = &suite->outcomes[row][lane];
	double ours = outcome_median(outcome, bar->metric);

	if (outcome->state != OUTCOME_OK)
		return (double)NAN;
	if (bar->kind == RATIO)
		return unit_ratio(plans[row].shown[0].unit, ours,
				  outcome_median(&suite->outcomes[row][bar->other], bar->metric));
	if (bar->kind == FASTEST)
		return against_best(suite, row, lane, OTHER_ALLOCATORS, bar->metric);
	if (bar->kind == BEST)
		return against_best(suite, row, lane, bar->other, bar->metric);
	return ours;
}

static bool met(const struct bar *bar, double value)
{
	switch (bar->kind) {
	case AT_MOST:
		return value <= bar->limit;
	case BELOW:
		return value < bar->limit;
	case RATIO:
	case BEST:
	case AT_LEAST:
		return value >= bar->limit;
	case FASTEST:
		return value > bar->limit;
	case SURVIVES:
		return true; /* a value is there only if it ended well */
	}
	return false;
}

/* The worst over the bar's rows. A row that did not end well is a miss. */
static enum verdict judge(const struct suite *suite, const struct bar *bar, int lane, double *worst)
{
	bool smaller_is_worse = bar->kind == RATIO || bar->kind == BEST || bar->kind == FASTEST ||
				bar->kind == AT_LEAST;
	bool broken = false;
	char rows[256];

	*worst = (double)NAN;
	snprintf(rows, sizeof(rows), "%s", bar->rows);
	for (char *name = strtok(rows, " "); name != NULL; name = strtok(NULL, " ")) {
		int row = suite_find(name);
		if (row == -1)
			continue;
		enum outcome_state state = suite->outcomes[row][lane].state;
		broken = broken || state == OUTCOME_KILLED || state == OUTCOME_FAILED;
		double value = measured_in(suite, bar, row, lane);
		*worst = smaller_is_worse ? fmin(*worst, value) : fmax(*worst, value);
	}
	if (broken)
		return MISSED;
	if (isnan(*worst))
		return NOT_MEASURED;
	return met(bar, *worst) ? MET : MISSED;
}

static void verdict_text(char *text, size_t bytes, const struct suite *suite, const struct bar *bar,
			 int lane)
{
	char number[32];
	double worst;

	if ((bar->lanes & LANE_BIT(lane)) == 0) {
		snprintf(text, bytes, " ");
		return;
	}
	enum verdict verdict = judge(suite, bar, lane, &worst);
	table_number(number, sizeof(number), worst);
	if (verdict == NOT_MEASURED)
		snprintf(text, bytes, "not measured");
	else if (isnan(worst))
		snprintf(text, bytes, "MISSED");
	else
		snprintf(text, bytes, "%s%s %s", number, bar->unit,
			 verdict == MET ? "met" : "MISSED");
}

struct bars {
	const struct bar *bars;
	size_t count;
	const char *title;
	unsigned column_count;
	enum lane columns[2];
};

static const struct bars lists[] = {
	{ region_bars,
	  sizeof(region_bars) / sizeof(region_bars[0]),
	  "bars of regions",
	  2,
	  { LANE_FILE, LANE_ANON } },
	{ pager_bars,
	  sizeof(pager_bars) / sizeof(pager_bars[0]),
	  "bars of the pager",
	  2,
	  { LANE_PAGER, LANE_PAGER_FILE } },
	{ heap_bars,
	  sizeof(heap_bars) / sizeof(heap_bars[0]),
	  "bars of the heap",
	  1,
	  { LANE_HEAP } },
	{ remote_bars,
	  sizeof(remote_bars) / sizeof(remote_bars[0]),
	  "bars of remote objects",
	  1,
	  { LANE_REMOTE } },
};

static bool is_measured(const struct suite *suite, const struct bars *list, const struct bar *bar)
{
	double worst;

	for (unsigned column = 0; column < list->column_count; column++)
		if (judge(suite, bar, (int)list->columns[column], &worst) != NOT_MEASURED)
			return true;
	return false;
}

static bool any_measured(const struct suite *suite, const struct bars *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_measured(suite, list, &list->bars[i]))
			return true;
	return false;
}

static void write_title(FILE *to, const struct bars *list, bool markdown)
{
	if (markdown)
		fprintf(to, "| %s |", list->title);
	else
		fprintf(to, "\n%s%-*s", list->title, 60 - (int)strlen(list->title),
			" (the worst of a bar's rows, in this run)");
	for (unsigned column = 0; column < list->column_count; column++)
		fprintf(to, markdown ? " %s |" : " %-21s", allocators[list->columns[column]].name);
	fprintf(to, "\n");
	if (!markdown)
		return;
	for (unsigned column = 0; column <= list->column_count; column++)
		fprintf(to, "|---");
	fprintf(to, "|\n");
}

static void write_list(FILE *to, const struct suite *suite, const struct bars *list, bool markdown)
{
	write_title(to, list, markdown);
	for (size_t i = 0; i < list->count; i++) {
		/* Who asked for some rows does not ask for the others' bars. */
		if (suite->only != NULL && !is_measured(suite, list, &list->bars[i]))
			continue;
		fprintf(to, markdown ? "| %s |" : "  %-58s", list->bars[i].text);
		for (unsigned column = 0; column < list->column_count; column++) {
			char text[64];

			verdict_text(text, sizeof(text), suite, &list->bars[i],
				     (int)list->columns[column]);
			fprintf(to, markdown ? " %s |" : " %-21s", text);
		}
		fprintf(to, "\n");
	}
	if (markdown)
		fprintf(to, "\n");
}

void bar_write(FILE *to, const struct suite *suite, enum table_style style)
{
	size_t count = sizeof(lists) / sizeof(lists[0]);

	/* A list of which nothing was measured is left out. */
	for (size_t i = 0; i < count; i++)
		if (any_measured(suite, &lists[i]))
			write_list(to, suite, &lists[i], style == TABLE_MARKDOWN);
}
