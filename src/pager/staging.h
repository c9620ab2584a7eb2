/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Memory outside the maps that pages pass through on their way in.
 *
 * Staging buffers: what is read from a store lies there until it is copied into the map. The last used
 * is the first given out again, so that few of them ever have memory. That counts against the budget,
 * and stays until memory is wanted. The last few are huge pages, for those who want all of a buffer: a disk
 * is asked for 2 MiB in one place by one request, and for 512 pages that lie anywhere by three.
 *
 * The nursery: fresh huge pages, zeroed by the kernel, that a frame or a map gets by a move. Frames cannot have
 * memory of their own by touching it: a fault there would be ours.
 */
#ifndef LG_PAGER_STAGING_H
#define LG_PAGER_STAGING_H

#include "base/bits.h"
#include "os/latch.h"

#include <stdint.h>

struct lg_pager;

enum {
	LG_STAGING_SMALL = 64,
	LG_STAGING_HUGE = 8,
	LG_STAGING_BUFFERS = LG_STAGING_SMALL + LG_STAGING_HUGE,
	LG_NURSERY_PAGES = 8,
};

struct lg_staging {
	char *base;
	uint64_t bytes;                         /* of one buffer: the largest page */
	LG_LINE_ALIGNED _Atomic(uint64_t) idle; /* a bit each */
	_Atomic(uint64_t) idle_huge;            /* the same of those that follow */
	_Atomic(uint32_t) returned;             /* goes up when one is idle again */
	_Atomic(uint32_t) wanted;
	uint64_t touched[LG_STAGING_BUFFERS]; /* bytes that have memory; the holder's */
};

struct lg_nursery {
	char *base;
	_Atomic(uint64_t) idle;
};

/* -ENOMEM. */
int lg_staging_make(struct lg_pager *pager);
void lg_staging_end(struct lg_pager *pager);

/*
 * A buffer for `bytes`, at most staging.bytes; its memory is charged, and `more` with it, for the pages that
 * will be made of it. -ENOMEM: the budget has none.
 */
int lg_staging_take(struct lg_pager *pager, uint64_t bytes, uint64_t more, bool ahead,
		    void **buffer);
void lg_staging_give(struct lg_pager *pager, void *buffer);

/* Which of the LG_STAGING_BUFFERS it is. */
unsigned lg_staging_place(const struct lg_pager *pager, const void *buffer);

/* Gives up the memory of idle buffers: bytes. */
uint64_t lg_staging_drop(struct lg_pager *pager);

/* A fresh huge page, charged by the caller; NULL: the kernel has no memory. To be moved away, or dropped. */
void *lg_nursery_take(struct lg_pager *pager);
void lg_nursery_give(struct lg_pager *pager, void *page);

/* Takes a lock of mlockall off. */
void lg_nursery_unlock(struct lg_pager *pager);

#endif
