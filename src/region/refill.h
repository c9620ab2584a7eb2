/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_REFILL_H
#define LG_REGION_REFILL_H

/*
 * Maps a new area for the class, unless another thread just did. Is one at it, waits a moment: then its
 * area, or what others freed meanwhile, may serve. 0: climb the ladder again, or -errno, in words.
 */
int lg_refill(unsigned class);

#endif
