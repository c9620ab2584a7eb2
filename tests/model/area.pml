/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An area's word and bits, src/region/area.c: threads take and give, two retirers (the worker, and a
 * call of lg_trim), and refills that open the slot again with another number of regions.
 *
 * Claims: a region has one holder; nobody holds a region of an area that is not mapped; what is retired
 * has every bit where it belongs; bits >= clean + rights at every moment, so a search with a right in hand
 * ends.
 *
 * check: -DTHREADS=2
 * check: -DTHREADS=1 -DLIVES=3 -DTAKES=3
 * finds: -DTHREADS=1 -DCOUNT_FIRST
 * finds: -DTHREADS=2 -DNO_GENERATION -DLIVES=2 -DTAKES=2
 * finds: -DTHREADS=1 -DBITS_LATE
 *
 * COUNT_FIRST: give raises the count before it sets the bits (edge A2 gone).
 * NO_GENERATION: a compare-and-swap of an older life may succeed.
 * BITS_LATE: open shows the word before the bits (edge A3 gone).
 */
#ifndef LIVES
#define LIVES 2
#endif
#ifndef TAKES
#define TAKES 2
#endif
#define REGIONS 3
#define RETIRERS 2

mtype = { UNUSED, OPEN, RETIRED };

/* The word, written as one. */
mtype state = UNUSED;
byte clean;
byte generation;

byte count; /* of regions, in this life */
bool bits[REGIONS];
bool held[REGIONS];
bool mapped;
byte rights; /* not yet used: not the program's */
byte lives, done;
byte lock; /* the class's refill lock */

#define SET (bits[0] + bits[1] + bits[2])
#define SOUND (state != OPEN || SET >= clean + rights)

#ifdef NO_GENERATION
#define SAME(s, c, g) (state == s && clean == c)
#else
#define SAME(s, c, g) (state == s && clean == c && generation == g)
#endif

/* One bit cleared by read-modify-write, if it was set. */
inline claim()
{
	i = 0;
	do
	:: atomic { i < count && bits[i] ->
		bits[i] = false;
		assert(rights > 0);
		rights--;
		assert(mapped && !held[i]);
		held[i] = true;
		mine[i] = true
	   }
	   break
	:: atomic { i < count && !bits[i] -> i++ }
	:: atomic { i >= count -> i = 0 }
	od;
	i = 0
}

inline take(want)
{
	atomic { seen = clean; seen_generation = generation; seen_open = state == OPEN }
	if
	:: seen_open && seen > 0 ->
		got = (want < seen -> want : seen);
		atomic {
			if
			:: SAME(OPEN, seen, seen_generation) ->
				clean = clean - got;
				rights = rights + got
			:: else -> got = 0
			fi
		}
		do
		:: got > 0 -> claim(); got--
		:: else -> break
		od
	:: else
	fi;
	atomic { got = 0; seen = 0; seen_generation = 0; seen_open = false }
}

inline give()
{
	got = 0;
	i = 0;
	do
	:: i < REGIONS ->
		if
		:: mine[i] ->
			d_step {
				assert(held[i] && mapped);
				held[i] = false;
				mine[i] = false
			}
#ifdef COUNT_FIRST
			clean++;
			bits[i] = true;
#else
			bits[i] = true;
			got++;
#endif
		:: else
		fi;
		i++
	:: else -> break
	od;
	clean = clean + got;
	atomic { got = 0; i = 0 }
}

/* A refill looks once more under the lock, and opens what is not in use. */
inline refill()
{
	atomic { lock == 0 -> lock = 1 }
	if
	:: state == UNUSED && lives < LIVES ->
		d_step {
			assert(SET == 0);
			lives++;
			mapped = true
		}
		if
		:: count = REGIONS
		:: count = REGIONS - 1
		fi;
#ifdef BITS_LATE
		atomic { state = OPEN; clean = count; generation++ }
#endif
		i = 0;
		do
		:: i < count -> bits[i] = true; i++
		:: else -> break
		od;
		i = 0;
#ifndef BITS_LATE
		atomic { state = OPEN; clean = count; generation++ }
#endif
	:: else
	fi;
	lock = 0
}

proctype thread()
{
	byte i, got, seen, seen_generation, takes;
	bool seen_open, mine[REGIONS];

	do
	:: takes < TAKES ->
		takes++;
		refill();
		if
		:: take(1)
		:: take(2)
		fi;
		give()
	:: else -> break
	od;
	done++
}

proctype retirer()
{
	byte seen, seen_generation, i;
	bool seen_open;

	do
	:: atomic { seen = clean; seen_generation = generation; seen_open = state == OPEN }
	   if
	   :: seen_open && seen == count && seen > 0 ->
		atomic {
			if
			:: SAME(OPEN, seen, seen_generation) ->
				state = RETIRED;
				clean = 0
			:: else -> seen_open = false
			fi
		}
		if
		:: seen_open ->
			d_step {
				assert(rights == 0);
				assert(!held[0] && !held[1] && !held[2]);
				assert(SET == count);
				mapped = false
			}
			do
			:: i < count -> bits[i] = false; i++
			:: else -> break
			od;
			i = 0;
			assert(state == RETIRED && clean == 0);
			state = UNUSED
		:: else
		fi
	   :: else
	   fi;
	   atomic { seen = 0; seen_generation = 0; seen_open = false }
	:: done == THREADS -> break
	od
}

active proctype watcher()
{
end:
	do
	:: !SOUND -> assert(SOUND)
	od
}

init {
	byte n;

	atomic {
		do
		:: n < THREADS -> run thread(); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < RETIRERS -> run retirer(); n++
		:: else -> break
		od;
		n = 0
	}
}
