/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A block: what a workload takes and gives back.
 *
 * The workloads are compiled twice from the same sources. In lgalloc-bench-regions a block is a
 * region and liblgalloc is linked as any program links it; in lgalloc-bench-malloc it is what
 * malloc returned, and the allocator behind malloc is chosen by LD_PRELOAD. Both call through the
 * table below, which holds the library's own functions: no wrapper, one indirect call each, for
 * everybody. In lgalloc-bench-heap a block is an object of a persistent heap (heap/peer.h).
 */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include <stddef.h>

#ifdef BENCH_REGIONS
#include <lgalloc/lgalloc.h>
typedef lg_region block;
#else
typedef void block;
#endif

struct block_calls {
	block *(*take)(size_t bytes);
	void (*give)(block *given);
	block *(*resize)(block *kept, size_t bytes);
};

/*
 * Not const and filled at run time, so that no compiler turns a call into a direct one or drops it.
 */
extern struct block_calls block_calls;

void block_calls_init(void);

/* As block_calls.take; the workload ends with the reason where there is none. */
block *block_take(size_t bytes);

static inline void *block_data(block *of)
{
#ifdef BENCH_REGIONS
	return lg_region_data(of);
#else
	return of;
#endif
}

#endif
