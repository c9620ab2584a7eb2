/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The registry of thread records: a list that only grows, read without a lock.
 *
 * A record is never removed and its memory never goes away, so a reader needs no grace period: liburcu's
 * publish and dereference are all that is left of RCU here. Rejected: a read-side section of the bp
 * flavour, whose first use in a thread takes a mutex; a thread stopped there would stop every thread
 * that is new.
 *
 * Records without an owner wait on a stack and are handed to the next thread.
 *
 * Progress: lock-free.
 *
 * Ordering edges
 *   G1  add: the record before the head, release    pairs with first/next's dereference, and with the
 *       exchange of the next who adds: from its own record it may walk on
 *   G2  an owner's last writes to its record before the next owner's first: edge S1 of the stack
 */
#ifndef LG_SYNC_REGISTRY_H
#define LG_SYNC_REGISTRY_H

#include "sync/stack.h"

struct lg_record {
	struct lg_node idle;    /* on the stack of records without an owner */
	struct lg_record *next; /* constant once added */
};

struct lg_registry {
	struct lg_stack idle;
	struct lg_record *head;
};

void lg_registry_add(struct lg_registry *registry, struct lg_record *record);

/* Walks all records, owned or not: `for (r = first; r != NULL; r = r->next)`. */
struct lg_record *lg_registry_first(struct lg_registry *registry);

/* A record without an owner, now the caller's; NULL: none. */
struct lg_record *lg_registry_adopt(struct lg_registry *registry);

/* The caller's record waits for the next owner. */
void lg_registry_abandon(struct lg_registry *registry, struct lg_record *record);

#endif
