/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Every workload of a program; one file each, which says what it times. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#if defined(BENCH_HEAP)
#define BENCH_WORKLOADS(X)                                                                         \
	X(about)                                                                                   \
	X(pair)                                                                                    \
	X(batch)                                                                                   \
	X(parallel)                                                                                \
	X(commit)                                                                                  \
	X(page)                                                                                    \
	X(reopen)
#elif defined(BENCH_REMOTE)
#define BENCH_WORKLOADS(X)                                                                         \
	X(about)                                                                                   \
	X(stream)                                                                                  \
	X(random)                                                                                  \
	X(first)                                                                                   \
	X(peak)
#elif defined(BENCH_PAGER)
#define BENCH_WORKLOADS(X)                                                                         \
	X(about)                                                                                   \
	X(sequential)                                                                              \
	X(random)                                                                                  \
	X(disk)                                                                                    \
	X(limbo)                                                                                   \
	X(peak)                                                                                    \
	X(policy)                                                                                  \
	X(sort)                                                                                    \
	X(pages)                                                                                   \
	X(churn)                                                                                   \
	X(stream)                                                                                  \
	X(bfs)                                                                                     \
	X(btree)                                                                                   \
	X(checkpoint)
#else
#define BENCH_WORKLOADS(X)                                                                         \
	X(about)                                                                                   \
	X(pair)                                                                                    \
	X(batch)                                                                                   \
	X(touch)                                                                                   \
	X(window)                                                                                  \
	X(handoff)                                                                                 \
	X(parallel)                                                                                \
	X(thread_start)                                                                            \
	X(statistics)                                                                              \
	X(stall)                                                                                   \
	X(growth)                                                                                  \
	X(malloc_large)                                                                            \
	X(larson)                                                                                  \
	X(mstress)                                                                                 \
	X(rptest)                                                                                  \
	X(xmalloc)                                                                                 \
	X(idle)                                                                                    \
	X(churn)                                                                                   \
	X(verify)                                                                                  \
	X(scan)                                                                                    \
	X(scatter)
#endif

#define WORKLOAD(name) void workload_##name(void);
BENCH_WORKLOADS(WORKLOAD)
#undef WORKLOAD

#endif
