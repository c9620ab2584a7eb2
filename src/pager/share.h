/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The share of a map: what reads of its store that somebody waits for may have of the pager's memory, which cannot be evicted, and of
 * its buffers. The store may not come back; other maps go on with the rest. One read may have what it needs. Of what is read ahead there
 * are as many reads as readers.
 *
 * Ordering edge S1: who gives counts that, then looks whether anybody waits; who waits has seen the count before he looks at what is taken,
 * says that he waits, and sleeps while the count is as it was. One of both sees the other.
 */
#ifndef LG_PAGER_SHARE_H
#define LG_PAGER_SHARE_H

#include "base/atomic.h"

#include <stdint.h>

struct lg_map;

struct lg_share {
	_Atomic(uint64_t) taken; /* bytes, in whole pages, and how many reads */
	_Atomic(uint32_t) given; /* goes up when some are back */
	_Atomic(uint32_t) wanted;
};

/* For a read that takes so many bytes; waits until the map has a share left for it. */
void lg_share_take(struct lg_map *map, uint64_t bytes);

/* The read is back. BUSY of a page of the map is the caller's still. */
void lg_share_give(struct lg_map *map, uint64_t bytes);

#endif
