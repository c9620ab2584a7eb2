/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The lanes: an allocator, or a way to have more memory than there is, how it is chosen, and in which
 * circumstances.
 */
#ifndef BENCH_ALLOCATOR_H
#define BENCH_ALLOCATOR_H

#include <limits.h>
#include <stdbool.h>

enum lane {
	LANE_FILE,
	LANE_ANON,
	LANE_JEMALLOC,
	LANE_TCACHE,
	LANE_GLIBC,
	LANE_MIMALLOC,
	LANE_TCMALLOC,
	LANE_ANON_SWAP,
	LANE_JEMALLOC_SWAP,
	LANE_PAGER,
	LANE_PAGER_FILE,
	LANE_SWAP,
	LANE_SWAP_HUGE,
	LANE_SHARED_FILE,
	LANE_RANDOM_FILE,
	LANE_HEAP,
	LANE_HEAP_SHARED,
	LANE_BOOST,
	LANE_PMEMOBJ,
	LANE_LMDB,
	LANE_MSYNC,
	LANE_REMOTE,
	LANE_RCLONE,
	LANE_S3FS,
	LANE_CURL,
	LANES,
};

struct allocator {
	const char *name;
	const char *family;   /* what the process must say it is */
	const char *program;  /* "regions": by lg_region_new; "malloc"; "pager"; "heap"; "remote" */
	bool swap;            /* with our swap file on */
	bool quick;           /* part of --quick unless --allocators says otherwise */
	const char *variable; /* environment, or NULL */
	const char *value;
	const char *words;  /* arguments before the row's own, or NULL */
	bool options;       /* takes lgalloc's options: in the variable, or in options= */
	unsigned spare_mib; /* memory over the row's limit, for what a budget does not count */
	const char *const *libraries; /* sonames for LD_PRELOAD; NULL: none needed */
	char path[PATH_MAX];
	char version[64];
	bool wanted;
	bool present;
};

extern struct allocator allocators[LANES];

/*
 * Finds the libraries and asks each for its name and version; drops those that are something else.
 */
void allocator_find(void);

/* Marks those of a comma-separated list as wanted; false and the bad name: there is no such. */
bool allocator_want(const char *list, const char **bad);
void allocator_want_default(bool quick);

static inline bool allocator_used(int lane)
{
	return allocators[lane].wanted && allocators[lane].present;
}

/* ns for one reading of the clock, from the same question. */
double allocator_clock_ns(void);

#endif
