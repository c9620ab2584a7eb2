/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the process occupies, and the allocator's own way to give memory back. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct memory {
	uint64_t resident; /* pages mapped by the process (Rss) */
	uint64_t physical; /* and the page cache of lgalloc's files where it is not mapped */
	uint64_t address;  /* regions: bytes of areas mapped; malloc: the address space in use */
	uint64_t disk;     /* blocks of lgalloc's files */
};

void memory_read(struct memory *memory);

/*
 * lg_trim, jemalloc's purge, mi_collect, tcmalloc's ReleaseFreeMemory or malloc_trim. False: the
 * allocator behind malloc has none that we know.
 */
bool memory_trim(void);

/* The name and version of the allocator this process really uses. */
void memory_report_allocator(void);

#endif
