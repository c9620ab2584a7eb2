/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What is charged for pins, src/pager/pin.c: the first pin of a page charges, the last gives back. Both are done under
 * maps_lock, but only the last pin goes under it; the first is there before.
 *
 * Claims: no more is ever charged than may be; while no call is under way each page with pins is charged once; who is refused a
 * pin finds that of another page.
 *
 * check: -DUNPINNERS=1
 * check: -DUNPINNERS=2
 * finds: -DUNPINNERS=1 -DGIVE_LATE
 * finds: -DUNPINNERS=1 -DGIVE_EARLY
 * finds: -DUNPINNERS=1 -DCHARGE_EACH
 *
 * GIVE_LATE: the last pin goes before the lock is taken.
 * GIVE_EARLY: its charge goes before the lock is taken.
 * CHARGE_EACH: each pin of a page charges.
 */
#define PAGES 2
#define PINS 2 /* of one page */
#define MOST 1 /* pages */

byte pins[PAGES], pinned;
bool busy[PAGES], locked;
short had[PAGES]; /* pins that their callers know of; from here on not the program's */
byte calls;       /* under way */

#define SOUND (pinned <= MOST && (calls > 0 || pinned == (pins[0] > 0) + (pins[1] > 0)))

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false

/* pin, add_pin: BUSY of the page is held, so that one at a time does it. */
proctype pinner(byte at)
{
	byte before;
	bool room;

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
		/* charge */
		LOCK;
		room = pinned + 1 <= MOST;
		if
		:: room -> pinned++
		:: else -> assert(pins[1 - at] > 0)
		fi;
		UNLOCK;
		if
		:: !room -> atomic { pins[at]--; had[at]-- }
		:: else
		fi
	   fi;
	   atomic { before = 0; room = false; had[at]++; busy[at] = false; calls-- }
	od
}

inline take_pin()
{
	do
	:: atomic { pins[at] == seen -> pins[at]--; break }
	:: atomic { pins[at] != seen -> seen = pins[at] }
	od;
	last = seen == 1
}

/* unpin */
proctype unpinner()
{
	byte at, seen;
	bool last;

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
#ifdef GIVE_LATE
	   take_pin();
	   LOCK;
#elif defined(GIVE_EARLY)
	   if
	   :: seen == 1 -> pinned--
	   :: else
	   fi;
	   LOCK;
	   take_pin();
	   last = false;
#else
	   LOCK;
	   take_pin();
#endif
	   if
	   :: last -> pinned--
	   :: else
	   fi;
	   UNLOCK;
	   atomic { last = false; seen = 0; at = 0; calls-- }
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
