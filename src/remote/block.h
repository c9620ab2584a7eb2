/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Blocks: an object's bytes, from a cache where it has them, else from the network and into the cache.
 *
 * Whole blocks are asked for, neighbours in one request. A block of which only a part is wanted goes through memory of its
 * own.
 */
#ifndef LG_REMOTE_BLOCK_H
#define LG_REMOTE_BLOCK_H

#include "remote/cache.h"

struct lg_blocks {
	struct lg_cache *cache;
	struct lg_key version;
	uint64_t bytes; /* the object's */
	/* From the network. 0 or -errno. */
	int (*bring)(void *context, char *buffer, uint64_t length, uint64_t offset, bool ahead);
	void *context;
};

/* Inside the object. 0 or -errno. */
int lg_blocks_read(const struct lg_blocks *blocks, char *buffer, uint64_t length, uint64_t offset,
		   bool ahead);

/* The blocks that begin and end in these bytes, which came otherwise, go into the cache. */
void lg_blocks_keep(const struct lg_blocks *blocks, const char *data, uint64_t length,
		    uint64_t offset);

#endif
