/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The volatile side from the image: at open, and after a rollback. */
#ifndef LG_HEAP_LOAD_H
#define LG_HEAP_LOAD_H

#include "heap/heap.h"

/* The image is checked. With the gate closed, or before the heap is anybody's. */
void lg_load(struct lg_heap *heap);

#endif
