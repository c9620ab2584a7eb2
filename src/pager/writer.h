/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The writers: threads that keep memory available. They sleep until little is, then evict and write until
 * enough is, so that a fault finds memory and need not wait for the store.
 *
 * Pages that are no neighbours they write many at once: by themselves each would take as long as all do.
 *
 * With the option `flush` they also wake by the clock while pages are dirty, and writes those that have been
 * for long.
 *
 * Some are spare (crew.h): they sleep while the others do what is wanted, and are woken where nobody was given memory for a turn, or
 * something is to be flushed: the others may be in a store that does not come back.
 */
#ifndef LG_PAGER_WRITER_H
#define LG_PAGER_WRITER_H

struct lg_pager;

void *lg_writer_run(void *pager);

/* One of those that are spare. */
void lg_writer_wake_spare(struct lg_pager *pager);

#endif
