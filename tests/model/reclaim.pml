/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Waiting for reclaimers: the generations of src/region/reclaim.h. Its fences make each step here whole, so memory is
 * sequentially consistent.
 *
 * A waiter may give up wherever it sleeps, as after a second.
 *
 * Claims: who did not give up has seen everybody let go that had regions in hand when it began; and nobody is stuck.
 *
 * check: -DRECLAIMERS=1 -DWAITERS=2
 * check: -DRECLAIMERS=2 -DWAITERS=2 -DROUNDS=1
 * check: -DRECLAIMERS=1 -DWAITERS=3 -DROUNDS=1
 * finds: -DRECLAIMERS=1 -DWAITERS=2 -DTURN_FIRST
 * finds: -DRECLAIMERS=1 -DWAITERS=2 -DONE_LOOK
 *
 * TURN_FIRST: a waiter turns, and then waits for the count that it left behind.
 * ONE_LOOK: who begins does not look whether the generation is still that it counted itself among.
 */
#ifndef ROUNDS
#define ROUNDS 2 /* of a reclaimer, and of a waiter */
#endif

byte generation;
byte busy[2];
bool in_hand[RECLAIMERS];        /* not the program's, as what follows */
bool owed[RECLAIMERS * WAITERS]; /* had regions in hand when this waiter began, and has yet to let go */

#define OWED(reclaimer, waiter) owed[(reclaimer) * WAITERS + (waiter)]

proctype reclaimer(byte me)
{
	byte rounds, now, i;

	do
	:: rounds < ROUNDS ->
		rounds++;
again:
		now = generation;
		busy[now % 2]++;
#ifndef ONE_LOOK
		if
		:: atomic { generation != now -> now = now % 2 }
			busy[now]--;
			goto again
		:: atomic { generation == now -> in_hand[me] = true; now = now % 2 }
		fi;
#else
		atomic { in_hand[me] = true; now = now % 2 }
#endif
		atomic {
			in_hand[me] = false;
			do
			:: i < WAITERS -> OWED(me, i) = false; i++
			:: else -> break
			od;
			busy[now]--;
			i = 0;
			now = 0
		}
	:: else -> break
	od
}

inline claim()
{
	atomic {
		do
		:: i < RECLAIMERS -> assert(!OWED(i, me)); i++
		:: else -> break
		od;
		i = 0
	}
}

inline forget()
{
	atomic {
		do
		:: i < RECLAIMERS -> OWED(i, me) = false; i++
		:: else -> break
		od;
		i = 0;
		first = 0;
		now = 0
	}
}

proctype waiter(byte me)
{
	byte rounds, first, now, i;

	do
	:: rounds < ROUNDS ->
		rounds++;
		atomic { /* the pools were looked at */
			do
			:: i < RECLAIMERS -> OWED(i, me) = in_hand[i]; i++
			:: else -> break
			od;
			i = 0
		}
#ifdef TURN_FIRST
		atomic { now = generation; generation++ }
		if
		:: busy[now % 2] == 0 -> claim()
		:: busy[now % 2] != 0 /* gives up */
		fi;
#else
		atomic { first = generation; now = first }
		do
		:: now - first < 2 ->
			if
			:: busy[(now + 1) % 2] == 0 ->
				atomic {
					if
					:: generation == now -> generation++
					:: else
					fi
				}
			:: busy[(now + 1) % 2] != 0 /* sleeps */
			:: busy[(now + 1) % 2] != 0 -> break /* gives up */
			fi;
			now = generation
		:: else -> claim(); break
		od;
#endif
		forget()
	:: else -> break
	od
}

init {
	byte n;

	atomic {
		do
		:: n < RECLAIMERS -> run reclaimer(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < WAITERS -> run waiter(n); n++
		:: else -> break
		od
	}
}
