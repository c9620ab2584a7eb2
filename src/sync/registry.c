/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/registry.h"

#include "sync/annotate.h"

#include <stddef.h>

/*
 * liburcu's small functions may be inlined by programs of any licence. Inline, the library needs no
 * liburcu at run time, whose constructor would take a thread key in every process.
 */
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/pointer.h>

void lg_registry_add(struct lg_registry *registry, struct lg_record *record)
{
	struct lg_record *head = rcu_dereference(registry->head), *before;

	do {
		before = head;
		record->next = head;
		lg_annotate_release(registry);
		head = rcu_cmpxchg_pointer(&registry->head, before, record); /* G1 */
	} while (head != before);
	lg_annotate_acquire(registry); /* G1: what was the head before, too */
}

struct lg_record *lg_registry_first(struct lg_registry *registry)
{
	struct lg_record *head = rcu_dereference(registry->head); /* G1 */

	lg_annotate_acquire(registry);
	return head;
}

struct lg_record *lg_registry_adopt(struct lg_registry *registry)
{
	return (struct lg_record *)(void *)lg_stack_pop(&registry->idle); /* G2 */
}

void lg_registry_abandon(struct lg_registry *registry, struct lg_record *record)
{
	lg_stack_push(&registry->idle, &record->idle); /* G2 */
}
