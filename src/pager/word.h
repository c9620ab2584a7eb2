/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The word of a page: all that is known of it, in 64 bits that change by compare and swap.
 *
 *   0-2   state     OUT    no memory: the store has it, or (not STORED) it is zeros
 *                   CLEAN  mapped, write-protected (or the map is read-only): the store has the same
 *                   DIRTY  mapped, writable
 *                   LIMBO  out of the map, in a frame; a touch brings it back without I/O
 *                   POISONED  could not be read
 *   3     BUSY      somebody works on the page: state, flags and handle are his alone
 *   4     WAITED    somebody sleeps until it is not BUSY
 *   5     STORED    the store was given this page once, or some of it
 *   6     UNWRITTEN LIMBO only: the frame has what the store has not
 *   7     AHEAD     read ahead and not touched yet
 *   8-13  recent    how many rings of recent fills have it
 *   14    ASIDE     its policy does not have it: it could not leave when it was chosen, or was read ahead
 *   15-19 holds     the library's own pins, for the length of a copy
 *   20-31 pins      the user's
 *   32-63 handle    its resident, while it is CLEAN, DIRTY or LIMBO; why it could not be read (errno), while it is POISONED, with
 *                 62     it was for want of memory for the page, which calls try again
 *                 63     nothing is mapped there
 *
 * Invariants
 *   - Only who holds BUSY calls the kernel or the store for the page, and changes bits 0-2, 5-7 and 32-63.
 *   - A thread that holds BUSY has its signals held (lg_os_signals_hold), from before the claim to after the release, or
 *     blocked: a handler that touched the page would wait for its own thread. That is so in handlers of faults and
 *     in the library's own threads anyway; calls hold them page by page or run by run, never for all their length.
 *   - A writable page-table entry implies DIRTY, once BUSY is off.
 *   - recent, holds and pins change any time by anybody, but holds and pins rise only for who holds BUSY of a
 *     mapped page, or for who finds it mapped and not BUSY, in one step. ASIDE changes under the pager's lock.
 *   - A page leaves CLEAN and DIRTY only where it has no holds and pins; by eviction only where it is not
 *     recent.
 *
 * Ordering edges
 *   W1 release to claim: what the last owner did to page, frame and resident is seen by the next.
 *   W2 pin to claim: whoever claims after a pin sees it (one word, compare and swap).
 *   W3 unpin to pin: whoever finds the page without pins finds what was pinned for it given back, when it has maps_lock.
 *
 * tests/model/page.pml checks the invariants, and that nothing is lost, with all who use the word.
 */
#ifndef LG_PAGER_WORD_H
#define LG_PAGER_WORD_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

enum lg_page_state {
	LG_PAGE_OUT,
	LG_PAGE_CLEAN,
	LG_PAGE_DIRTY,
	LG_PAGE_LIMBO,
	LG_PAGE_POISONED,
};

#define LG_WORD_STATE ((uint64_t)7)
#define LG_WORD_BUSY ((uint64_t)1 << 3)
#define LG_WORD_WAITED ((uint64_t)1 << 4)
#define LG_WORD_STORED ((uint64_t)1 << 5)
#define LG_WORD_UNWRITTEN ((uint64_t)1 << 6)
#define LG_WORD_AHEAD ((uint64_t)1 << 7)
#define LG_WORD_RECENT ((uint64_t)1 << 8)
#define LG_WORD_RECENTS ((uint64_t)63 << 8)
#define LG_WORD_ASIDE ((uint64_t)1 << 14)
#define LG_WORD_HOLD ((uint64_t)1 << 15)
#define LG_WORD_HOLDS ((uint64_t)31 << 15)
#define LG_WORD_PIN ((uint64_t)1 << 20)
#define LG_WORD_PINS ((uint64_t)4095 << 20)
#define LG_WORD_STARVED ((uint64_t)1 << 62)
#define LG_WORD_NOTHING ((uint64_t)1 << 63)
#define LG_WORD_STAYS (LG_WORD_HOLDS | LG_WORD_PINS)

/* What the owner of BUSY decides; the rest is carried over. */
#define LG_WORD_OWNED                                                                              \
	(LG_WORD_STATE | LG_WORD_STORED | LG_WORD_UNWRITTEN | LG_WORD_AHEAD |                      \
	 (uint64_t)UINT32_MAX << 32)

typedef _Atomic(uint64_t) lg_word;

static inline enum lg_page_state lg_word_state(uint64_t word)
{
	return (enum lg_page_state)(word & LG_WORD_STATE);
}

static inline uint32_t lg_word_handle(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static inline uint64_t lg_word_with_handle(uint64_t word, uint32_t handle)
{
	return (word & UINT32_MAX) | (uint64_t)handle << 32;
}

static inline uint64_t lg_word_with_state(uint64_t word, enum lg_page_state state)
{
	return (word & ~LG_WORD_STATE) | (uint64_t)state;
}

static inline bool lg_word_is_mapped(uint64_t word)
{
	return lg_word_state(word) == LG_PAGE_CLEAN || lg_word_state(word) == LG_PAGE_DIRTY;
}

/* Takes BUSY if nobody has it and the word is still what was `seen`, which is brought up to date else. */
static inline bool lg_word_claim(lg_word *word, uint64_t *seen)
{
	if ((*seen & LG_WORD_BUSY) != 0 ||
	    !lg_cas_acquire(word, seen, *seen | LG_WORD_BUSY)) /* W1 */
		return false;
	*seen |= LG_WORD_BUSY;
	return true;
}

/* POISONED, because of -errno. */
static inline uint64_t lg_word_with_error(uint64_t word, int error)
{
	return lg_word_with_state(lg_word_with_handle(word, (uint32_t)-error), LG_PAGE_POISONED);
}

/* Why a POISONED page could not be read: -errno. */
static inline int lg_word_error(uint64_t word)
{
	return -(int)lg_word_handle(word & ~(LG_WORD_STARVED | LG_WORD_NOTHING));
}

/* The owner's, who keeps it. */
static inline void lg_word_set_state(lg_word *word, enum lg_page_state state)
{
	uint64_t seen = lg_load_relaxed(word);

	while (!lg_cas_release(word, &seen, lg_word_with_state(seen, state)))
		;
}

/* The same, and it is POISONED. */
static inline void lg_word_set_error(lg_word *word, int error)
{
	uint64_t seen = lg_load_relaxed(word);

	while (!lg_cas_release(word, &seen, lg_word_with_error(seen, error)))
		;
}

/* The owner's end: its bits become those of `owned`; who waits is woken. */
void lg_word_release(lg_word *word, uint64_t owned);

/* Sleeps until the word is not BUSY; `seen` was. Returns what it is then. */
uint64_t lg_word_wait(lg_word *word, uint64_t seen);

#endif
