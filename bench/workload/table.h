/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Every workload; one file each, which says what it times. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#define BENCH_WORKLOADS(X)                                                                         \
	X(about)                                                                                   \
	X(pair)                                                                                    \
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

#define WORKLOAD(name) void workload_##name(void);
BENCH_WORKLOADS(WORKLOAD)
#undef WORKLOAD

#endif
