/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Ghosts as a list: the last `bound` that were added, some of them taken since. */
#ifndef UNIT_PAGER_GHOSTS_H
#define UNIT_PAGER_GHOSTS_H

#include "unit/unit.h"

enum { GHOSTS_MAX = 4096 };

struct ghost_list {
	unsigned bound;
	unsigned count;
	uint64_t keys[GHOSTS_MAX]; /* youngest first */
	bool alive[GHOSTS_MAX];
};

static inline void ghost_list_cut(struct ghost_list *list, unsigned place)
{
	list->count--;
	memmove(list->keys + place, list->keys + place + 1,
		(list->count - place) * sizeof(list->keys[0]));
	memmove(list->alive + place, list->alive + place + 1, list->count - place);
}

static inline bool ghost_list_take(struct ghost_list *list, uint64_t key)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (!list->alive[i] || list->keys[i] != key)
			continue;
		list->alive[i] = false;
		if (i == 0)
			ghost_list_cut(list, 0);
		return true;
	}
	return false;
}

static inline void ghost_list_add(struct ghost_list *list, uint64_t key)
{
	(void)ghost_list_take(list, key);
	if (list->count == list->bound)
		list->count--;
	memmove(list->keys + 1, list->keys, list->count * sizeof(list->keys[0]));
	memmove(list->alive + 1, list->alive, list->count);
	list->keys[0] = key;
	list->alive[0] = true;
	list->count++;
}

static inline unsigned ghost_list_alive(const struct ghost_list *list)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < list->count; i++)
		alive += list->alive[i];
	return alive;
}

#endif
