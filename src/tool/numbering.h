/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Numbers for things that are known by two words, from 0 in the order in which they are first met. */
#ifndef LG_TOOL_NUMBERING_H
#define LG_TOOL_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

struct lg_thing {
	uint64_t a;
	uint64_t b;
};

/* Zeroed: nothing is numbered. */
struct lg_numbering {
	struct lg_thing *things; /* by number */
	uint32_t count;
	uint32_t room;   /* for so many things; the table has twice as many places */
	uint32_t *table; /* number + 1; 0: free */
};

/* False: no memory, or 2^31 things. */
bool lg_numbering_of(struct lg_numbering *numbering, uint64_t a, uint64_t b, uint32_t *number);
void lg_numbering_end(struct lg_numbering *numbering);

#endif
