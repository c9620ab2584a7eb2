/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Records as they lie in the ring, for those who read them: recovery, and who looks for damage. */
#ifndef LG_HEAP_RECORD_H
#define LG_HEAP_RECORD_H

#include "heap/heap.h"

enum { LG_RECORD_PIECE = 256 }; /* pages of images read at once */

/*
 * The record that begins at this place of the ring, by a header that is sound: its sum, the superblock's salt, a length that
 * the ring has. 1: *record is it, with its entries, whatever its sequence; 0: there is none; -errno.
 */
int lg_record_read(struct lg_heap *heap, uint64_t at, struct lg_record **record);

/* The same without reading: whether these first bytes of a page can be those of a record with a sequence beyond this. */
bool lg_record_may_begin(const struct lg_heap *heap, const void *page, uint64_t beyond);

typedef int lg_record_each(void *argument, const struct lg_record *record, uint64_t from,
			   uint64_t count, const char *images);

/* The images of a record, piece by piece: `piece` has LG_RECORD_PIECE pages. Until `each` is not 0. */
int lg_record_images(struct lg_heap *heap, const struct lg_record *record, char *piece,
		     lg_record_each *each, void *argument);

#endif
