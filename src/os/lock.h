/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A lock that may be taken inside a signal handler. With signals blocked, always: a handler that finds its
 * own thread holding it would wait for ever. Held for microseconds, never over I/O or the kernel's work on
 * mappings.
 *
 * Ordering edge L1: unlock's release pairs with lock's acquire.
 */
#ifndef LG_OS_LOCK_H
#define LG_OS_LOCK_H

#include "base/atomic.h"
#include "os/thread.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_os_lock {
	_Atomic(uint32_t) word;
};

enum { LG_LOCK_FREE, LG_LOCK_TAKEN, LG_LOCK_WAITED_FOR };

static inline bool lg_os_lock_try(struct lg_os_lock *lock)
{
	uint32_t free = LG_LOCK_FREE;

	return lg_cas_acquire(&lock->word, &free, (uint32_t)LG_LOCK_TAKEN); /* L1 */
}

static inline void lg_os_lock_take(struct lg_os_lock *lock)
{
	enum { SPINS = 100 };

	for (int i = 0; i < SPINS; i++)
		if (lg_load_relaxed(&lock->word) == LG_LOCK_FREE && lg_os_lock_try(lock))
			return;
	while (lg_swap_acquire(&lock->word, (uint32_t)LG_LOCK_WAITED_FOR) != LG_LOCK_FREE) /* L1 */
		lg_os_sleep_while(&lock->word, LG_LOCK_WAITED_FOR, 0);
}

static inline void lg_os_lock_release(struct lg_os_lock *lock)
{
	if (lg_swap_release(&lock->word, (uint32_t)LG_LOCK_FREE) == LG_LOCK_WAITED_FOR) /* L1 */
		lg_os_wake(&lock->word);
}

#endif
