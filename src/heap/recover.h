/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Recovery: the superblock, the records that count (J1), and their newest images into the mapping's private
 * pages. The file is only read. Whoever opened it for writing then writes them home by a checkpoint.
 */
#ifndef LG_HEAP_RECOVER_H
#define LG_HEAP_RECOVER_H

#include "heap/heap.h"

/* Chooses and checks the superblock. -EINVAL, -ENOTSUP, … in words; `path` is for them. */
int lg_recover_super(struct lg_heap *heap, const char *path);

/* All records of the ring, into the list that a checkpoint takes. */
int lg_recover_records(struct lg_heap *heap, const char *path);

/* Their newest images, into memory. */
int lg_recover_replay(struct lg_heap *heap, const char *path);

#endif
