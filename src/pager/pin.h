/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pins: pages that stay in their map. The library's own are of one page, for the length of a copy. */
#ifndef LG_PAGER_PIN_H
#define LG_PAGER_PIN_H

#include "os/bus.h"

#include <stdint.h>

struct lg_map;

/* -EIO, -ENOMEM as for a fault; -EOVERFLOW: pinned too often. Not counted against the budget. */
int lg_pin_page(struct lg_map *map, uint64_t page, enum lg_os_access access);
void lg_unpin_page(struct lg_map *map, uint64_t page);

#endif
