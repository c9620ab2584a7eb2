/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What is charged for pins, src/pager/pin.c: the first pin of a page charges, the last gives back before it goes, without a
 * lock.
 *
 * Claims: while no call is under way each page with pins is charged once; who is refused a pin finds that of another page.
 *
 * check: -DUNPINNERS=1
 * check: -DUNPINNERS=2
 * finds: -DUNPINNERS=1 -DGIVE_LATE
 * finds: -DUNPINNERS=1 -DKEEP_LOWERED
 * finds: -DUNPINNERS=1 -DCHARGE_EACH
 * finds: -DUNPINNERS=1 -DEXACT
 *
 * GIVE_LATE: the last pin goes before its charge does.
 * KEEP_LOWERED: who finds that its pin is not the last, after all, does not charge again.
 * CHARGE_EACH: each pin of a page charges.
 * EXACT: as if there were never more than the limit; unpin says how there is, and what that is taken from.
 */
#define PAGES 2
#define PINS 2 /* of one page */
#define MOST 1 /* pages */

byte pins[PAGES], pinned;
bool busy[PAGES];
short had[PAGES]; /* pins that their callers know of; from here on not the program's */
byte calls;       /* under way */

#ifdef EXACT
#define LIMIT MOST
#else
#define LIMIT PAGES
#endif
#define SOUND (pinned <= LIMIT && (calls > 0 || pinned == (pins[0] > 0) + (pins[1] > 0)))

/* pin, add_pin: BUSY of the page is held, so that one at a time does it. */
proctype pinner(byte at)
{
	byte before;

end:
	do
	:: atomic { !busy[at] && pins[at] < PINS -> busy[at] = true; calls++ }
	   atomic { before = pins[at]; pins[at]++ }
	   if
#ifdef CHARGE_EACH
	   :: true ->
#else
	   :: before > 0
	   :: before == 0 ->
#endif
		if
		:: atomic { pinned + 1 <= MOST -> pinned++ } /* charge: under maps_lock */
		:: atomic { else ->
			assert(pins[1 - at] > 0);
			pins[at]--;
			had[at]--
		   }
		fi
	   fi;
	   atomic { before = 0; had[at]++; busy[at] = false; calls-- }
	od
}

/* unpin */
proctype unpinner()
{
	byte at, seen;
	bool lowered, last;

end:
	do
	:: atomic {
		if
		:: had[0] > 0 -> at = 0
		:: had[1] > 0 -> at = 1
		fi;
		had[at]--;
		calls++;
		seen = pins[at]
	   }
	   do
	   :: true ->
		last = seen == 1;
#ifndef GIVE_LATE
		if
		:: last && !lowered -> pinned--
#ifndef KEEP_LOWERED
		:: !last && lowered -> pinned++
#endif
		:: else
		fi;
		lowered = last;
#endif
		if
		:: seen == 0 -> break
		:: atomic { seen > 0 && pins[at] == seen -> pins[at]--; break }
		:: atomic { seen > 0 && pins[at] != seen -> seen = pins[at] }
		fi
	   od;
#ifdef GIVE_LATE
	   if
	   :: last && seen > 0 -> pinned--
	   :: else
	   fi;
#endif
	   atomic { lowered = false; last = false; seen = 0; at = 0; calls-- }
	od
}

proctype watcher()
{
end:
	!SOUND -> assert(SOUND)
}

init {
	byte n;

	atomic {
		run watcher();
		run pinner(0);
		run pinner(1);
		do
		:: n < UNPINNERS -> run unpinner(); n++
		:: else -> n = 0; break
		od
	}
}
