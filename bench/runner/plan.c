/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/plan.h"

#include <stdio.h>
#include <string.h>

#define REGIONS (LANE_BIT(LANE_FILE) | LANE_BIT(LANE_ANON))
#define ALL                                                                                        \
	(REGIONS | LANE_BIT(LANE_JEMALLOC) | LANE_BIT(LANE_GLIBC) | LANE_BIT(LANE_MIMALLOC) |      \
	 LANE_BIT(LANE_TCMALLOC))
#define WITH_TCACHE (ALL | LANE_BIT(LANE_TCACHE))
#define PAGING                                                                                     \
	(LANE_BIT(LANE_FILE) | LANE_BIT(LANE_ANON_SWAP) | LANE_BIT(LANE_JEMALLOC) |                \
	 LANE_BIT(LANE_JEMALLOC_SWAP))

#define PAIR(size, text, in_quick)                                                                 \
	{                                                                                          \
		.name = "pair-" size, .group = "pair", .title = "pair, untouched, " text,          \
		.workload = "pair", .arguments = "size=" size, .full = "ms=150",                   \
		.quick = in_quick, .lanes = WITH_TCACHE, .shown = { { "value", "", UNIT_NS } },    \
	}
#define QUICK "ms=40"

#define TOUCH(size, text, in_quick)                                                                \
	{                                                                                          \
		.name = "touch-" size, .group = "touch",                                           \
		.title = "pair, every page touched, " text, .workload = "touch",                   \
		.arguments = "size=" size, .full = "ms=300", .quick = in_quick, .lanes = ALL,      \
		.warm_mib = 64,                                                                    \
		.shown = { { "value", "", UNIT_NS },                                               \
			   { "none", "the same memory without an allocator", UNIT_NS },            \
			   { "over", "with the allocator / without", UNIT_TIMES } },               \
	}

#define WINDOW(size, text)                                                                         \
	{                                                                                          \
		.name = "window-" size, .group = "window",                                         \
		.title = "window of 64 live, " text ", random replacement", .workload = "window",  \
		.arguments = "live=64 size=" size, .full = "ms=150", .quick = QUICK, .lanes = ALL, \
		.shown = { { "value", "", UNIT_NS } },                                             \
	}

#define LARSON(id, low, high, text)                                                                \
	{                                                                                          \
		.name = "larson-" id, .group = "larson",                                           \
		.title = "larson, 2 threads, " text ", slots handed over", .workload = "larson",   \
		.arguments = "threads=2 low=" low " high=" high, .full = "ms=300",                 \
		.quick = "ms=100", .lanes = ALL, .shown = { { "value", "", UNIT_NS } },            \
	}

#define PARALLEL(id, words, text, in_full, in_quick)                                               \
	{                                                                                          \
		.name = "threads-" id, .group = "threads", .title = text, .workload = "parallel",  \
		.arguments = words, .full = in_full, .quick = in_quick, .lanes = ALL,              \
		.shown = { { "value", "pairs a second of all threads", UNIT_MILLION_S },           \
			   { "one", "of one", UNIT_MILLION_S },                                    \
			   { "scale", "all / one", UNIT_TIMES } },                                 \
	}

#define SCAN(id, limit, text, in_quick)                                                            \
	{                                                                                          \
		.name = "paging-scan-" id, .group = "paging",                                      \
		.title = "paging " text ": cyclic scan, 1 GiB of 2 MiB blocks",                    \
		.workload = "scan", .arguments = "bytes=1G size=2M", .full = "scans=3",            \
		.quick = in_quick, .lanes = PAGING, .limit_mib = limit, .warm_mib = 640,           \
		.repeat_max = 3,                                                                   \
		.shown = { { "value", "cyclic scan", UNIT_MB_S },                                  \
			   { "write", "sequential write", UNIT_MB_S },                             \
			   { "read", "sequential read", UNIT_MB_S } },                             \
	}

#define SCATTER(id, words, limit, text)                                                            \
	{                                                                                          \
		.name = "paging-" id, .group = "paging", .title = "paging " text,                  \
		.workload = "scatter", .arguments = "bytes=1G size=2M " words, .full = "ms=3000",  \
		.lanes = PAGING, .limit_mib = limit, .warm_mib = 640, .repeat_max = 3,             \
		.shown = { { "value", "", UNIT_PER_S } },                                          \
	}

const struct plan plans[] = {
	PAIR("64K", "64 KiB", QUICK),
	PAIR("128K", "128 KiB", NULL),
	PAIR("256K", "256 KiB", NULL),
	PAIR("512K", "512 KiB", NULL),
	PAIR("1M", "1 MiB", NULL),
	PAIR("2M", "2 MiB", QUICK),
	PAIR("4M", "4 MiB", NULL),
	PAIR("8M", "8 MiB", NULL),
	PAIR("16M", "16 MiB", NULL),
	PAIR("32M", "32 MiB", QUICK),
	PAIR("64M", "64 MiB", QUICK),
	PAIR("128M", "128 MiB", NULL),
	PAIR("256M", "256 MiB", NULL),
	PAIR("512M", "512 MiB", NULL),
	PAIR("1G", "1 GiB", QUICK),
	TOUCH("64K", "64 KiB", NULL),
	TOUCH("2M", "2 MiB", "ms=100"),
	TOUCH("32M", "32 MiB", NULL),
	WINDOW("2M", "2 MiB"),
	WINDOW("64M", "64 MiB"),
	{
		.name = "handoff-2M",
		.group = "handoff",
		.title = "producer to consumer, 2 MiB, through a ring of 64",
		.workload = "handoff",
		.arguments = "size=2M",
		.full = "ms=400",
		.quick = "ms=120",
		.lanes = ALL,
		.shown = { { "value", "", UNIT_NS },
			   { "ring", "the ring alone", UNIT_NS },
			   { "over", "over the ring", UNIT_NS } },
	},
	{
		.name = "malloc-large",
		.group = "malloc-large",
		.title = "malloc-large, 5 to 25 MiB, 20 live, all written, one allocation",
		.workload = "malloc_large",
		.arguments = "",
		.full = "count=200",
		.quick = "count=200",
		.lanes = ALL,
		.warm_mib = 1024,
		.shown = { { "value", "second pass", UNIT_MS },
			   { "first", "first pass", UNIT_MS },
			   { "memset", "memset alone", UNIT_MS },
			   { "over", "second pass / memset", UNIT_TIMES },
			   { "over_first", "first pass / memset", UNIT_TIMES } },
	},
	LARSON("small", "64K", "256K", "64 to 256 KiB"),
	LARSON("large", "1M", "4M", "1 to 4 MiB"),
	{
		.name = "mstress",
		.group = "mstress",
		.title = "mstress, 2 threads, 64 KiB to 4 MiB, one take and its share",
		.workload = "mstress",
		.arguments = "threads=2",
		.full = "count=16000",
		.quick = "count=2000",
		.lanes = ALL,
		.warm_mib = 512,
		.shown = { { "value", "", UNIT_NS } },
	},
	{
		.name = "rptest",
		.group = "rptest",
		.title = "rptest, 2 threads, 64 to 512 KiB, one take and its give",
		.workload = "rptest",
		.arguments = "threads=2",
		.full = "ms=300",
		.quick = "ms=100",
		.lanes = ALL,
		.warm_mib = 512,
		.shown = { { "value", "", UNIT_NS } },
	},
	{
		.name = "xmalloc",
		.group = "xmalloc",
		.title = "xmalloc-test, one thread takes, one gives, 64 to 256 KiB, one block",
		.workload = "xmalloc",
		.arguments = "threads=2",
		.full = "ms=300",
		.quick = "ms=100",
		.lanes = ALL,
		.shown = { { "value", "", UNIT_NS } },
	},
	PARALLEL("2", "threads=2", "two threads against one, 2 MiB, private work", "ms=400",
		 "ms=120"),
	PARALLEL("neighbours", "threads=2 neighbours=1",
		 "two threads against one, 2 MiB, interleaved neighbours", "ms=400", "ms=120"),
	PARALLEL("1", "threads=1", "one thread, 2 MiB, 8 blocks of its own", "ms=150", NULL),
	PARALLEL("4", "threads=4", "four threads, 2 MiB, private work", "ms=150", NULL),
	PARALLEL("8", "threads=8", "eight threads, 2 MiB, private work", "ms=150", NULL),
	PARALLEL("16", "threads=16", "sixteen threads, 2 MiB, private work", "ms=150", NULL),
	{
		.name = "thread-start",
		.group = "thread-start",
		.title = "a new thread's first block, 2 MiB, the class warm",
		.workload = "thread_start",
		.arguments = "size=2M",
		.full = "count=1000",
		.quick = "count=300",
		.lanes = ALL,
		.shown = { { "value", "", UNIT_US } },
	},
	{
		.name = "statistics",
		.group = "statistics",
		.title = "statistics snapshot, 64 threads live",
		.workload = "statistics",
		.arguments = "threads=64",
		.full = "count=2000",
		.quick = "count=500",
		.lanes = REGIONS,
		.shown = { { "value", "", UNIT_US } },
	},
	{
		.name = "growth",
		.group = "growth",
		.title = "growth of one block from 64 KiB to 1 GiB, doubled, new pages touched",
		.workload = "growth",
		.arguments = "",
		.full = "max=1G",
		.lanes = ALL,
		.warm_mib = 2304,
		.shown = { { "value", "", UNIT_MS }, { "resize", "the resizes alone", UNIT_MS } },
	},
	{
		.name = "stall",
		.group = "stall",
		.title = "longest stall of another thread while 1 GiB is given back",
		.workload = "stall",
		.arguments = "bytes=1G size=2M",
		.full = "",
		.quick = "",
		.lanes = ALL,
		.warm_mib = 2304,
		.shown = { { "value", "", UNIT_MS },
			   { "fault", "of a fault", UNIT_MS },
			   { "take", "of a take", UNIT_MS },
			   { "quiet", "with nothing given back", UNIT_MS },
			   { "trim", "giving back took", UNIT_MS } },
	},
	{
		.name = "idle",
		.group = "idle",
		.title = "left after 512 MiB were given back, 4 idle threads",
		.workload = "idle",
		.arguments = "bytes=512M threads=4",
		.full = "wait=30000",
		.quick = "wait=4000",
		.quick_options = "interval:250ms,second_decay:1s,retire_delay:1s",
		.lanes = ALL,
		.repeat_max = 1,
		.shown = { { "value", "physical over the start", UNIT_MIB },
			   { "address", "address space over the start", UNIT_MIB },
			   { "disk", "blocks of files", UNIT_MIB },
			   { "peak", "at most", UNIT_MIB },
			   { "settled", "under 4 MiB after", UNIT_MS } },
	},
	{
		.name = "churn",
		.group = "churn",
		.title = "600 MiB as 2, then 4, then 8 MiB, written, under 1 GiB without swap",
		.workload = "churn",
		.arguments = "bytes=600M",
		.full = "passes=2",
		.quick = "passes=1",
		.lanes = ALL,
		.warm_mib = 1024,
		.limit_mib = 1024,
		.repeat_max = 3,
		.shown = { { "value", "", UNIT_MS } },
	},
	SCAN("2", 512, "2:1", NULL),
	SCAN("4", 256, "4:1", NULL),
	SCATTER("read", "write=0", 512, "2:1: random reads of 4 KiB"),
	SCATTER("write", "write=1", 512, "2:1: random writes of 4 KiB"),
};

const size_t plan_count = sizeof(plans) / sizeof(plans[0]);

/* Whether a comma-separated list holds this word. */
static bool holds(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

bool plan_wanted(const struct plan *plan, const char *only, bool quick)
{
	if (only != NULL && !holds(only, plan->name) && !holds(only, plan->group))
		return false;
	/* Named outright, a row that quick leaves out is run as it is in full. */
	return !quick || plan->quick != NULL || (only != NULL && holds(only, plan->name));
}

bool plan_only_is_known(const char *only, const char **bad)
{
	static char copy[512];

	snprintf(copy, sizeof(copy), "%s", only);
	for (char *name = strtok(copy, ","); name != NULL; name = strtok(NULL, ",")) {
		bool known = strcmp(name, "demo") == 0;
		for (size_t i = 0; i < plan_count && !known; i++)
			known = strcmp(plans[i].name, name) == 0 ||
				strcmp(plans[i].group, name) == 0;
		*bad = name;
		if (!known)
			return false;
	}
	return true;
}

bool unit_more_is_better(enum unit unit)
{
	return unit == UNIT_MB_S || unit == UNIT_PER_S || unit == UNIT_MILLION_S;
}

const char *unit_name(enum unit unit)
{
	static const char *const names[] = {
		[UNIT_NS] = "ns",         [UNIT_US] = "us",     [UNIT_MS] = "ms",
		[UNIT_MIB] = "MiB",       [UNIT_MB_S] = "MB/s", [UNIT_PER_S] = "/s",
		[UNIT_MILLION_S] = "M/s", [UNIT_TIMES] = "x",
	};

	return names[unit];
}

double unit_ratio(enum unit unit, double value, double base)
{
	return unit_more_is_better(unit) ? value / base : base / value;
}
