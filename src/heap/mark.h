/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Recovery of a heap of mode:shared that was not closed: what the roots lead to stays, all else is free again.
 *
 * Such a heap's pages are the file's, so a killed process leaves each of its stores up to some instruction, and none
 * behind it. Bits are set before a slot is handed out, and cleared when it has come back: a bit that is 0 is no object.
 * One that is 1 may be an object that nothing leads to, or have lain in a thread's cache. In the table an extent gets
 * its units before its beginning and loses them before it; what this leaves half done is put right first.
 *
 * Marks are the live bytes, which a load makes anew afterwards. What is written is written so that a second
 * recovery, should this one be killed as well, finds the same: objects that are marked have their bits throughout.
 */
#ifndef LG_HEAP_MARK_H
#define LG_HEAP_MARK_H

#include "heap/heap.h"

/* The image is mapped; nobody uses the heap. -EINVAL: it is no heap's; -ENOMEM. In words; `path` is for them. */
int lg_mark_recover(struct lg_heap *heap, const char *path, struct lg_marked *marked);

/*
 * Objects, and their bytes, that no root leads to, in a heap that is sound and has given out nothing since its open.
 * Nothing of it is changed. -ENOMEM.
 */
int lg_mark_unreached(struct lg_heap *heap, uint64_t *objects, uint64_t *bytes);

#endif
