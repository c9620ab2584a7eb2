/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/stack.h"

#include "sync/annotate.h"

#include <ck_stack.h>
#include <stddef.h>

_Static_assert(sizeof(struct lg_stack) == sizeof(ck_stack_t), "a stack is ck's stack");
_Static_assert(_Alignof(struct lg_stack) == 16, "cmpxchg16b wants it");
_Static_assert(sizeof(struct lg_node) == sizeof(ck_stack_entry_t), "a node is ck's entry");

static ck_stack_t *ck_of(struct lg_stack *stack)
{
	return (ck_stack_t *)(void *)stack;
}

void lg_stack_init(struct lg_stack *stack)
{
	ck_stack_init(ck_of(stack));
}

void lg_stack_push(struct lg_stack *stack, struct lg_node *node)
{
	lg_annotate_release(stack);
	ck_pr_fence_release(); /* S1: ck's push orders stores alone, and the last owner also loaded */
	ck_stack_push_mpmc(ck_of(stack), (ck_stack_entry_t *)(void *)node);
}

struct lg_node *lg_stack_pop(struct lg_stack *stack)
{
	struct lg_node *node;

	if (lg_stack_is_empty(stack))
		return NULL; /* without the locked instruction */
	node = (struct lg_node *)(void *)ck_stack_pop_mpmc(ck_of(stack));
	if (node != NULL)
		lg_annotate_acquire(stack); /* S1 */
	return node;
}

bool lg_stack_is_empty(struct lg_stack *stack)
{
	return ck_pr_load_ptr(&ck_of(stack)->head) == NULL;
}
