/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/piece.h"

#include "pager/map.h"

#include <string.h>

static void remove_piece(struct lg_pieces *pieces, uint32_t place)
{
	struct lg_piece *piece = &pieces->table[place];

	pieces->bytes -= (uint64_t)piece->count << piece->map->shift;
	pieces->count--;
	memmove(piece, piece + 1, (pieces->count - place) * sizeof(*piece));
}

static void join(struct lg_pieces *pieces, uint32_t place)
{
	struct lg_piece piece = pieces->table[place];

	remove_piece(pieces, place);
	for (uint64_t page = piece.first; page < piece.first + piece.count; page++)
		if (lg_resident_join(piece.map, page, LG_REFERENCE_PREFETCH))
			lg_trace_note(&piece.map->pager->trace, LG_TRACE_PREFETCH, piece.map->index,
				      page, piece.map->shift);
}

void lg_piece_add(struct lg_map *map, uint64_t first, uint64_t count, uint64_t marker)
{
	struct lg_pieces *pieces = &map->pager->pieces;
	uint64_t bytes = count << map->shift, most = lg_prefetch_window(map);

	while (pieces->count == LG_PIECES || (pieces->count > 0 && pieces->bytes + bytes > most))
		join(pieces, 0);
	pieces->table[pieces->count++] = (struct lg_piece){
		.map = map, .first = first, .count = (uint32_t)count, .marker = marker
	};
	pieces->bytes += bytes;
}

static bool is_beside(const struct lg_piece *one, const struct lg_piece *other)
{
	return one->map == other->map && (one->first + one->count == other->first ||
					  other->first + other->count == one->first);
}

/* The place of the marker's piece; the count: it has none. */
static uint32_t find(const struct lg_pieces *pieces, const struct lg_map *map, uint64_t marker)
{
	uint32_t place = 0;

	while (place < pieces->count &&
	       (pieces->table[place].map != map || pieces->table[place].marker != marker))
		place++;
	return place;
}

void lg_piece_reach(struct lg_map *map, uint64_t marker)
{
	struct lg_pieces *pieces = &map->pager->pieces;
	uint32_t place = find(pieces, map, marker);

	if (place == pieces->count)
		return;
	pieces->table[place].reached = true;
	struct lg_piece reached = pieces->table[place];
	for (uint32_t i = 0; i < pieces->count;)
		if (pieces->table[i].reached && is_beside(&pieces->table[i], &reached))
			join(pieces, i);
		else
			i++;
}

void lg_piece_give_up(struct lg_map *map, uint64_t marker)
{
	struct lg_pieces *pieces = &map->pager->pieces;
	uint32_t place = find(pieces, map, marker);

	if (place < pieces->count)
		join(pieces, place);
}

bool lg_piece_join_oldest(struct lg_pager *pager)
{
	if (pager->pieces.count == 0)
		return false;
	join(&pager->pieces, 0);
	return true;
}

void lg_piece_forget(const struct lg_map *map)
{
	struct lg_pieces *pieces = &map->pager->pieces;

	for (uint32_t i = 0; i < pieces->count;)
		if (pieces->table[i].map == map)
			remove_piece(pieces, i);
		else
			i++;
}
