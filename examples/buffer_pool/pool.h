/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A buffer pool: pages of a file that is only read, in frames carved from 2 MiB regions.
 *
 * The pool grows a region at a time as pages are asked for, up to its memory, and only then evicts, by a
 * clock: a frame used since the hand last came by gets a second round. A pinned frame stays; whoever finds
 * all frames pinned waits for one. That wait ends if no thread asks for a page while it has one pinned.
 *
 * Shards, each with its own latch, frames and clock, keep threads out of each other's way. No latch is
 * held while a page is read: the frame is marked, and who else wants that page waits for that page only.
 */
#ifndef BUFFER_POOL_POOL_H
#define BUFFER_POOL_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

struct frame {
	unsigned char *data; /* the page's bytes, aligned to its size */
	uint32_t page;
	uint32_t pins;
	struct frame *next; /* in its bucket */
	unsigned char state;
	unsigned char referenced;
};

struct pool_stats {
	uint64_t hits, misses, evictions;
	uint64_t waits; /* for a page that another thread reads, or for a frame */
	uint64_t regions, frames, shards;
};

/*
 * Over `fd`, whose pages count from 1, page_bytes (a power of two up to 2 MiB) each. `memory` is rounded to
 * regions, one at least. NULL: no memory.
 */
struct pool *pool_new(int fd, size_t page_bytes, uint64_t memory);

/* No frame may be pinned. */
void pool_free(struct pool *pool);

/* 0 and the frame with the page, which stays until pool_unpin; or -errno, -EIO where the file ends. */
int pool_pin(struct pool *pool, uint32_t page, struct frame **frame);

void pool_unpin(struct pool *pool, struct frame *frame);

/* Exact while nobody uses the pool. */
void pool_stats_read(struct pool *pool, struct pool_stats *stats);

#endif
