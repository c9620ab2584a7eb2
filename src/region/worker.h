/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The worker, a thread named lgalloc-bg: each tick it takes what idle threads hold, gives old dirty
 * regions back, runs the second decay, unmaps idle areas and writes the metrics file.
 *
 * It starts at the first refill, or where there is a metrics file with the first pager or heap (lg_worker_watch), outside
 * every lock, with all signals blocked; it holds no lock over a system call; nobody waits for it, at exit neither. With
 * nothing left to do it sleeps without a timer.
 *
 * Ordering edge
 *   W1  going to sleep: asleep = 1, a barrier through all threads, then the last look for work;
 *       poke: work made (a plain store), then the load of asleep. One of the two sees the other.
 *       Without membarrier the worker never sleeps without a timer.
 */
#ifndef LG_REGION_WORKER_H
#define LG_REGION_WORKER_H

#include <stdint.h>

/* After a refill, a pager, a heap or a change of options: the worker runs if it should. */
void lg_worker_ensure(void);

/* Work was made: wakes the worker if it sleeps without a timer. On every cold path; almost free. */
void lg_worker_poke(void);

/* Options changed: the worker looks at once. */
void lg_worker_notice(void);

/* At load, and in the child of a fork: there is no worker until this process has something for it. */
void lg_worker_forget(void);

/*
 * metrics/exporter.c: writes the metrics file if there is one to write; at
 * load and in the child of a fork: it has written none. Declared here because includes only point left.
 */
void lg_exporter_tick(void);
void lg_exporter_forget(void);

#endif
