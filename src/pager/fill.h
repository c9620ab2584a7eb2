/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fill: a page that is OUT comes into its map, read from the store or as zeros. Other threads see nothing of
 * it until it is there, whole.
 *
 * Pages are copied in, from a staging buffer, write-protected unless they are about to be written, or
 * expected to be (forecast.h). Huge pages are moved in, from a frame. What arrives writable is DIRTY: if it
 * was filled for reading, the hash of its contents is noted, and it is not written if it still has it when
 * it leaves.
 */
#ifndef LG_PAGER_FILL_H
#define LG_PAGER_FILL_H

#include "os/bus.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stdint.h>

struct lg_map;

/*
 * Fills `count` pages from `first`, all OUT, whose BUSY is the caller's and is released. More than one only
 * where all are zeros. 0, or -errno: the store could not be read, and the page is POISONED; or there is no
 * memory (-ENOMEM, or why pages could not be written), and the pages are OUT; or -ESTALE, they are OUT, and the map is to be
 * renewed (renew.h).
 */
int lg_fill(struct lg_map *map, uint64_t first, uint64_t count, enum lg_os_access access,
	    bool *poisoned);

/*
 * The same for pages that the store has, before they are touched. The page `marker` of them goes to limbo and
 * not into the map; huge pages all do.
 */
int lg_fill_ahead(struct lg_map *map, uint64_t first, uint64_t count, uint64_t marker);

/*
 * Into the map, where memory for them is charged: bytes that are the caller's alone. `begun`: others of the same fill are in the
 * map. 0, or -errno and nothing is there.
 */
int lg_fill_copy(struct lg_map *map, uint64_t first, uint64_t count, const void *from,
		 bool protected, bool begun);

/* How pages come that a flight (flight.h) brings. */
enum lg_arrival {
	LG_ARRIVAL_DEMANDED, /* somebody waits */
	LG_ARRIVAL_BESIDE,   /* of the same block */
	LG_ARRIVAL_PIECE,  /* read ahead: the policy has them when their piece joins it (piece.h) */
	LG_ARRIVAL_MARKER, /* to limbo: one page, that of a piece of `piece` pages */
};

/*
 * `count` pages, at most LG_BATCH, whose memory is charged and whose BUSY ends: from `data` into the map. -errno: it does
 * not end, and they are OUT.
 */
int lg_fill_arrived(struct lg_map *map, uint64_t first, uint64_t count, const void *data,
		    enum lg_arrival how, uint64_t piece);

#endif
