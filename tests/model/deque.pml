/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The deque of src/sync/deque.c: an owner that pushes and takes batches of one to three, two thieves.
 * Every access of memory that others see is a step of its own; memory is sequentially consistent, which
 * the swap of D2 buys where it matters.
 *
 * Claims: no value is taken twice; none is lost: at the end what was pushed was taken or is inside; the
 * invariant of the header holds when the owner rests.
 *
 * check: -DTHIEVES=2
 * check: -DTHIEVES=1 -DOPERATIONS=6 -DSTEALS=4
 * finds: -DTHIEVES=1 -DTOP_FIRST
 * finds: -DTHIEVES=2 -DNO_RACE
 * finds: -DTHIEVES=1 -DOVERFULL
 *
 * TOP_FIRST: the owner reads top before it lowers bottom (edge D2 gone).
 * NO_RACE: the owner takes the last index that a thief can reach without a race.
 * OVERFULL: a push may go one beyond the slots (edge D3 gone: a slot is written before it was read).
 */
#ifndef OPERATIONS
#define OPERATIONS 5
#endif
#ifndef STEALS
#define STEALS 2
#endif
#define SLOTS 4
#define VALUES 16
#ifdef OVERFULL
#define LIMIT (SLOTS + 1)
#else
#define LIMIT SLOTS
#endif

#ifdef NO_RACE
#define CONTESTED (t > first)
#else
#define CONTESTED (t >= first)
#endif

byte top = 1, bottom = 1;
byte slots[SLOTS];
bool taken[VALUES];
byte pushed;  /* values 1 .. pushed were pushed */
byte resting; /* thieves that are done */

inline note_taken(value)
{
	assert(value > 0 && !taken[value]);
	taken[value] = true;
}

inline push(n)
{
	t = top;
	d_step {
		inside = bottom - t;
		count = (inside >= LIMIT -> 0 : (n > LIMIT - inside -> LIMIT - inside : n));
		i = 0
	}
	do
	:: i < count ->
		d_step {
			pushed++;
			slots[(bottom + i) % SLOTS] = pushed;
			i++
		}
	:: else -> break
	od;
	if
	:: count > 0 -> bottom = bottom + count
	:: else
	fi
}

inline take(n)
{
	t = top;
	if
	:: bottom <= t
	:: else ->
		d_step {
			b = bottom;
			first = (n > b - t -> t : b - n)
		}
#ifdef TOP_FIRST
		t = top;
		bottom = first;
#else
		bottom = first; /* the swap: a full barrier, D2 */
		t = top;
#endif
		if
		:: CONTESTED && b > t -> /* index t may be a thief's */
			atomic {
				if
				:: top == t -> top = t + 1; first = t
				:: else -> first = t + 1
				fi
			}
			bottom = t + 1
		:: CONTESTED && b <= t -> first = t; bottom = t; b = t
		:: else
		fi;
		do
		:: first < b ->
			atomic {
				note_taken(slots[first % SLOTS]);
				first++
			}
		:: else -> break
		od
	fi
}

proctype owner()
{
	byte t, b, first, inside, count, i, operations, n;

	do
	:: operations < OPERATIONS ->
		operations++;
		select(n : 1 .. 3);
		if
		:: pushed + n < VALUES -> push(n)
		:: take(n)
		fi;
		atomic {
			t = 0; b = 0; first = 0; inside = 0; count = 0; i = 0; n = 0;
			assert(bottom >= top && bottom - top <= LIMIT)
		}
	:: else -> break
	od;
	resting == THIEVES;
	d_step {
		first = top;
		do
		:: first < bottom ->
			note_taken(slots[first % SLOTS]);
			first++
		:: else -> break
		od;
		i = 1;
		do
		:: i <= pushed -> assert(taken[i]); i++
		:: else -> break
		od
	}
}

proctype thief()
{
	byte t, value, steals;

	do
	:: steals < STEALS ->
		steals++;
		t = top;
		if
		:: bottom > t ->
			value = slots[t % SLOTS];
			atomic {
				if
				:: top == t -> top = t + 1; note_taken(value)
				:: else
				fi
			}
		:: else
		fi;
		atomic { t = 0; value = 0 }
	:: else -> break
	od;
	resting++
}

init {
	byte n;

	atomic {
		run owner();
		do
		:: n < THIEVES -> run thief(); n++
		:: else -> break
		od
	}
}
