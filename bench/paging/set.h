/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A set of blocks of one size, used as one long row of bytes: more than the cgroup's memory, so the
 * kernel must page. Progress comes out as "taken" MiB, so a killed process's last word is known.
 */
#ifndef BENCH_SET_H
#define BENCH_SET_H

#include "workload/block.h"

enum { SET_BLOCKS_MAX = 16384 };

struct set {
	size_t block_bytes;
	size_t count;
	size_t bytes;
	block *blocks[SET_BLOCKS_MAX];
};

/* Takes every block; touches none. */
void set_take(struct set *set, size_t bytes, size_t block_bytes);

void set_give(struct set *set);

static inline void *set_at(const struct set *set, size_t offset)
{
	return (char *)block_data(set->blocks[offset / set->block_bytes]) +
	       offset % set->block_bytes;
}

/* Tells how far a first writing has come, every 16 MiB. */
void set_progress(size_t offset);

#endif
