/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * How the memory is divided, decided once from the input's size.
 *
 *   sorting   each thread has a run and a scratch of the same size: half the memory at most. The
 *             other half is for runs on their way to the disk and for the input's page cache.
 *   merging   each thread looks at two windows of each run, the one it reads and the next: a quarter
 *             of the memory in all. The rest is for the output.
 *
 * A plan that does not fit (very many runs: their windows have a least size) is slow, not wrong: regions
 * are memory that the kernel pages to a file, so nothing fails for want of memory.
 */
#ifndef EXTERNAL_SORT_PLAN_H
#define EXTERNAL_SORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan {
	uint64_t memory;
	uint64_t input_bytes;
	unsigned threads;
	size_t run_bytes;    /* a power of two, as regions are */
	size_t run_count;    /* all of run_bytes, the last one may be shorter */
	size_t window_bytes; /* a power of two, pages at least */
	bool spills; /* the runs do not fit: put them aside on disk, take them back in order */
};

/* memory: at least PLAN_MEMORY_MIN. threads: 1 .. PLAN_THREADS_MAX. */
void plan_make(struct plan *plan, uint64_t memory, unsigned threads, uint64_t input_bytes);

#define PLAN_MEMORY_MIN ((uint64_t)8 << 20)
enum { PLAN_THREADS_MAX = 64 };

#endif
