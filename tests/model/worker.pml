/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The worker going to sleep without a timer, and threads that make work for it: edge W1 of
 * src/region/worker.h. A thread's plain store of work waits in its buffer until the processor writes it
 * or somebody's membarrier does.
 *
 * Claim: the worker never sleeps while there is work to see.
 *
 * check: -DTHREADS=2
 * check: -DTHREADS=3 -DPOKES=1
 * finds: -DTHREADS=1 -DNO_BARRIER
 * finds: -DTHREADS=1 -DNO_LAST_LOOK
 *
 * NO_BARRIER: no membarrier between saying "asleep" and the last look.
 * NO_LAST_LOOK: no look after saying "asleep".
 */
#ifndef POKES
#define POKES 2
#endif

bool work[THREADS];    /* in memory */
bool buffered[THREADS]; /* stored and not yet written */
bool asleep;           /* the bit of the word */
bool sleeping;         /* in the kernel: not the program's */
byte done;

inline look()
{
	i = 0;
	seen = false;
	do
	:: i < THREADS -> seen = seen || work[i]; i++
	:: else -> break
	od;
	i = 0
}

proctype processor(byte which)
{
end:
	do
	:: atomic { buffered[which] -> work[which] = true; buffered[which] = false }
	od
}

proctype thread(byte me)
{
	byte pokes;
	bool seen;

	do
	:: pokes < POKES ->
		pokes++;
		buffered[me] = true;
		seen = asleep;
		if
		:: seen -> /* a locked instruction: writes the buffer, and then clears the bit */
			atomic {
				work[me] = work[me] || buffered[me];
				buffered[me] = false;
				asleep = false
			}
		:: else
		fi;
		seen = false
	:: else -> break
	od;
	done++
}

proctype worker()
{
	byte i;
	bool seen;

	do
	:: true ->
		/* a tick does all there is to do */
		do
		:: i < THREADS -> work[i] = false; i++
		:: else -> break
		od;
		i = 0;
		look();
		if
		:: seen -> skip /* a timed sleep, and the next tick */
		:: else ->
			asleep = true;
#ifndef NO_BARRIER
			atomic {
				do
				:: i < THREADS ->
					work[i] = work[i] || buffered[i];
					buffered[i] = false;
					i++
				:: else -> break
				od;
				i = 0
			}
#endif
#ifndef NO_LAST_LOOK
			look();
#endif
			if
			:: seen -> asleep = false
			:: else ->
				sleeping = true;
end_asleep:
				!asleep; /* the futex: sleeps only while the bit is set */
				sleeping = false
			fi
		fi;
		seen = false
	od
}

active proctype watcher()
{
	byte i;

	/* Nobody can take a step any more: whoever is left is asleep. */
	done == THREADS && timeout;
	do
	:: i < THREADS ->
		assert(!work[i] && !buffered[i]);
		i++
	:: else -> break
	od;
	assert(sleeping)
}

init {
	byte n;

	atomic {
		run worker();
		do
		:: n < THREADS -> run thread(n); run processor(n); n++
		:: else -> break
		od
	}
}
