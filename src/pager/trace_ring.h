/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A bounded ring between the threads that fault and the one that writes the trace. Putting is lock-free and
 * async-signal-safe; a full ring is an answer, and counted. (Vyukov's bounded queue, with one taker.)
 *
 * Invariant: slot i & mask has turn i when the i-th record may be put there, i + 1 when it is there, and
 * i + slots once it was taken. 0 <= put - taken <= slots.
 *
 * A putter that stops between its claim and its release of the slot, as a thread under a debugger may, holds up
 * the taker and no putter until the ring is full.
 *
 * Ordering edges
 *   T1  put: record before turn i + 1            pairs with take's acquire: the record is whole
 *   T2  take: record copied before turn i + slots pairs with put's acquire: the slot is free
 *   T3  rest: resting = 1, then the last look at the turn; put: turn, then the look at resting. All four are
 *       ordered, so one of the two sees the other: no record waits behind a taker that sleeps for ever.
 */
#ifndef LG_PAGER_TRACE_RING_H
#define LG_PAGER_TRACE_RING_H

#include "base/atomic.h"
#include "base/bits.h"

#include <stdbool.h>
#include <stdint.h>

/* What happened; on disk too. See trace.h. */
struct lg_trace_record {
	uint64_t time_ns; /* since the trace began */
	uint64_t page;    /* of its map; of LOST and END: how many records */
	uint32_t map;
	uint32_t thread; /* for whom it was done, by a number that tells threads apart */
	uint8_t kind;    /* enum lg_trace_kind */
	uint8_t shift;   /* the page has 2^shift bytes */
	uint16_t zero;
	uint32_t check; /* of the 28 bytes before; written with the file */
};
_Static_assert(sizeof(struct lg_trace_record) == 32, "it is a format");

struct lg_trace_slot {
	_Atomic(uint64_t) turn;
	struct lg_trace_record record;
};

struct lg_trace_ring {
	struct lg_trace_slot *slots;
	uint64_t mask;
	LG_LINE_ALIGNED _Atomic(uint64_t) put; /* claimed by putters */
	_Atomic(uint64_t) lost;
	LG_LINE_ALIGNED _Atomic(uint64_t) taken; /* the taker's */
	_Atomic(uint32_t) resting;
	_Atomic(uint32_t) calls; /* goes up to wake the taker */
};

/* `slots`, a power of two. -ENOMEM. */
int lg_trace_ring_make(struct lg_trace_ring *ring, uint64_t slots);
void lg_trace_ring_end(struct lg_trace_ring *ring);

/* False: the ring is full, and the record is counted as lost. */
bool lg_trace_ring_put(struct lg_trace_ring *ring, const struct lg_trace_record *record);

/* Taker only. False: there is none, or the next one is not whole so far. */
bool lg_trace_ring_take(struct lg_trace_ring *ring, struct lg_trace_record *record);

/* Sleeps until there is a record or a call, which is any after `calls` had this value. */
void lg_trace_ring_rest(struct lg_trace_ring *ring, uint32_t calls);

/* Wakes the taker, and keeps it from resting. */
void lg_trace_ring_call(struct lg_trace_ring *ring);

#endif
