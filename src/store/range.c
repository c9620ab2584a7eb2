/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/range.h"

#include "os/latch.h"

#include <errno.h>
#include <stddef.h>

static struct lg_os_latch lock;
static struct lg_range *ranges;

static bool collide(const struct lg_range *a, const struct lg_range *b)
{
	return a->device == b->device && a->inode == b->inode && a->from < b->to &&
	       b->from < a->to && !(a->shared && b->shared);
}

int lg_range_take(struct lg_range *range)
{
	uint64_t signals = lg_os_latch_hold(&lock);
	bool free = true;

	for (const struct lg_range *other = ranges; other != NULL; other = other->next)
		free = free && !collide(other, range);
	if (free) {
		range->next = ranges;
		ranges = range;
	}
	lg_os_latch_let_go(&lock, signals);
	return free ? 0 : -EBUSY;
}

void lg_range_give(struct lg_range *range)
{
	uint64_t signals = lg_os_latch_hold(&lock);

	for (struct lg_range **at = &ranges; *at != NULL; at = &(*at)->next) {
		if (*at == range) {
			*at = range->next;
			break;
		}
	}
	lg_os_latch_let_go(&lock, signals);
}

void lg_range_forget(void)
{
	ranges = NULL;
	lg_store_relaxed(&lock.word, (uint32_t)LG_LATCH_FREE);
}
