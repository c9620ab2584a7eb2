/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_REFILL_H
#define LG_REGION_REFILL_H

/*
 * Maps a new area for the class, unless another thread did so while this one waited for the class's
 * lock. 0 or -errno, in words.
 */
int lg_refill(unsigned class);

#endif
