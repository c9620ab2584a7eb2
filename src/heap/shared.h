/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * mode:shared: the mapping is the file's pages, there is no journal and no checksum. The kernel keeps what a killed
 * process wrote, and the next open marks from the roots (mark.h). Of a machine that went down nobody knows which pages
 * were written: then the heap is refused, unless somebody says that it is to be taken as it is.
 *
 * The superblock says `clean` only while the heap is closed. Its `salt`, without a journal of no other use, is the
 * running of the kernel in which it was opened last.
 */
#ifndef LG_HEAP_SHARED_H
#define LG_HEAP_SHARED_H

#include "heap/heap.h"

/* Before the mapping is anybody's: what was not closed is put right. -errno in words. */
int lg_shared_recover(struct lg_heap *heap, const char *path, bool torn);

/* The image is sound: says in the file that it is open. -errno in words. */
int lg_shared_begin(struct lg_heap *heap, const char *path);

/* As lg_heap_commit: everything is on the disk, though not all or nothing. The commit lock is held. */
int lg_shared_commit(struct lg_heap *heap);

/* At the close: the caches empty, everything on the disk, and the superblock says so. */
int lg_shared_close(struct lg_heap *heap);

#endif
