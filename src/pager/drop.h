/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Drop: pages lose their memory and what was not written of them. */
#ifndef LG_PAGER_DROP_H
#define LG_PAGER_DROP_H

#include <stdint.h>

struct lg_map;

/* What is not pinned; pages of a spill read zero again, others as their store has them. */
void lg_drop_range(struct lg_map *map, uint64_t first, uint64_t end);

/* LG_DEAD: the same, and the store need not keep them, if it makes use of that. */
void lg_drop_and_discard(struct lg_map *map, uint64_t first, uint64_t end);

/* LG_COLD: what is in limbo, written first. 0 or the first error. */
int lg_drop_limbo(struct lg_map *map, uint64_t first, uint64_t end);

/* The map ends. */
void lg_drop_all(struct lg_map *map);

/*
 * All of a map that nobody writes to and no page comes into, BUSY ones as soon as they are not. -ESTALE: some are pinned, and
 * stay; others are gone.
 */
int lg_drop_changed(struct lg_map *map);

#endif
