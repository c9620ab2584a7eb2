/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Writing back: what limbo has and the store has not yet. The frames are HELD and the pages BUSY as long; they stay in
 * limbo.
 */
#ifndef LG_PAGER_WRITEBACK_H
#define LG_PAGER_WRITEBACK_H

#include "pager/transfer.h"

#include <stdint.h>

struct lg_map;
struct lg_os_io_queue;
struct lg_pager;

/* Writes some of what is UNWRITTEN: bytes that are so no more; 0: nothing was, or the store failed. */
uint64_t lg_writeback(struct lg_pager *pager);

/* The same of what is REFUSED, if it is time for that. The store may take long to fail again. */
uint64_t lg_writeback_retry(struct lg_pager *pager);

/* Both, and of pages that are no neighbours too, at once: for the writers. `queue`: the calling thread's. */
uint64_t lg_writeback_many(struct lg_pager *pager, struct lg_os_io_queue *queue);

/* Of what is UNWRITTEN nothing is left in front that a store refuses, or hangs with. */
void lg_writeback_set_aside(struct lg_pager *pager);

/* Pages written at a time by calls; the writers, whose stacks are known, take more: 2 MiB of the smallest. */
enum { LG_WRITEBACK_RUN = 64 };

/*
 * The same for up to LG_WRITEBACK_RUN neighbours, all UNWRITTEN, whose BUSY is the caller's, and stays. words[i]
 * becomes what is true of each then. 0 or -errno.
 */
int lg_writeback_pages(struct lg_map *map, uint64_t first, unsigned count, uint64_t *words);

/*
 * The same for those from `first` on that are UNWRITTEN and nobody's: *count. Where `first` is not, it is 1 for one that has nothing to
 * be written from limbo, 0 for one that is another's by now.
 */
int lg_writeback_neighbours(struct lg_map *map, uint64_t first, uint64_t end, uint64_t *count);

#endif
