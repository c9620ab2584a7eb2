/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/range.h"

#include "base/atomic.h"
#include "os/thread.h"

#include <errno.h>
#include <stddef.h>

static _Atomic(uint32_t) holder; /* the process whose thread has the lock; 0: nobody */
static struct lg_range *ranges;

static void lock(void)
{
	uint32_t self = (uint32_t)lg_os_process(), found = 0;

	/* Held for a walk along the list only. What a parent held when it forked is nobody's here. */
	while (!lg_cas_acquire(&holder, &found, self)) {
		if (found != self && lg_cas_acquire(&holder, &found, self))
			return;
		if (found == self)
			lg_os_sleep_while(&holder, self, 1);
		found = 0;
	}
}

static void unlock(void)
{
	lg_store_release(&holder, 0);
}

static bool collide(const struct lg_range *a, const struct lg_range *b)
{
	return a->device == b->device && a->inode == b->inode && a->from < b->to &&
	       b->from < a->to && !(a->shared && b->shared);
}

int lg_range_take(struct lg_range *range)
{
	bool free = true;

	lock();
	for (const struct lg_range *other = ranges; other != NULL; other = other->next)
		free = free && !collide(other, range);
	if (free) {
		range->next = ranges;
		lg_compiler_barrier(); /* a fork may come between */
		ranges = range;
	}
	unlock();
	return free ? 0 : -EBUSY;
}

void lg_range_give(struct lg_range *range)
{
	lock();
	for (struct lg_range **at = &ranges; *at != NULL; at = &(*at)->next) {
		if (*at == range) {
			*at = range->next;
			break;
		}
	}
	unlock();
}
