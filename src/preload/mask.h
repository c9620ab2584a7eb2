/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_PRELOAD_MASK_H
#define LG_PRELOAD_MASK_H

/* What the program was started with: the same. The options are known. */
void lg_mask_inherited(void);

#endif
