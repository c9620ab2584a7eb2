/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Around: the pages behind a write fault that are made writable together with it.
 *
 * To take the protection off a page costs an interrupt of every processor that runs the program, whatever the
 * number of pages. A run is write faults each of which comes where the one before ended: its next takes twice as many
 * pages along. Writes that leave gaps never meet an end, and take none.
 *
 * Under the pager's lock.
 */
#ifndef LG_PAGER_AROUND_H
#define LG_PAGER_AROUND_H

#include <stdint.h>

enum { LG_AROUNDS = 8 };

struct lg_around {
	struct lg_around_run {
		uint64_t end;   /* the page behind those made writable; 0: there is no run */
		uint64_t pages; /* of its last fault */
		uint64_t used;  /* when, by the map's count of faults */
	} runs[LG_AROUNDS];
	uint64_t faults;
};

/* A write fault at `page`; the run is one that ends there, or a new one. It may have `pages` now, 1 or more, at most `most`. */
struct lg_around_run *lg_around_step(struct lg_around *around, uint64_t page, uint64_t most);

#endif
