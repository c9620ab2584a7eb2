/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/numbering.h"

#include <stdlib.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = a * 0x9e3779b97f4a7c15u ^ b;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Where the thing is, or the free place where it would be. */
static uint32_t *place_of(const struct lg_numbering *numbering, uint64_t a, uint64_t b)
{
	uint64_t mask = 2 * (uint64_t)numbering->room - 1;

	for (uint64_t at = mix(a, b) & mask;; at = (at + 1) & mask) {
		uint32_t *place = &numbering->table[at];

		if (*place == 0 ||
		    (numbering->things[*place - 1].a == a && numbering->things[*place - 1].b == b))
			return place;
	}
}

static bool grow(struct lg_numbering *numbering)
{
	enum { ROOM_FIRST = 1024 };
	uint32_t room = numbering->room > 0 ? 2 * numbering->room : ROOM_FIRST;
	uint32_t *table = room > (uint32_t)1 << 30 ? NULL :
						     calloc(2 * (size_t)room, sizeof(*table));
	struct lg_thing *things =
		table == NULL ? NULL : realloc(numbering->things, room * sizeof(*things));

	if (things == NULL) {
		free(table);
		return false;
	}
	free(numbering->table);
	numbering->table = table;
	numbering->things = things;
	numbering->room = room;
	for (uint32_t i = 0; i < numbering->count; i++)
		*place_of(numbering, things[i].a, things[i].b) = i + 1;
	return true;
}

bool lg_numbering_of(struct lg_numbering *numbering, uint64_t a, uint64_t b, uint32_t *number)
{
	if (numbering->count == numbering->room && !grow(numbering))
		return false;
	uint32_t *place = place_of(numbering, a, b);
	if (*place == 0) {
		numbering->things[numbering->count] = (struct lg_thing){ a, b };
		*place = ++numbering->count;
	}
	*number = *place - 1;
	return true;
}

void lg_numbering_end(struct lg_numbering *numbering)
{
	free(numbering->things);
	free(numbering->table);
	*numbering = (struct lg_numbering){ 0 };
}
