/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Every workload of a program; one file each, which says what it times. X(name, arguments): the names of all that it
 * takes, what the runner says to every workload of the program among them.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#if defined(BENCH_HEAP)
/* Whose heap, and how it is opened. */
#define HEAP "heap options"
#define BENCH_WORKLOADS(X)                                                                         \
	X(about, HEAP)                                                                             \
	X(pair, HEAP " size ms")                                                                   \
	X(batch, HEAP " size count ms")                                                            \
	X(parallel, HEAP " size threads neighbours ms")                                            \
	X(commit, HEAP " bytes pages alone count")                                                 \
	X(page, HEAP " bytes count")                                                               \
	X(reopen, HEAP " bytes block replay count")
#elif defined(BENCH_REMOTE)
/* Who reads, and how. */
#define REMOTE "remote options url memory"
#define BENCH_WORKLOADS(X)                                                                         \
	X(about, REMOTE)                                                                           \
	X(stream, REMOTE " bytes delay unit stride order")                                         \
	X(random, REMOTE " bytes delay threads count each")                                        \
	X(first, REMOTE " bytes delay")                                                            \
	X(peak, REMOTE " bytes delay")
#elif defined(BENCH_PAGER)
/* Which way, and how a pager is made. */
#define WAY "space options"
#define SPACE WAY " memory page policy prefetch"
#define BENCH_WORKLOADS(X)                                                                         \
	X(about, WAY)                                                                              \
	X(sequential, SPACE " bytes cycles")                                                       \
	X(random, SPACE " bytes threads unit write single warm ms")                                \
	X(disk, WAY " bytes reads")                                                                \
	X(limbo, SPACE " write other ms")                                                          \
	X(peak, SPACE " bytes threads ms")                                                         \
	X(policy, WAY " memory page prefetch bytes count")                                         \
	X(sort, SPACE " bytes threads")                                                            \
	X(pages, SPACE " bytes threads shuffled modify write")                                     \
	X(churn, SPACE " bytes hot ms")                                                            \
	X(stream, SPACE " bytes threads rounds")                                                   \
	X(bfs, SPACE " scale degree searches")                                                     \
	X(btree, SPACE " keys threads warm ms")                                                    \
	X(checkpoint, SPACE " bytes steps")
#else
#define BENCH_WORKLOADS(X)                                                                         \
	X(about, "")                                                                               \
	X(pair, "size ms")                                                                         \
	X(batch, "size count ms")                                                                  \
	X(touch, "size ms")                                                                        \
	X(window, "size live ms")                                                                  \
	X(handoff, "size ms")                                                                      \
	X(parallel, "size threads neighbours ms")                                                  \
	X(thread_start, "size count")                                                              \
	X(statistics, "threads count")                                                             \
	X(stall, "size bytes")                                                                     \
	X(growth, "max")                                                                           \
	X(malloc_large, "count")                                                                   \
	X(larson, "threads low high live ms")                                                      \
	X(mstress, "threads count transfer")                                                       \
	X(rptest, "threads low high count ms")                                                     \
	X(xmalloc, "threads low high queue batch ms")                                              \
	X(idle, "size bytes threads wait")                                                         \
	X(churn, "bytes passes")                                                                   \
	X(verify, "size bytes")                                                                    \
	X(scan, "size bytes scans")                                                                \
	X(scatter, "size bytes write ms")
#endif

#define WORKLOAD(name, arguments) void workload_##name(void);
BENCH_WORKLOADS(WORKLOAD)
#undef WORKLOAD

#endif
