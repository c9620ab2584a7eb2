/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The census: all heaps that this process has open, for those who watch them. It takes no lock that is held over I/O,
 * and closes no gate, so a disk that hangs holds up no reader; what only a closed gate could tell, objects and roots, it
 * leaves out. A heap that is being closed leaves the census first.
 */
#ifndef LG_HEAP_CENSUS_H
#define LG_HEAP_CENSUS_H

#include "heap/heap.h"

struct lg_census_entry {
	char name[LG_HEAP_LABEL_BYTES];
	uint32_t mode; /* enum lg_heap_mode */
	bool readonly;
	bool failed; /* nothing is written any more, until it is opened again */
	struct lg_heap_stats stats;
};

struct lg_census {
	struct lg_census_entry *entries; /* in the order of their opening */
	size_t count;
	size_t capacity;
};

/* All of them, in memory that lg_census_end gives back; none if there is no memory, or ever more heaps come. */
void lg_census_read(struct lg_census *census);
void lg_census_end(struct lg_census *census);

#endif
