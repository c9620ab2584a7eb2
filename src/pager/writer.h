/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The writers: threads that keep memory available. They sleep until little is, then evict and write until
 * enough is, so that a fault finds memory and need not wait for the store.
 *
 * Pages that are no neighbours they write many at once: by themselves each would take as long as all do.
 *
 * With the option `flush` the first of them also wakes by the clock while pages are dirty, and writes those that have been
 * for long.
 */
#ifndef LG_PAGER_WRITER_H
#define LG_PAGER_WRITER_H

void *lg_writer_run(void *pager);

#endif
