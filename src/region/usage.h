/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says of the areas, and what it said last. */
#ifndef LG_REGION_USAGE_H
#define LG_REGION_USAGE_H

#include <lgalloc/lgalloc.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * lg_usage_read for the worker, which waits for nobody: -EBUSY while a thread maps an area, who may be
 * held up by its disk for long.
 */
int lg_usage_try(struct lg_usage *usage);

/* The last result of either, and when it was (ms since 1970). False: there was none. */
bool lg_usage_last(struct lg_usage *usage, uint64_t *unix_ms);

/* The child of a fork: the parent's result is not ours. */
void lg_usage_forget(void);

#endif
