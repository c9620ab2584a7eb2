/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Revocation of a thread's cache: the bracket of src/region/cache.h, the revoker of revoke.c, exit and
 * adoption of thread.c. One record; threads that own it one after the other; two revokers (the worker,
 * and a call of lg_trim).
 *
 * A thread's plain stores wait in a buffer, in order, until the processor writes them, a locked
 * instruction of the thread, or a membarrier of anybody. The magazine is a version number: whoever uses
 * it must see the last version.
 *
 * Claims: at most one uses the magazine at a time, and sees what the last one wrote; a record waits for a
 * new owner only once its thread has left, and is then closed and finished by exactly one.
 *
 * check: -DTHREADS=2 -DREVOKERS=1
 * check: -DTHREADS=1 -DREVOKERS=2
 * check: -DTHREADS=2 -DREVOKERS=2 -DVISITS=1 -DROUNDS=1
 * finds: -DTHREADS=1 -DREVOKERS=1 -DNO_BARRIER
 * finds: -DTHREADS=1 -DREVOKERS=1 -DBUSY_LATE
 * finds: -DTHREADS=2 -DREVOKERS=1 -DTWO_WORDS
 *
 * NO_BARRIER: the revoker does not pass membarrier.
 * BUSY_LATE: the owner looks at the gate before it says busy.
 * TWO_WORDS: "left" is a word of its own and not a third value of the gate: between the look at left and
 * the closing that follows, the record may have been finished by another and handed to a new thread.
 */
#ifndef VISITS
#define VISITS 2 /* of a thread to its cache */
#endif
#ifndef ROUNDS
#define ROUNDS 2 /* of a revoker */
#endif
#define STORES 3 /* a buffer holds this many */

#define CLOSED 0
#define OPEN 1
#define ENDED 2

mtype = { BUSY, MAGAZINE };

byte gate = ENDED;
byte gone; /* the second word of TWO_WORDS */
bit busy;
byte magazine; /* version in memory */
byte version;  /* the true one: not the program's */
byte users;    /* inside the magazine now: not the program's */
bool owned, idle = true;
byte threads_done;

chan buffers[THREADS] = [STORES] of { mtype, byte };

inline write_one(which)
{
	if
	:: buffers[which] ? BUSY(written) -> busy = written
	:: buffers[which] ? MAGAZINE(written) -> magazine = written
	fi
}

/* Everything a thread stored is written. */
inline flush(which)
{
	do
	:: nempty(buffers[which]) -> write_one(which)
	:: empty(buffers[which]) -> break
	od
}

inline use(seen)
{
	users++;
	assert(users == 1);
	assert(seen == version)
}

/* Alone with the cache of a thread that has left. */
inline finish()
{
	atomic { use(magazine); version = (version + 1) % 8; magazine = version }
	atomic { users--; gone = 0 }
	atomic {
		assert(owned && !idle);
		owned = false;
		idle = true
	}
}

proctype processor(byte which)
{
	byte written;

end:
	do
	:: atomic { nempty(buffers[which]) -> write_one(which) }
	od
}

proctype thread(byte me)
{
	byte visits, written, seen;

	/* adopt */
	atomic { idle -> idle = false; assert(!owned); owned = true }
	gate = OPEN;
	do
	:: visits < VISITS ->
		visits++;
#ifdef BUSY_LATE
		seen = gate;
		buffers[me] ! BUSY(1);
#else
		buffers[me] ! BUSY(1);
		seen = gate;
#endif
		if
		:: seen == OPEN ->
			atomic {
				/* A load sees the thread's own stores: none of the magazine can be waiting
				 * behind a bracket that another used meanwhile. */
				seen = (buffers[me] ?? [MAGAZINE(eval(version))] -> version : magazine);
				use(seen)
			}
			atomic {
				nfull(buffers[me]);
				version = (version + 1) % 8;
				buffers[me] ! MAGAZINE(version)
			}
			atomic { nfull(buffers[me]); users--; buffers[me] ! BUSY(0) }
		:: else -> buffers[me] ! BUSY(0)
		fi;
		seen = 0
	:: else -> break
	od;
	/* exit: the locked instruction writes the buffer first */
#ifdef TWO_WORDS
	atomic { flush(me); gone = 1 }
	atomic {
		if
		:: gate == OPEN -> gate = CLOSED; seen = 1
		:: else -> seen = 0
		fi
	}
#else
	atomic { flush(me); seen = gate == OPEN; gate = ENDED } /* a swap */
#endif
	if
	:: seen -> finish()
	:: else /* a revoker has it, and finishes it */
	fi;
	threads_done++
}

proctype revoker()
{
	byte rounds, written, i;
	bool closed;

	do
	:: rounds < ROUNDS ->
		rounds++;
		atomic {
			closed = gate == OPEN;
			if
			:: closed -> gate = CLOSED
			:: else
			fi
		}
		if
		:: closed ->
#ifndef NO_BARRIER
			atomic {
				i = 0;
				do
				:: i < THREADS -> flush(i); i++
				:: else -> break
				od;
				i = 0
			}
#endif
			if
			:: busy == 0 ->
				atomic { use(magazine); version = (version + 1) % 8; magazine = version }
				users--
			:: else
			fi;
#ifdef TWO_WORDS
			gate = OPEN;
			closed = gone != 0;
			if
			:: closed ->
				atomic {
					closed = gate == OPEN;
					if
					:: closed -> gate = CLOSED
					:: else
					fi
				}
				if
				:: closed -> finish()
				:: else
				fi
			:: else
			fi
#else
			atomic {
				closed = gate != CLOSED; /* the swap failed: it has ended */
				gate = (closed -> gate : OPEN)
			}
			if
			:: closed -> finish()
			:: else
			fi
#endif
		:: else
		fi;
		closed = false
	:: else -> break
	od
}

init {
	byte n;

	atomic {
		do
		:: n < THREADS -> run thread(n); run processor(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < REVOKERS -> run revoker(); n++
		:: else -> break
		od;
		n = 0
	}
	threads_done == THREADS;
	/* Every thread has left: a revoker may still hold the record, then somebody finishes it. */
	idle && !owned
}
