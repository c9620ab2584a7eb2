/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A lock-free stack, many producers and many consumers, on ck_stack.
 *
 * Invariant: a node is on at most one stack at a time, and its memory stays a node for ever: a pop
 * reads the `next` of a node that another thread may have popped and pushed again meanwhile. The
 * double-word compare of head and generation then rejects what it read.
 *
 * Progress: lock-free. A thread stopped anywhere inside blocks nobody.
 *
 * Ordering edges
 *   S1  push: what the node carries before head, release   pairs with pop's acquire of head
 *
 * ck's inline assembly is invisible to ThreadSanitizer: stack.c is built without it and names S1 by
 * annotation instead. Only one-by-one pops: ck_stack_batch_pop_mpmc of ck 0.7.1 does not advance the
 * generation, and a pop beside it hands nodes out twice.
 */
#ifndef LG_SYNC_STACK_H
#define LG_SYNC_STACK_H

#include "base/bits.h"

#include <stdbool.h>

struct lg_node {
	struct lg_node *next;
};

/* Head and generation, compared together: sixteen bytes, aligned as the instruction wants it. */
struct lg_stack {
	_Alignas(16) void *words[2];
};

void lg_stack_init(struct lg_stack *stack);
void lg_stack_push(struct lg_stack *stack, struct lg_node *node);

/* NULL: empty. */
struct lg_node *lg_stack_pop(struct lg_stack *stack);

/* A glance: it may be wrong by the time the caller looks at it. */
bool lg_stack_is_empty(struct lg_stack *stack);

#endif
