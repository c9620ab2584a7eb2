/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Objects as the bitmaps know them, for those that look over a heap. Nothing may change meanwhile. */
#ifndef LG_HEAP_OBJECT_H
#define LG_HEAP_OBJECT_H

#include "heap/heap.h"

struct lg_object {
	lg_ref ref;
	uint64_t bytes; /* that may be used */
};

/* The object that contains the ref. False: none does. */
bool lg_object_of(const struct lg_heap *heap, lg_ref ref, struct lg_object *object);

/* All objects by address, until `each` returns other than 0, which is returned. */
int lg_object_each(const struct lg_heap *heap,
		   int (*each)(void *argument, const struct lg_object *object), void *argument);

#endif
