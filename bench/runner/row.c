/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Every row there is, in the order they are run. */
#include "runner/plan.h"

#define REGIONS (LANE_BIT(LANE_FILE) | LANE_BIT(LANE_ANON))
#define ALL                                                                                        \
	(REGIONS | LANE_BIT(LANE_JEMALLOC) | LANE_BIT(LANE_GLIBC) | LANE_BIT(LANE_MIMALLOC) |      \
	 LANE_BIT(LANE_TCMALLOC))
#define WITH_TCACHE (ALL | LANE_BIT(LANE_TCACHE))
#define PAGING                                                                                     \
	(LANE_BIT(LANE_FILE) | LANE_BIT(LANE_ANON_SWAP) | LANE_BIT(LANE_JEMALLOC) |                \
	 LANE_BIT(LANE_JEMALLOC_SWAP))

#define PAGERS (LANE_BIT(LANE_PAGER) | LANE_BIT(LANE_PAGER_FILE))
#define SWAPS (LANE_BIT(LANE_SWAP) | LANE_BIT(LANE_SWAP_HUGE))
#define FILES (LANE_BIT(LANE_SHARED_FILE) | LANE_BIT(LANE_RANDOM_FILE))

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

#define SEQUENTIAL(size, text, in_quick)                                                           \
	{                                                                                          \
		.name = "pager-scan-" size, .group = "pager",                                      \
		.title = "1 GiB with 512 MiB: written and read from the front, pages of " text,    \
		.workload = "sequential", .arguments = "bytes=1G memory=512M page=" size,          \
		.full = "", .quick = in_quick, .lanes = PAGERS | SWAPS | FILES, .limit_mib = 512,  \
		.warm_mib = 640, .repeat_max = 3, .base = LANE_SWAP,                               \
		.shown = { { "write", "sequential write", UNIT_MB_S },                             \
			   { "read", "sequential read, cold", UNIT_MB_S },                         \
			   { "written_mib", "written", UNIT_MIB } },                               \
	}

#define CYCLE(size, text)                                                                          \
	{                                                                                          \
		.name = "pager-cycle-" size, .group = "pager",                                     \
		.title = "1 GiB with 512 MiB: cyclic scan, lifo, pages of " text,                  \
		.workload = "sequential",                                                          \
		.arguments = "bytes=1G memory=512M policy=lifo page=" size, .full = "cycles=3",    \
		.lanes = PAGERS | LANE_BIT(LANE_SWAP) | LANE_BIT(LANE_SHARED_FILE),                \
		.limit_mib = 512, .warm_mib = 640, .repeat_max = 3, .base = LANE_SWAP,             \
		.shown = { { "value", "cyclic scan", UNIT_MB_S },                                  \
			   { "read_mib", "read", UNIT_MIB } },                                     \
	}

#define RANDOM(id, words, text, which)                                                             \
	{                                                                                          \
		.name = "pager-" id, .group = "pager", .title = "1 GiB with 512 MiB: " text,       \
		.workload = "random", .arguments = "bytes=1G " words, .full = "", .lanes = which,  \
		.limit_mib = 512, .warm_mib = 640, .repeat_max = 3, .base = LANE_SWAP,             \
		.shown = { { "value", "", UNIT_PER_S } },                                          \
	}

#define LIMBO(id, words, text, in_quick)                                                           \
	{                                                                                          \
		.name = "pager-limbo-" id, .group = "pager",                                       \
		.title = "a fault on 2 MiB that limbo holds, " text, .workload = "limbo",          \
		.arguments = "memory=256M page=2M policy=fifo prefetch=off " words,                \
		.full = "ms=2000", .quick = in_quick, .lanes = PAGERS, .warm_mib = 384,            \
		.repeat_max = 3, .base = LANE_PAGER,                                               \
		.shown = { { "value", "", UNIT_US },                                               \
			   { "resident", "a resident touch", UNIT_NS },                            \
			   { "resident_over", "plain memory's x", UNIT_TIMES },                    \
			   { "written", "written", UNIT_MIB } },                                   \
	}

#define TWO(size, words)                                                                           \
	{                                                                                          \
		.name = "pager-threads-" size, .group = "pager",                                   \
		.title = "1 GiB with 512 MiB: two threads against one, random reads of " size,     \
		.workload = "random",                                                              \
		.arguments = "bytes=1G memory=512M threads=2 single=1 page=" size " unit=" size,   \
		.full = "ms=2000", .lanes = words, .limit_mib = 512, .warm_mib = 640,              \
		.repeat_max = 3, .base = LANE_SWAP,                                                \
		.shown = { { "value", "two threads", UNIT_PER_S },                                 \
			   { "one", "one", UNIT_PER_S },                                           \
			   { "scale", "two / one", UNIT_TIMES } },                                 \
	}

/* Of many small pages the tables count. */
#define PEAK(id, arguments_, sizes, in_full, in_quick)                                             \
	{                                                                                          \
		.name = "pager-peak-" id, .group = "pager",                                        \
		.title = sizes ": the most memory over the budget, 8 threads, " arguments_,        \
		.workload = "peak", .arguments = "threads=8 " arguments_,                          \
		.full = in_full " ms=4000", .quick = in_quick, .lanes = PAGERS, .warm_mib = 640,   \
		.repeat_max = 3, .base = LANE_PAGER,                                               \
		.shown = { { "value", "all of the process", UNIT_MIB },                            \
			   { "rise", "since before the pager", UNIT_MIB } },                       \
	}
#define PEAK_HALF(page, in_quick)                                                                  \
	PEAK(page, "page=" page, "1 GiB with 512 MiB", "bytes=1G memory=512M", in_quick)
#define PEAK_MANY(policy)                                                                          \
	PEAK("3G-" policy, "page=4K policy=" policy, "6 GiB with 3 GiB", "bytes=6G memory=3G", NULL)

/* What UMap and uMMAP-IO measure themselves by, and a B-tree. */
#define PEER(id, text, words, arguments_, limit, which, how, ...)                                  \
	{                                                                                          \
		.name = "peers-" id, .group = "peers", .title = text, .workload = words,           \
		.arguments = arguments_, .full = "", .lanes = which, .limit_mib = limit,           \
		.warm_mib = 640, .repeat_max = 3, .base = LANE_SWAP,                               \
		.shown = { { "value", "", how }, __VA_ARGS__ },                                    \
	}

#define HEAPS                                                                                      \
	(LANE_BIT(LANE_HEAP) | LANE_BIT(LANE_HEAP_SHARED) | LANE_BIT(LANE_BOOST) |                 \
	 LANE_BIT(LANE_PMEMOBJ))
#define HEAPS_AND_GLIBC (HEAPS | LANE_BIT(LANE_GLIBC))

#define HEAP_PAIR(size, text)                                                                      \
	{                                                                                          \
		.name = "heap-pair-" size, .group = "heap", .title = "persistent: pair, " text,    \
		.workload = "pair", .arguments = "size=" size, .full = "ms=150", .quick = QUICK,   \
		.lanes = HEAPS_AND_GLIBC, .base = LANE_GLIBC,                                      \
		.shown = { { "value", "", UNIT_NS } },                                             \
	}

#define HEAP_PAGE(size, text, in_quick)                                                            \
	{                                                                                          \
		.name = "heap-page-" size, .group = "heap",                                        \
		.title = "persistent: one change made durable, " text " resident",                 \
		.workload = "page", .arguments = "bytes=" size, .full = "count=300",               \
		.quick = in_quick, .lanes = LANE_BIT(LANE_HEAP) | LANE_BIT(LANE_LMDB),             \
		.base = LANE_LMDB,                                                                 \
		.shown = { { "value", "the median", UNIT_US },                                     \
			   { "mean", "the mean", UNIT_US },                                        \
			   { "raw", "pwrite and fdatasync of a page", UNIT_US },                   \
			   { "over", "over these", UNIT_TIMES } },                                 \
	}

#define MOST (PAGERS | LANE_BIT(LANE_SWAP) | FILES)

#define PAGES(id, text, words)                                                                     \
	PEER("pages-" id, "512 MiB with 256: two threads, each page once, " text, "pages",         \
	     "bytes=512M memory=256M page=4K threads=2 " words, 256, MOST, UNIT_PER_S,             \
	     { "read_mib", "read", UNIT_MIB }, { "written_mib", "written", UNIT_MIB })

#define BUDGET(mib)                                                                                \
	{                                                                                          \
		.name = "pager-budget-" #mib, .group = "pager-budget",                             \
		.title = "1 GiB with " #mib " MiB: random reads of 4 KiB", .workload = "random",   \
		.arguments = "bytes=1G page=4K memory=" #mib "M", .full = "warm=1000 ms=2000",     \
		.lanes = PAGERS | LANE_BIT(LANE_SWAP) | FILES, .limit_mib = mib, .warm_mib = 1280, \
		.repeat_max = 1, .base = LANE_SWAP, .shown = { { "value", "", UNIT_PER_S } },      \
	}

#define BUDGET_SCAN(mib)                                                                           \
	{                                                                                          \
		.name = "pager-budget-scan-" #mib, .group = "pager-budget-scan",                   \
		.title = "1 GiB with " #mib " MiB: cyclic scan, lifo, pages of 2 MiB",             \
		.workload = "sequential",                                                          \
		.arguments = "bytes=1G page=2M policy=lifo memory=" #mib "M", .full = "cycles=2",  \
		.lanes = PAGERS | LANE_BIT(LANE_SWAP) | LANE_BIT(LANE_SHARED_FILE),                \
		.limit_mib = mib, .warm_mib = 1280, .repeat_max = 1, .base = LANE_SWAP,            \
		.shown = { { "value", "cyclic scan", UNIT_MB_S },                                  \
			   { "write", "sequential write", UNIT_MB_S },                             \
			   { "read", "sequential read, cold", UNIT_MB_S } },                       \
	}

#define MOUNTS (LANE_BIT(LANE_RCLONE) | LANE_BIT(LANE_S3FS))

#define REMOTE_STREAM(id, words, text, in_quick, others, base_)                                    \
	{                                                                                          \
		.name = "remote-" id, .group = "remote", .title = "an object of 64 MiB, " text,    \
		.workload = "stream", .arguments = "bytes=64M " words, .full = "",                 \
		.quick = in_quick, .lanes = LANE_BIT(LANE_REMOTE) | (others), .repeat_max = 3,     \
		.warm_mib = 512, .base = base_,                                                    \
		.shown = { { "value", "", UNIT_MIB_S },                                            \
			   { "with_open", "with the opening", UNIT_MIB_S },                        \
			   { "open", "until it was open", UNIT_MS } },                             \
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
	SEQUENTIAL("4K", "4 KiB", NULL),
	SEQUENTIAL("64K", "64 KiB", NULL),
	SEQUENTIAL("2M", "2 MiB", NULL),
	CYCLE("64K", "64 KiB"),
	CYCLE("2M", "2 MiB"),
	RANDOM("read-1", "memory=480M page=4K", "random reads of 4 KiB, the pager has 480 MiB",
	       PAGERS | SWAPS | FILES),
	RANDOM("read-8", "memory=480M page=4K threads=8",
	       "random reads of 4 KiB, 8 threads, the pager has 480 MiB", PAGERS | SWAPS | FILES),
	RANDOM("write-1", "memory=512M page=4K write=1", "random writes of 4 KiB",
	       PAGERS | SWAPS | FILES),
	TWO("4K", PAGERS | LANE_BIT(LANE_SWAP)),
	TWO("64K", PAGERS | LANE_BIT(LANE_SWAP)),
	TWO("2M", PAGERS | LANE_BIT(LANE_SWAP)),
	LIMBO("read", "write=0", "read", "ms=500"),
	LIMBO("write", "write=1", "written", NULL),
	LIMBO("read-2", "write=0 other=1", "read, another thread runs", NULL),
	LIMBO("write-2", "write=1 other=1", "written, another thread runs", NULL),
	PEAK_HALF("4K", NULL),
	PEAK_HALF("64K", "bytes=128M memory=64M ms=500"),
	PEAK_HALF("2M", NULL),
	PEAK_MANY("clock"),
	PEAK_MANY("s3fifo"),
	{
		.name = "pager-disk",
		.group = "pager",
		.title = "the disk by itself, O_DIRECT, 2 MiB at a time: written again",
		.workload = "disk",
		.arguments = "bytes=1G",
		.full = "",
		.lanes = LANE_BIT(LANE_PAGER),
		.repeat_max = 3,
		.base = LANE_PAGER,
		.shown = { { "value", "", UNIT_MB_S },
			   { "write", "new blocks", UNIT_MB_S },
			   { "read", "read", UNIT_MB_S },
			   { "random", "4 KiB at random", UNIT_US } },
	},
	{
		.name = "pager-policy",
		.group = "pager",
		.title = "64 MiB with 32 MiB: misses of each policy against the exact simulation",
		.workload = "policy",
		.arguments = "bytes=64M memory=32M page=4K prefetch=off",
		.full = "count=200000",
		.lanes = LANE_BIT(LANE_PAGER),
		.repeat_max = 1,
		.base = LANE_PAGER,
		.shown = { { "value", "the worst", UNIT_PERCENT },
			   { "clock", "clock", UNIT_PERCENT },
			   { "s3fifo", "s3fifo", UNIT_PERCENT },
			   { "fifo", "fifo", UNIT_PERCENT },
			   { "lifo", "lifo", UNIT_PERCENT },
			   { "plru", "plru", UNIT_PERCENT },
			   { "prnd", "prnd", UNIT_PERCENT },
			   { "wiro_f", "wiro_f", UNIT_PERCENT },
			   { "wiro_l", "wiro_l", UNIT_PERCENT } },
	},
	BUDGET(128),
	BUDGET(256),
	BUDGET(512),
	BUDGET(768),
	BUDGET(960),
	BUDGET_SCAN(128),
	BUDGET_SCAN(256),
	BUDGET_SCAN(512),
	BUDGET_SCAN(768),
	BUDGET_SCAN(960),
	PEER("sort-2", "umapsort: 1 GiB with 512 MiB, two threads", "sort",
	     "bytes=1G memory=512M page=64K threads=2", 512, MOST, UNIT_S,
	     { "read_mib", "read", UNIT_MIB }, { "written_mib", "written", UNIT_MIB }),
	PEER("sort-4", "umapsort: 1 GiB with 256 MiB, two threads", "sort",
	     "bytes=1G memory=256M page=64K threads=2", 256, MOST, UNIT_S,
	     { "read_mib", "read", UNIT_MIB }, { "written_mib", "written", UNIT_MIB }),
	PAGES("read", "read", ""),
	PAGES("write", "written", "write=1"),
	PAGES("modify", "read and written", "modify=1"),
	PAGES("read-shuffled", "read, shuffled", "shuffled=1"),
	PAGES("write-shuffled", "written, shuffled", "write=1 shuffled=1"),
	PAGES("modify-shuffled", "read and written, shuffled", "modify=1 shuffled=1"),
	PEER("churn", "1 GiB with 512 MiB: 128 MiB used all the time beside a scan of the rest",
	     "churn", "bytes=1G memory=512M hot=128M page=64K", 512, MOST, UNIT_PER_S,
	     { "cold", "the scan", UNIT_MB_S }, { "read_mib", "read", UNIT_MIB }),
	PEER("stream", "STREAM: three arrays of 340 MiB with 510 MiB, two threads", "stream",
	     "bytes=1020M memory=510M page=2M threads=2", 510, MOST, UNIT_MB_S,
	     { "copy", "copy", UNIT_MB_S }, { "scale", "scale", UNIT_MB_S },
	     { "add", "add", UNIT_MB_S }, { "triad", "triad", UNIT_MB_S }),
	PEER("bfs", "BFS on R-MAT, scale 20: 128 MiB of neighbours with 64 MiB", "bfs",
	     "scale=20 memory=64M page=64K", 96, MOST, UNIT_MILLION_S,
	     { "read_mib", "read", UNIT_MIB }),
	PEER("btree", "B-tree of 10 million keys, 160 MiB with 40 MiB: random look-ups", "btree",
	     "keys=10000000 memory=40M page=4K", 40, MOST, UNIT_PER_S,
	     { "read_mib", "read", UNIT_MIB }),
	{
		.name = "peers-checkpoint",
		.group = "peers",
		.title = "uMMAP-IO's example: 1 GiB with 512 MiB, an eighth changed and synced",
		.workload = "checkpoint",
		.arguments = "bytes=1G memory=512M page=64K",
		.full = "",
		.lanes = LANE_BIT(LANE_PAGER_FILE) | FILES,
		.limit_mib = 512,
		.warm_mib = 640,
		.repeat_max = 3,
		.base = LANE_SHARED_FILE,
		.shown = { { "value", "", UNIT_MS },
			   { "write", "all written and synced", UNIT_MB_S } },
	},
	HEAP_PAIR("16", "16 bytes"),
	HEAP_PAIR("64", "64 bytes"),
	HEAP_PAIR("256", "256 bytes"),
	HEAP_PAIR("1K", "1 KiB"),
	HEAP_PAIR("64K", "64 KiB"),
	HEAP_PAIR("1M", "1 MiB"),
	{
		.name = "heap-batch",
		.group = "heap",
		.title = "persistent: 1000 of 64 bytes, first byte touched, given back shuffled",
		.workload = "batch",
		.arguments = "size=64 count=1000",
		.full = "ms=150",
		.quick = QUICK,
		.lanes = HEAPS_AND_GLIBC,
		.base = LANE_GLIBC,
		.shown = { { "value", "", UNIT_NS } },
	},
	{
		.name = "heap-threads",
		.group = "heap",
		.title = "persistent: two threads against one, 64 bytes, private work",
		.workload = "parallel",
		.arguments = "threads=2 size=64",
		.full = "ms=400",
		.quick = "ms=120",
		.lanes = HEAPS_AND_GLIBC,
		.base = LANE_GLIBC,
		.shown = { { "value", "pairs a second of both", UNIT_MILLION_S },
			   { "one", "of one", UNIT_MILLION_S },
			   { "scale", "both / one", UNIT_TIMES } },
	},
	{
		.name = "heap-commit",
		.group = "heap",
		.title = "persistent: 1000 random pages of 512 MiB made durable",
		.workload = "commit",
		.arguments = "bytes=512M pages=1000",
		.full = "count=100",
		.lanes = LANE_BIT(LANE_HEAP) | LANE_BIT(LANE_HEAP_SHARED) | LANE_BIT(LANE_MSYNC),
		.repeat_max = 3,
		.base = LANE_MSYNC,
		.shown = { { "value", "alone", UNIT_MS },
			   { "mean", "one behind the other", UNIT_MS },
			   { "written", "written each", UNIT_MIB } },
	},
	HEAP_PAGE("16M", "16 MiB", "count=100"),
	HEAP_PAGE("64M", "64 MiB", NULL),
	HEAP_PAGE("512M", "512 MiB", NULL),
	{
		.name = "heap-reopen",
		.group = "heap",
		.title = "persistent: a heap of 10 GiB is opened",
		.workload = "reopen",
		.arguments = "bytes=10G block=1M replay=32M",
		.full = "count=9",
		.lanes = LANE_BIT(LANE_HEAP),
		.repeat_max = 3,
		.base = LANE_HEAP,
		.shown = { { "value", "after a close", UNIT_MS },
			   { "commit", "the first commit", UNIT_MS },
			   { "killed", "after a kill, one page in the journal", UNIT_MS },
			   { "replay", "32 MiB in it", UNIT_MS } },
	},
	REMOTE_STREAM("read-64M", "delay=20 memory=64M", "20 ms a request: read with 64 MiB", "",
		      MOUNTS | LANE_BIT(LANE_CURL), LANE_CURL),
	REMOTE_STREAM("read-256M", "delay=20 memory=256M", "20 ms a request: read with 256 MiB",
		      NULL, MOUNTS | LANE_BIT(LANE_CURL), LANE_CURL),
	/* The mounts take half a minute for it. */
	REMOTE_STREAM("backward-64M", "delay=20 memory=64M order=backward",
		      "20 ms a request: backward with 64 MiB", NULL, 0, LANE_REMOTE),
	REMOTE_STREAM("backward-256M", "delay=20 memory=256M order=backward",
		      "20 ms a request: backward with 256 MiB", NULL, 0, LANE_REMOTE),
	REMOTE_STREAM("stride-64M", "delay=20 memory=64M unit=4K stride=2",
		      "20 ms a request: every second 4 KiB with 64 MiB", NULL, MOUNTS, LANE_RCLONE),
	REMOTE_STREAM("stride-256M", "delay=20 memory=256M unit=4K stride=2",
		      "20 ms a request: every second 4 KiB with 256 MiB", NULL, 0, LANE_REMOTE),
	REMOTE_STREAM("pages-64M", "delay=20 memory=64M unit=256K stride=2",
		      "20 ms a request: every second 256 KiB with 64 MiB", NULL, MOUNTS,
		      LANE_RCLONE),
	REMOTE_STREAM("pages-256M", "delay=20 memory=256M unit=256K stride=2",
		      "20 ms a request: every second 256 KiB with 256 MiB", NULL, 0, LANE_REMOTE),
	REMOTE_STREAM("plain", "delay=0 memory=256M url=http",
		      "no added latency, http: read with 256 MiB", NULL,
		      MOUNTS | LANE_BIT(LANE_CURL), LANE_CURL),
	{
		.name = "remote-random",
		.group = "remote",
		.title =
			"an object of 64 MiB, 20 ms a request: 4 KiB at random, 16 threads against one",
		.workload = "random",
		.arguments = "bytes=64M delay=20 memory=64M",
		.full = "count=60 threads=16 each=10",
		.lanes = LANE_BIT(LANE_REMOTE) | MOUNTS,
		.repeat_max = 3,
		.base = LANE_RCLONE,
		.shown = { { "value", "the median of one thread's", UNIT_MS },
			   { "one", "one thread", UNIT_PER_S },
			   { "all", "16 threads", UNIT_PER_S },
			   { "scale", "16 threads / one", UNIT_TIMES } },
	},
	{
		.name = "remote-first",
		.group = "remote",
		.title = "an object, 20 ms a request: the first byte",
		.workload = "first",
		.arguments = "bytes=1M delay=20",
		.full = "",
		.lanes = LANE_BIT(LANE_REMOTE) | MOUNTS | LANE_BIT(LANE_CURL),
		.repeat_max = 3,
		.base = LANE_CURL,
		.shown = { { "value", "", UNIT_MS } },
	},
	{
		.name = "remote-peak",
		.group = "remote",
		.title = "an object of 64 MiB through 32: the most memory over the budget",
		.workload = "peak",
		.arguments = "bytes=64M memory=32M",
		.full = "",
		.lanes = LANE_BIT(LANE_REMOTE),
		.base = LANE_REMOTE,
		.shown = { { "value", "all of the process", UNIT_MIB } },
	},
};

const size_t plan_count = sizeof(plans) / sizeof(plans[0]);
