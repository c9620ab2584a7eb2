/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Flush: with the option of that name dirty pages are written some time after they became so, though memory is
 * not wanted, and stay in memory. So the store is never older than twice that time, and less is left to do for
 * a sync.
 *
 * The clock runs only while there are dirty pages. At each tick the pages are written that were dirty at
 * the last one, too. A store that refuses, or hangs, is left alone as it is by all who only try.
 *
 * Ordering edge F1 note and look: who makes a page DIRTY and finds the clock running then, finds one that is not
 * stopped before the page is looked at.
 */
#ifndef LG_PAGER_FLUSH_H
#define LG_PAGER_FLUSH_H

#include <stdint.h>

struct lg_pager;

/* A page became dirty: the clock begins to run, if it does not. */
void lg_flush_note(struct lg_pager *pager);

/* For a writer: milliseconds until the next tick; 0: the clock does not run. */
uint64_t lg_flush_wait_ms(struct lg_pager *pager);

/* For all writers: if it is time for a tick, one of them writes. */
void lg_flush_look(struct lg_pager *pager);

#endif
