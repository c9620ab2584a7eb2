/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Sync: dirty pages are written where they are, and stay. Each is write-protected first, so that what is
 * written is whole and a later store is seen; who writes to it meanwhile waits. A pinned page is written
 * as it is, and stays DIRTY. Where writes cannot be seen, pages go to limbo to be written.
 */
#ifndef LG_PAGER_SYNC_H
#define LG_PAGER_SYNC_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;

/*
 * Writes what is dirty of the pages. 0, or the first error. `waits`: also what others are at, when they are done; a writer must
 * not, for they may be waiting for the memory that it gives.
 */
int lg_sync_write(struct lg_map *map, uint64_t first, uint64_t end, bool waits);

/* The same, and makes it durable where the store lasts. 0, or the first error since the last, in words. */
int lg_sync_and_flush(struct lg_map *map, uint64_t first, uint64_t end);

#endif
