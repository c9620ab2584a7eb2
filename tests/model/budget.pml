/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The budget, src/pager/budget.h, in pages: who charges and gives back, what pins and recent fills leave of it (pin.h,
 * resident.h), and a resize beside them (pager.c).
 *
 * Each user touches pages: it plans, as lg_flight_demand does, how many come with the one touched, takes memory for them and a
 * buffer (lg_staging_take), and has that in hand until they are mapped. A buffer keeps its memory until that is wanted.
 * Who finds none reclaims, and sleeps until there is something to reclaim, or until its plan is too large by now: then it fails
 * and asks again.
 *
 * Claims: nothing is charged beyond the budget, the smaller one from the moment that it is set; what is charged is what there
 * is; after a resize no more is than it says; a touch is served in the end, whatever is pinned.
 *
 * TABLES: what the pager's own tables may come to take, a page at a time and whenever they like; nothing is charged for it, but
 * there is less room. They may be half of what pins leave beyond the pages that come and go (in the code a sixteenth of the
 * budget besides, which of so few pages is nothing).
 *
 * Left out: limbo and writing, which lie between a page and its memory; failing stores; turns; what is kept for one who wants
 * much, which ends with turns.
 *
 * HOLDS: so many users at once copy from a page that is held (lg_pin_page) to where they touch. Pins do not leave enough for
 * that, where the page held is no recent fill: so copies from map to map do not (copy.c).
 *
 * check: -DUSERS=2
 * check: -DBUDGET=10
 * check: -DUSERS=2 -DBLOCK=4
 * check: -DBUDGET=12 -DBLOCK=4
 * check: -DTABLES=4
 * check: -DBUDGET=10 -DTABLES=4
 * check: -DUSERS=2 -DTABLES=4
 * finds: -DHOLDS=1
 * finds: -DUSERS=2 -DTAKE_BLINDLY
 * finds: -DBUDGET=10 -DSET_QUIETLY
 * finds: -DUSERS=2 -DKEEP_BUFFER
 * finds: -DPIN_ALL
 * finds: -DRECENT_ALL
 * finds: -DBLOCK=4 -DWHOLE_BLOCK
 * finds: -DBUDGET=12 -DBLOCK=4 -DPLAN_ONCE
 * finds: -DBUDGET=10 -DRESIZE_PINNED
 * finds: -DBUDGET=10 -DRESIZE_AT_ONCE
 * finds: -DTABLES=2 -DTABLES_BESIDE_PINS
 *
 * TAKE_BLINDLY: what is charged is looked at, and raised in another step.
 * SET_QUIETLY: setting the budget leaves the word of what is charged as it is.
 * KEEP_BUFFER: who waits keeps the memory of its buffer.
 * PIN_ALL: pins leave two pages.
 * RECENT_ALL: recent fills may be all that is not pinned.
 * WHOLE_BLOCK: a touch brings its whole block, however little pins leave.
 * PLAN_ONCE: who planned before there were pins waits for as much as it planned.
 * RESIZE_PINNED: a resize does not look at what is pinned.
 * RESIZE_AT_ONCE: nor does it wait until what is too much is gone.
 * TABLES_BESIDE_PINS: tables take their room whatever is pinned.
 */
#define LEAST 8   /* LG_PAGES_LEAST */
#define CHANGES 3 /* no resize begins after so many: the word would be what it was */
#ifndef BUDGET
#define BUDGET LEAST
#endif
#ifndef USERS
#define USERS 1
#endif
#ifndef BLOCK
#define BLOCK 1
#endif
#ifndef TABLES
#define TABLES 0
#endif

byte budget = BUDGET;
byte charged, changes; /* one word: how often the budget was set */
byte pinned, recent, other; /* mapped: pages of one kind each */
byte held;                  /* pages that copies keep where they are */
byte idle;                  /* buffers that have memory */
byte tables;                /* pages */
byte set = BUDGET;          /* the budget that all have seen; from here on not the program's */
byte hands;                 /* what users have in hand */
bool stop;

#define MAX(a, b) (a > b -> a : b)
#define MIN(a, b) (a < b -> a : b)

/* lg_budget_room */
#define PAGES_LEFT 4 /* LG_PIN_LEAVES */
#if TABLES == 0
#define ROOM(of) (of)
#elif defined(TABLES_BESIDE_PINS)
#define ROOM(of) (of - tables)
#else
#define ROOM(of) (of - MIN(tables, (of - MIN(of, pinned + PAGES_LEFT)) / 2))
#endif

/* lg_pin_most, and half of lg_budget_unpinned */
#ifdef PIN_ALL
#define PIN_MOST(of) (of - 2)
#else
#define PIN_MOST(of) (of - MAX(of / 8, PAGES_LEFT))
#endif
#ifdef RECENT_ALL
#define RECENT_MOST (ROOM(budget) - pinned)
#else
#define RECENT_MOST ((ROOM(budget) - pinned) / 2)
#endif

/* pages_most of flight.c */
#ifdef WHOLE_BLOCK
#define PLAN BLOCK
#else
#define PLAN MIN(BLOCK, MAX(RECENT_MOST, 2) - 1)
#endif
#ifdef PLAN_ONCE
#define IS_TOO_LARGE false
#else
#define IS_TOO_LARGE (plan > PLAN)
#endif

#define SOUND (charged == pinned + recent + other + idle + held + hands)

/* --- charging ----------------------------------------------------------------------------------- */

/* lg_budget_try */
inline try(pages)
{
	do
	:: atomic { seen = charged; seen_changes = changes }
	   fits = seen + pages <= ROOM(budget);
	   if
	   :: !fits -> break
#ifdef TAKE_BLINDLY
	   :: fits -> atomic {
#else
	   :: atomic { fits && seen == charged && seen_changes == changes ->
#endif
		charged = charged + pages;
		hands = hands + pages;
		assert(charged <= MAX(set, budget));
		break
	      }
#ifndef TAKE_BLINDLY
	   :: atomic { fits && !(seen == charged && seen_changes == changes) }
#endif
	   fi
	od;
	atomic { seen = 0; seen_changes = 0 }
}

/* lg_recent_trim */
inline trim()
{
	other = other + recent - MIN(recent, RECENT_MOST);
	recent = MIN(recent, RECENT_MOST)
}

#define CAN_RECLAIM (other > 0 || recent > RECENT_MOST || idle > 0)

/* lg_budget_free: a page leaves (lg_evict, lg_limbo_retire), or a buffer's memory (lg_staging_drop). */
inline reclaim()
{
	trim();
	if
	:: other > 0 -> other--
	:: else -> idle--
	fi;
	charged--
}

/* --- users -------------------------------------------------------------------------------------- */

#define WANTED (plan + 1 - buffer)

/* lg_flight_demand, lg_staging_take, charge; lg_fill_arrived, lg_staging_give */
proctype user()
{
	byte plan, buffer, seen, seen_changes;
	bool fits;
#ifdef HOLDS
	bool holds;
#endif

end:
	do
	:: atomic { !stop -> plan = PLAN }
#ifdef HOLDS
	   if
	   :: atomic { other > 0 && held < HOLDS -> other--; held++; holds = true }
	   :: true
	   fi;
#endif
	   if
	   :: atomic { idle > 0 -> idle--; buffer = 1; hands++ }
	   :: atomic { idle == 0 }
	   fi;
	   do
	   :: true ->
		try(WANTED);
		if
		:: fits -> break
		:: else ->
			if
			:: atomic { CAN_RECLAIM -> reclaim() }
#ifndef KEEP_BUFFER
			:: atomic { !CAN_RECLAIM && buffer > 0 -> buffer = 0; hands--; charged-- }
			:: atomic { !CAN_RECLAIM && buffer == 0 }
#else
			:: atomic { !CAN_RECLAIM }
#endif
			   /* lg_budget_wait */
			   if
			   :: atomic { CAN_RECLAIM || charged + WANTED <= ROOM(budget) }
			   :: atomic { IS_TOO_LARGE -> break }
			   fi
			fi
		fi
	   od;
	   atomic {
		if
		:: fits ->
			hands = hands - (plan + 1);
			recent++;
			other = other + plan - 1;
			idle++;
			trim()
		:: else -> idle = idle + buffer; hands = hands - buffer
		fi;
		assert(SOUND);
#ifdef HOLDS
		other = other + holds;
		held = held - holds;
		holds = false;
#endif
		fits = false;
		buffer = 0;
		plan = 0
	   }
	od
}

/* charge and unpin of pin.c: of pages that are there. */
proctype pinner()
{
end:
	do
	:: atomic { !stop && other + recent > 0 && pinned + 1 <= PIN_MOST(budget) ->
		if
		:: other > 0 -> other--
		:: recent > 0 -> recent--
		fi;
		pinned++
	   }
	:: atomic { !stop && pinned > 0 -> pinned--; other++ }
	od
}

#if TABLES > 0
/* lg_budget_note_tables */
proctype noter()
{
end:
	do
	:: atomic { !stop && tables < TABLES -> tables++ }
	:: atomic { !stop && tables > 0 -> tables-- }
	od
}
#endif

/* --- a resize ----------------------------------------------------------------------------------- */

/* lg_budget_set. In between it may be seen, and the word be as it was. */
inline set_budget(size)
{
	budget = size;
	atomic {
#ifndef SET_QUIETLY
		changes++;
#endif
		set = size
	}
}

#ifdef RESIZE_PINNED
#define MAY_RESIZE(size) (pinned <= size)
#else
#define MAY_RESIZE(size) (pinned <= PIN_MOST(size))
#endif

/* resize, shrink. Pins are kept out (maps_lock) until the budget is set. */
proctype resizer()
{
end:
	do
	:: atomic { !stop && changes < CHANGES && budget > LEAST && MAY_RESIZE(LEAST) -> budget = LEAST }
	   set_budget(LEAST);
#ifndef RESIZE_AT_ONCE
	   do
	   :: charged <= ROOM(LEAST) -> break
	   :: atomic { charged > ROOM(LEAST) && CAN_RECLAIM -> reclaim() }
	   :: charged > ROOM(LEAST) -> set_budget(BUDGET); break /* in vain: the budget stays */
	   od;
#endif
	   assert(budget == BUDGET || charged <= LEAST)
	:: atomic { !stop && changes < CHANGES && budget < BUDGET } set_budget(BUDGET)
	od
}

init {
	byte n;

	atomic {
		do
		:: n < USERS -> run user(); n++
		:: else -> n = 0; break
		od;
		run pinner();
#if TABLES > 0
		run noter();
#endif
		run resizer()
	}
	/* Nobody begins anything then: who is not served waits for ever. */
end:
	atomic { true -> stop = true }
}
