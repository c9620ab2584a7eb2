/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Named roots, for those that look over a heap. */
#ifndef LG_HEAP_ROOT_H
#define LG_HEAP_ROOT_H

#include "heap/heap.h"

/* LG_ROOTS of them. */
struct lg_root *lg_root_table(const struct lg_heap *heap);

#endif
