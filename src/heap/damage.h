/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Torn or rotten? A record that does not count ends the journal. If it was the last, a crash has torn it, and nothing is
 * missing. But a record is written only when the one before it is durable (J1): a sound header of a later sequence behind it
 * says that what does not count was a commit once, and its bits have changed since. Then the state that was committed
 * cannot be had, and open refuses rather than to go back in silence.
 *
 * Rot in the last record looks like a tear, and cannot be told from one.
 *
 * Mending, for lg_heap_check. An image that is bad is not missed if a later record has the page again, or if it is home
 * already. Otherwise the heap goes back to the commit before: records from there on are not replayed. What a checkpoint
 * had written home of them stays.
 */
#ifndef LG_HEAP_DAMAGE_H
#define LG_HEAP_DAMAGE_H

#include "heap/heap.h"

/*
 * Whether a record follows that proves damage, where none counts at `heap->ring_head`. `torn`: the record there whose images
 * are not right, or NULL. 1: *later is its sequence; 0: none follows; -errno.
 */
int lg_damage_look(struct lg_heap *heap, const struct lg_record *torn, uint64_t *later);

/* Keeps a record with bad images, until all are read. False: too many are bad, or they cannot be read. */
bool lg_damage_keep(struct lg_heap *heap, const struct lg_record *record, char *piece);

/* All records are read, as far as they can be: goes back where something is missed. */
void lg_damage_mend(struct lg_heap *heap);

#endif
