/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A latch: a lock that may be taken inside a signal handler. With signals blocked, always: a handler that finds its
 * own thread holding it would wait for ever. Held for microseconds, and never over I/O or the kernel's work on
 * mappings, but by lg_os_latch_enter.
 *
 * Ordering edge L1: unlock's release pairs with lock's acquire.
 */
#ifndef LG_OS_LATCH_H
#define LG_OS_LATCH_H

#include "base/atomic.h"
#include "os/thread.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_os_latch {
	_Atomic(uint32_t) word;
};

enum { LG_LATCH_FREE, LG_LATCH_TAKEN, LG_LATCH_WAITED_FOR };

static inline bool lg_os_latch_try(struct lg_os_latch *latch)
{
	uint32_t free = LG_LATCH_FREE;

	return lg_cas_acquire(&latch->word, &free, (uint32_t)LG_LATCH_TAKEN); /* L1 */
}

static inline void lg_os_latch_take(struct lg_os_latch *latch)
{
	enum { SPINS = 100 };

	for (int i = 0; i < SPINS; i++)
		if (lg_load_relaxed(&latch->word) == LG_LATCH_FREE && lg_os_latch_try(latch))
			return;
	while (lg_swap_acquire(&latch->word, (uint32_t)LG_LATCH_WAITED_FOR) !=
	       LG_LATCH_FREE) /* L1 */
		lg_os_sleep_while(&latch->word, LG_LATCH_WAITED_FOR, 0);
}

static inline void lg_os_latch_release(struct lg_os_latch *latch)
{
	if (lg_swap_release(&latch->word, (uint32_t)LG_LATCH_FREE) == LG_LATCH_WAITED_FOR) /* L1 */
		lg_os_wake(&latch->word);
}

/* The two together with what the first sentence above asks for. let_go is told what hold returned. */
static inline uint64_t lg_os_latch_hold(struct lg_os_latch *latch)
{
	uint64_t signals = lg_os_signals_block();

	lg_os_latch_take(latch);
	return signals;
}

static inline void lg_os_latch_let_go(struct lg_os_latch *latch, uint64_t signals)
{
	lg_os_latch_release(latch);
	lg_os_signals_restore(signals);
}

/*
 * The same for longer, over I/O, the kernel's work on mappings and what calls the program: its malloc may touch a map, so signals
 * that a thread raises itself stay open (lg_os_signals_hold). A handler of these may take only a latch under which no map is
 * touched.
 */
static inline uint64_t lg_os_latch_enter(struct lg_os_latch *latch)
{
	uint64_t signals = lg_os_signals_hold();

	lg_os_latch_take(latch);
	return signals;
}

static inline void lg_os_latch_leave(struct lg_os_latch *latch, uint64_t signals)
{
	lg_os_latch_release(latch);
	lg_os_signals_release(signals);
}

#endif
