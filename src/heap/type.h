/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Types that were registered for what roots lead to. */
#ifndef LG_HEAP_TYPE_H
#define LG_HEAP_TYPE_H

#include <lgalloc/heap.h>

/* That of the root's name, else that of all others; NULL: none. */
lg_heap_type *lg_type_of_root(const char *name);

#endif
