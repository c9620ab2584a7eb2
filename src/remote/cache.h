/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A cache of blocks in a directory of the user's, which any number of processes share, now and later.
 *
 * Each block is a file of its own, which comes by rename: it is there whole, or not at all. It has its key and a checksum in
 * it; what does not fit is removed, and is a miss. So the directory may be deleted, in part or whole, and every process
 * killed, at any time. What cannot be kept (a full disk, a directory that is read-only) is not; nobody fails for it.
 *
 * Files are 0600. What others could have written is not read: the directory and its files have to be ours, and no links.
 *
 * The bound is the ledger's (ledger.h). Of blocks that have to go, those go first that were not read for longest.
 */
#ifndef LG_REMOTE_CACHE_H
#define LG_REMOTE_CACHE_H

#include "remote/key.h"

#include <stdbool.h>
#include <stdint.h>

enum { LG_CACHE_BLOCK = 256 << 10 };

struct lg_cache;

/*
 * `path` is made if it is not there, but not what lies above it. -errno in words: -ENOTDIR, -ELOOP it is no directory, or a
 * link; -EACCES it is not ours, or others may write to it, or we may not; -ENOENT … from the system.
 */
int lg_cache_open(const char *path, uint64_t bytes_most, struct lg_cache **cache);
void lg_cache_close(struct lg_cache *cache);

/* In a child of fork: its descriptors are closed, its memory stays. */
void lg_cache_forget(struct lg_cache *cache);

/* A block of exactly so many bytes, at most LG_CACHE_BLOCK. False: it is not there, and the buffer has anything. */
bool lg_cache_get(struct lg_cache *cache, const struct lg_key *key, void *buffer, uint32_t bytes);
void lg_cache_put(struct lg_cache *cache, const struct lg_key *key, const void *data,
		  uint32_t bytes);

#endif
