/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Limbo: pages that left their map and still have memory, in frames. A page comes here by eviction
 * (UNWRITTEN if it was dirty) or by reading ahead, and leaves by a fault (return), or for good (retire).
 *
 * The word says LIMBO and resident->frame which frame; the frame's list follows the word's UNWRITTEN.
 */
#ifndef LG_PAGER_LIMBO_H
#define LG_PAGER_LIMBO_H

#include "os/bus.h"
#include "pager/word.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lg_frames;
struct lg_map;
struct lg_pager;

/* The page whose frame this is. Under the pager's lock, frame in CLEAN, AHEAD, UNWRITTEN or REFUSED. */
lg_word *lg_limbo_word(struct lg_pager *pager, const struct lg_frames *frames, uint32_t index,
		       struct lg_map **map, uint64_t *page);

/*
 * Moves the first `bytes` of a frame into the map, or copies it where the kernel cannot move; BUSY is the caller's. After I/O the kernel may hold the
 * frame's memory for moments: that is waited for. 0, and the frame has no memory; or -errno and it is as it was.
 */
int lg_limbo_move_in(struct lg_map *map, uint64_t page, uint32_t frame, size_t bytes);

/*
 * Puts a page into its map again; BUSY is the caller's, and stays. *word becomes what is true then. 0; -EAGAIN:
 * it is OUT; else -errno: the page is in limbo as it was.
 */
int lg_limbo_return(struct lg_map *map, uint64_t page, uint64_t *word, enum lg_os_access access);

/* Gives memory of frames back to the budget, `bytes` or some more; what it was. */
uint64_t lg_limbo_retire(struct lg_pager *pager, uint64_t bytes);

/* The same of pages that were read ahead, when nothing else helps. */
uint64_t lg_limbo_retire_ahead(struct lg_pager *pager, uint64_t bytes);

/* The same of frames of this map's page size that are nobody's, as lg_limbo_drop leaves them; no page is given up. */
void lg_limbo_trim(struct lg_map *map, uint64_t bytes);

/* The page's frame is needed no more; BUSY is the caller's. */
void lg_limbo_drop(struct lg_map *map, uint64_t word);

/*
 * A HELD frame of this size with memory, contents of no account but zero if *zero says so, taken from a page
 * that is clean, or fresh; for a page that is read `ahead`, or one that is waited for. -ENOMEM, -EIO.
 */
int lg_limbo_frame(struct lg_pager *pager, struct lg_frames *frames, bool ahead, uint32_t *frame,
		   bool *zero);

#endif
