/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Flights: ranges of pages on their way from a store that brings them without a thread that waits (store.h: fetch).
 *
 * A flight has BUSY of its pages and the memory for them, and its bytes come in order: each page is in its map as
 * soon as it is whole, and who waits for it goes on. A page of which a part came lies in the flight's staging
 * buffer; whole ones are copied from where the store has them. Pages inside the range that were not to be had, or
 * that a stream leaves out, are received and thrown away.
 *
 * What is read ahead is cut into groups, the pieces of piece.h, with a marker each.
 *
 * A flight is the store's thread's from its start to its end; the table is under its own lock, which is taken after
 * the pager's.
 */
#ifndef LG_PAGER_FLIGHT_H
#define LG_PAGER_FLIGHT_H

#include "os/latch.h"
#include "pager/staging.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

enum { LG_FLIGHTS = LG_STAGING_BUFFERS, LG_FLIGHT_PAGES = 2048 };

/*
 * Pages between ours are received for nothing, up to so many bytes: it is less than a request costs. Of a stream that
 * leaves pages out, at most one block in so many is wanted.
 */
#define LG_FLIGHT_HOLE_MOST LG_KIB(512)
enum { LG_FLIGHT_SPAN_MOST = 4 };

#define LG_FLIGHT_NOBODY UINT64_MAX /* the demanded page of a flight that nobody asked for */

struct lg_flight {
	struct lg_store_sink sink; /* first */
	struct lg_map *map;
	uint64_t first;
	uint64_t end;
	uint64_t demanded;
	uint32_t thread; /* who demanded it */
	bool backward;
	bool advised;
	bool cancelled;     /* under the lock */
	bool is_open;       /* the same: it is in the air */
	bool is_unreadable; /* if it fails it is the store's failure, not ours */
	uint64_t start_ns;
	uint64_t next;     /* the page whose bytes come */
	uint64_t received; /* of it */
	uint64_t missing;  /* pages that are to come */
	char *buffer;
	uint64_t group;                      /* the first page of the group that `next` is in */
	uint64_t marker;                     /* of that group */
	uint64_t wanted;                     /* pages of that group */
	uint64_t ours[LG_FLIGHT_PAGES / 64]; /* a bit each: BUSY is ours, and the page has not come */
};

struct lg_flights {
	LG_LINE_ALIGNED struct lg_os_latch lock;
	struct lg_flight table[LG_FLIGHTS]; /* each goes with the staging buffer of its place */
	_Atomic(uint64_t) ahead; /* bytes that were not demanded, with those thrown away */
	_Atomic(uint32_t) ahead_count;
};

/* Pages that are read for one that is touched: its block. */
static inline uint64_t lg_flight_block_pages(unsigned shift)
{
	const unsigned page_shift_least = 16, block_shift = 18;

	if (shift >= block_shift)
		return 1;
	return shift >= page_shift_least ? (uint64_t)1 << (block_shift - shift) : 4;
}

/*
 * Starts for the page, whose BUSY comes with it, and what is OUT of its block, as far as pins leave memory for it. 0: BUSY ends
 * when the page is there, or POISONED, or OUT because it could not be had now. -errno: it has ended, and the page is OUT; -ESTALE
 * of a map that can be renewed: it is to be.
 */
int lg_flight_demand(struct lg_map *map, uint64_t page);

/* Pages from `page` to `end`: the first block of each `step` blocks. */
struct lg_flight_range {
	uint64_t page;
	uint64_t end;
	uint64_t step;
	bool backward;
	bool advised;
};
void lg_flight_ahead(struct lg_map *map, const struct lg_flight_range *range);

/* Ends what the map's streams do not wait for any more. */
void lg_flight_cancel_stale(struct lg_map *map);

#endif
