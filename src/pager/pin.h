/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pins: pages that stay in their map. The library's own are of one page, for the length of a copy. */
#ifndef LG_PAGER_PIN_H
#define LG_PAGER_PIN_H

#include "os/bus.h"

#include <stdint.h>

struct lg_map;

enum { LG_PIN_LEAVES = 4 }; /* pages of a budget that come and go, however much is pinned */

/* How much the user may pin of a budget, if pages are of up to this size: the rest comes and goes. */
uint64_t lg_pin_most(uint64_t budget, uint64_t page);

/*
 * -EIO, -ENOMEM as for a fault. Not counted as pinned. unpin is told *signals, and called by the same thread: where the
 * store renews, signals are held in between, for renewing waits for the copy, and a handler that touched the
 * map would wait for the renewing. Elsewhere nobody waits for who copies.
 */
int lg_pin_page(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t *signals);
void lg_unpin_page(struct lg_map *map, uint64_t page, uint64_t signals);

#endif
