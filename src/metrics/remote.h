/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the formats say of remote objects: nothing where none was ever asked for. */
#ifndef LG_METRICS_REMOTE_H
#define LG_METRICS_REMOTE_H

#include "remote/tally.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stddef.h>

/* Where in struct lg_remote_stats a family's value is, by its name without lgalloc_ and _total. False: in none. */
bool lg_remote_find(const char *family, size_t length, size_t *offset);

#endif
