/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Pieces: neighbours that were read ahead, are in their map, and that their policy has not yet.
 *
 * A policy that had them from their arrival could choose them before they were touched; one that evicts the
 * newest would, always. So a piece joins its policy when the stream has left it behind: its marker was
 * touched, and then that of a neighbour. Before that it joins where its marker was given up, where pieces have
 * more of the budget than may be read ahead, or where nothing else is left to evict.
 *
 * Invariants
 *   - The pages of a piece, but the marker, that are in their map and ASIDE are no policy's; joining ends ASIDE.
 *   - Other pages in its range are not touched by joining: they left and came back by another way.
 *
 * Under the pager's lock.
 */
#ifndef LG_PAGER_PIECE_H
#define LG_PAGER_PIECE_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

enum { LG_PIECES = 64 };

struct lg_piece {
	struct lg_map *map;
	uint64_t first;
	uint32_t count; /* with the marker */
	uint64_t marker;
	bool reached; /* the marker was touched */
};

struct lg_pieces {
	struct lg_piece table[LG_PIECES]; /* the oldest first */
	uint32_t count;
	uint64_t bytes;
};

/* `count` pages from `first` are in the map, and ASIDE, but the marker, which is in limbo. */
void lg_piece_add(struct lg_map *map, uint64_t first, uint64_t count, uint64_t marker);

/* A marker was touched: what lies beside its piece, and was reached before, joins. */
void lg_piece_reach(struct lg_map *map, uint64_t marker);

/* A marker was given up: its piece joins. */
void lg_piece_give_up(struct lg_map *map, uint64_t marker);

/* The oldest piece joins; false: there is none. */
bool lg_piece_join_oldest(struct lg_pager *pager);

/* The map ends: no piece is of it any more. */
void lg_piece_forget(const struct lg_map *map);

#endif
