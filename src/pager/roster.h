/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The roster: all pagers of the process, for those who watch them.
 *
 * Reading takes the roster's latch, and for the bytes in limbo a pager's lock, for microseconds. Nobody holds
 * either over I/O or the kernel's work on mappings, so a store that hangs holds up no reader. A pager that
 * is being freed leaves the roster first: while it is read it is there.
 */
#ifndef LG_PAGER_ROSTER_H
#define LG_PAGER_ROSTER_H

#include "pager/options.h"

#include <lgalloc/pager.h>

#include <stddef.h>

struct lg_pager;

enum { LG_PAGER_NAME_BYTES = 16 };

/* A pager, as it was when it was looked at. */
struct lg_roster_entry {
	char name[LG_PAGER_NAME_BYTES];
	char policy[LG_POLICY_NAME_BYTES]; /* default of its maps; what is no letter, digit or - is _ */
	uint64_t page_bytes;               /* the same */
	bool in_threads;                   /* which serve its faults */
	struct lg_pager_stats stats;
};

struct lg_roster {
	struct lg_roster_entry *entries; /* oldest first */
	size_t count;
	size_t capacity;
};

/* `name`: "default" or "regions"; NULL: its number among those without one, from 1 up. */
void lg_roster_add(struct lg_pager *pager, const char *name);
void lg_roster_remove(struct lg_pager *pager);

/* All of them, in memory that lg_roster_end gives back; none if there is no memory. */
void lg_roster_read(struct lg_roster *roster);
void lg_roster_end(struct lg_roster *roster);

/*
 * region/worker.c: a pager, or a heap, is there that the metrics file tells of. The caller holds no lock. Declared here
 * because includes only point left.
 */
void lg_worker_watch(void);

/* In a child of fork: there are none any more, after each was seen. */
void lg_roster_forget(void (*each)(struct lg_pager *pager));

#endif
