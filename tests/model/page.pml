/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A page's word, src/pager/word.h, and all who change it: threads that touch the page and serve their own faults
 * (fault.c, fill.c) or ask a reader to, copies and pins (copy.c, pin.c), reading ahead (prefetch.c), eviction
 * (evict.c), writing, returning and giving up what is in limbo (limbo.c), sync (sync.c), discard (drop.c).
 * They go on for ever: the states are all there are with so many threads, pages and contents.
 *
 * The kernel: a touch at any time does what the entry of the page table allows then, or faults. COPY wants an absent
 * entry; MOVE leaves a writable one, and can be refused with a part moved. The futex sleeps only while the word says
 * BUSY and WAITED.
 *
 * Claims: what is mapped is what was written last; nothing is lost, for a page that is OUT, CLEAN or written in limbo
 * is what the store has; a writable entry implies DIRTY once BUSY is off; held pages stay, and stay writable; a
 * frame is one page's; only who holds BUSY calls kernel and store; what sync returned for is in the store; whoever
 * sleeps is woken.
 *
 * Left out: weak memory, torn contents, reads that fail, the budget, policies, renewing, closing. Only users sleep;
 * others who find BUSY come later.
 *
 * FAILS: writes to the store may fail. NO_MOVE, NO_PROTECT: what the kernel cannot do. HUGE: pages are moved in, and
 * known by a hash of what the store has. FORESEEN: what is read may come writable all the same, with its hash.
 * SPILL: the store is nobody else's; else it is a new file. FEW: of what needs no second page, nothing.
 *
 * check: -DUSERS=2 -DFAILS
 * check: -DNO_MOVE -DFAILS
 * check: -DNO_PROTECT -DFAILS
 * check: -DSPILL -DVALUES=3
 * check: -DHUGE -DFAILS
 * check: -DFORESEEN -DSPILL -DFAILS
 * check: -DHUGE -DSPILL -DFRAMES=2
 * check: -DPAGES=2 -DFEW
 * finds: -DNO_COMPARE
 * finds: -DWAKE_FIRST
 * finds: -DSLEEP_BLINDLY
 * finds: -DUNPROTECT_LATE
 * finds: -DLIMBO_CLEAN
 * finds: -DEVICT_HELD
 * finds: -DREFUSED_CLEAN
 * finds: -DWRITE_LATE
 * finds: -DEMPTY_EARLY
 * finds: -DPAGES=2 -DFEW -DNO_LOCK
 * finds: -DSYNC_OPEN
 * finds: -DHUGE -DSPILL -DHASH_STAYS
 *
 * NO_COMPARE: BUSY is stored, whatever the word has become.
 * WAKE_FIRST: who waits is woken before BUSY goes.
 * SLEEP_BLINDLY: the futex does not look at the word.
 * UNPROTECT_LATE: a fault gives up BUSY, and then has the entry made writable.
 * LIMBO_CLEAN: what is read from limbo is CLEAN, UNWRITTEN or not.
 * EVICT_HELD: eviction does not look at holds and pins.
 * REFUSED_CLEAN: a page that came back from a move that was refused is still CLEAN.
 * WRITE_LATE: what is in limbo counts as written before it is.
 * EMPTY_EARLY: a frame can be taken before its memory is dropped.
 * NO_LOCK: two can take one frame.
 * SYNC_OPEN: sync does not protect what it says is CLEAN.
 * HASH_STAYS: a page of zeros, which needs no write, keeps the hash of what it had before.
 *
 * By hand, in minutes: -DUSERS=2 -DVALUES=3 -DFRAMES=2 -DFAILS, also with -DHUGE -DSPILL, and pan -m4000000.
 */
#ifndef PAGES
#define PAGES 1
#endif
#ifndef FRAMES
#define FRAMES 1
#endif
#ifndef USERS
#define USERS 1
#endif
#ifndef VALUES
#define VALUES 2 /* of a page's contents; 0 is zeros */
#endif
#define NOTHING VALUES /* no memory */

#define HASH_NONE 0
#define HASH_WANTED 1
#define HASH_OF(value) (2 + value)
#if defined(HUGE) || defined(FORESEEN)
#define SET_HASH(what) P.hash = what
#else
#define SET_HASH(what) skip
#endif

#ifdef SPILL
#define LASTS false
#else
#define LASTS true
#endif
#define HAS_ZEROS (!LASTS || !P.stored)

/* What comes by a copy. */
#ifdef NO_PROTECT
#define COPIED(writes) DIRTY
#else
#define COPIED(writes) (writes -> DIRTY : CLEAN)
#endif

mtype = { OUT, CLEAN, DIRTY, LIMBO };
mtype = { ABSENT, PROTECTED, WRITABLE };
mtype = { EMPTY, HELD, FREE, UNWRITTEN }; /* and CLEAN */

typedef paged {
	mtype state = OUT; /* the word, and what belongs to who holds BUSY */
	bool busy, waited, stored, unwritten, ahead;
	byte stays; /* holds and pins */
	byte frame, hash;
	mtype entry = ABSENT; /* of the page table */
	byte memory = NOTHING, store;
	short sleepers; /* a bit for each process */
	bool waking;    /* they are about to be woken */
	byte owner;     /* from here on not the program's */
	byte last;      /* what was written last */
	byte since      /* a bit for each value it had since the sync began; 0: there is none */
}

typedef framed { mtype list = EMPTY; byte value = NOTHING, page }

paged pages[PAGES];
framed frames[FRAMES];
chan asked = [PAGES] of { byte, bool };
bool stop;

#define P pages[at]
#define F frames[P.frame]

#define SLEEPERS (pages[0].sleepers | pages[PAGES - 1].sleepers)

/* What the store has, by what is known of it. */
#define KEPT (P.stored -> P.store : 0)

#define IS_MAPPED (P.state == CLEAN || P.state == DIRTY)
#define IS_UNWRITTEN (P.state == LIMBO && P.unwritten)

#define SOUND_IDLE \
	((P.state != OUT || (P.entry == ABSENT && KEPT == P.last)) && \
	 (P.state != CLEAN || (P.entry == PROTECTED && KEPT == P.last)) && \
	 (P.state != DIRTY || P.entry == WRITABLE) && \
	 (P.state != LIMBO || (P.entry == ABSENT && F.page == at && F.value == P.last)) && \
	 (P.state != LIMBO || F.list == (P.unwritten -> UNWRITTEN : CLEAN)) && \
	 (P.state != LIMBO || P.unwritten || KEPT == P.last) && \
	 (P.state == OUT || P.hash <= HASH_WANTED || (P.stored && P.hash == HASH_OF(P.store))) && \
	 (P.state == LIMBO || !(P.unwritten || P.ahead)) && !(P.unwritten && P.ahead))
#define SOUND \
	((P.entry == ABSENT || P.memory == P.last) && \
	 (P.stays == 0 || (IS_MAPPED && P.entry != ABSENT)) && (P.busy || SOUND_IDLE))

/* --- the word ----------------------------------------------------------------------------------- */

inline mine() { assert(P.busy && P.owner == _pid) }
inline own() { atomic { assert(!P.busy); P.busy = true; P.owner = _pid } }

/* BUSY, if the word is still what was looked at. */
#ifdef NO_COMPARE
#define CLAIM(condition) !stop && !P.busy && condition -> own()
#else
#define CLAIM(condition) atomic { !stop && !P.busy && condition -> own() }
#endif

inline release(next)
{
#ifdef WAKE_FIRST
	P.sleepers = (P.waited -> 0 : P.sleepers);
#endif
	atomic {
		mine();
#ifndef WAKE_FIRST
		P.waking = P.waking || P.waited;
#endif
		P.state = next; P.waited = false; P.owner = 0; P.busy = false
	}
}

#ifdef SLEEP_BLINDLY
#define MAY_SLEEP true
#else
#define MAY_SLEEP (P.busy && P.waited)
#endif

/* The futex sleeps only while the word is what it was. Then all is looked at again. */
inline wait()
{
	atomic { !stop && P.busy -> P.waited = true }
	if
	:: atomic { MAY_SLEEP -> P.sleepers = P.sleepers | (1 << _pid) }
	   (P.sleepers >> _pid & 1) == 0
	:: else
	fi
}

#include "page_kernel.inc"

/* --- frames: each block is under the lock ------------------------------------------------------- */

#define IS_EMPTY(f) (frames[f].list == EMPTY)
#define IS_FREE(f) (!stop && frames[f].list == FREE)
#define IS_USABLE(f) (frames[f].list == EMPTY || frames[f].list == FREE)

#define SOME(condition) if :: condition(0) -> f = 0 :: condition(FRAMES - 1) -> f = FRAMES - 1 fi
#ifdef NO_LOCK
#define TAKE(condition) SOME(condition); frames[f].list = HELD
#else
#define TAKE(condition) atomic { SOME(condition); frames[f].list = HELD }
#endif

inline put(which) { frames[f].list = which; f = 0 }
inline enter_limbo(which) { P.frame = f; frames[f].page = at; put(which) }

/* What a FREE one has is of no account. */
inline leave_limbo(which)
{
	F.value = (F.value == NOTHING -> NOTHING : 0); F.list = which; F.page = 0;
	P.frame = 0; P.unwritten = false; P.ahead = false
}

/* --- into the map ------------------------------------------------------------------------------- */

/* What the store has. */
inline bring(writing)
{
	if
#ifdef FORESEEN
	:: !writing && P.stored -> SET_HASH(HASH_OF(value)); copy_in(value, DIRTY); release(DIRTY)
#endif
	:: true -> SET_HASH(HASH_NONE); copy_in(value, COPIED(writing)); release(COPIED(writing))
	fi;
	value = 0
}

#ifdef HUGE
inline fill(writes)
{
	if
	:: TAKE(IS_USABLE)
	   atomic {
		mine();
		frames[f].value = KEPT;
		SET_HASH((!P.stored || writes -> HASH_NONE : HASH_OF(KEPT)))
	   }
	   move_in(f);
	   atomic { put(EMPTY) }
	   release(DIRTY)
	:: else -> release(OUT) /* and the fault comes again */
	fi
}
#else
inline fill(writes)
{
	atomic { mine(); value = KEPT }
	bring(writes)
}
#endif

#if defined(HUGE) || defined(NO_PROTECT)
#define CAN_COPY false
#elif defined(LIMBO_CLEAN)
#define CAN_COPY !writes
#else
#define CAN_COPY (!writes && !P.unwritten)
#endif

/* What could be copied is moved where there is no memory. */
inline return_from_limbo()
{
	if
	:: CAN_COPY ->
		copy_in(F.value, CLEAN);
		atomic { leave_limbo(FREE) }
		release(CLEAN)
	:: true ->
#ifdef FORESEEN
		if
		:: !writes && !P.unwritten && P.stored -> SET_HASH(HASH_OF(F.value))
		:: else
		fi;
#endif
		move_in(P.frame);
		atomic {
			if
			:: !writes && !P.unwritten && P.hash == HASH_NONE -> SET_HASH(HASH_WANTED)
			:: else
			fi;
			leave_limbo(EMPTY)
		}
		release(DIRTY)
	fi
}

/*
 * Faults come at any time: what one does that finds another state than it was raised in, one does as well
 * that is raised in that.
 */
proctype user(byte at)
{
	byte f, value;
	bool writes;

end:
	do
	:: atomic { !stop && P.entry == WRITABLE -> store_any() }
	:: wait()
	:: CLAIM(P.state != DIRTY) ->
		if
		:: P.state != CLEAN
		:: writes = true
		fi;
		if
		:: P.state == OUT -> fill(writes)
#ifndef FEW
		:: P.state == OUT -> atomic { mine(); P.owner = 0; asked ! at, writes }
#endif
		:: P.state == LIMBO -> return_from_limbo()
		:: P.state == CLEAN ->
#ifdef UNPROTECT_LATE
			release(DIRTY);
			P.entry = (P.entry == PROTECTED -> WRITABLE : P.entry)
#else
			protect(WRITABLE);
			release(DIRTY)
#endif
		fi;
		writes = false
	od
}

/* As the library copies for the program, and the program pins: nothing that is used may fault. */
proctype copier(byte at)
{
	bool writes;

end:
	do
	:: CLAIM(IS_MAPPED) ->
		atomic { writes = P.state == DIRTY; P.stays++ }
		release(P.state);
		assert(P.entry == WRITABLE || (P.entry == PROTECTED && !writes));
		atomic { P.stays--; writes = false }
	od
}

/* Ahead of the fault: into limbo, or beside a page that goes there, into the map. And what is asked for. */
proctype reader(byte at)
{
	byte f, value;
	bool writes;

end:
	do
	:: CLAIM(P.state == OUT && P.stored) ->
		atomic { mine(); value = P.store }
		if
		:: TAKE(IS_EMPTY)
		   atomic { frames[f].value = value; value = 0 }
		   SET_HASH(HASH_OF(frames[f].value));
		   atomic { P.ahead = true; enter_limbo(CLEAN); release(LIMBO) }
		:: true ->
#ifdef HUGE
		   value = 0;
		   release(OUT)
#else
		   bring(false)
#endif
		fi
	:: atomic { asked ?? eval(at), writes -> P.owner = _pid } fill(writes); writes = false
	od
}

/* --- out of the map ----------------------------------------------------------------------------- */

#ifdef NO_MOVE
inline leave()
{
	if
	:: P.state == DIRTY ->
		P.stored = true;
		protect(PROTECTED);
		if
		:: write(P.memory)
		OR_FAIL(P.memory)
		fi
	:: else
	fi;
	if
	:: failed -> protect(WRITABLE); failed = false; release(DIRTY)
	:: else -> atomic { drop() } release(OUT)
	fi
}
#else
/* The kernel may refuse when a part has moved. */
inline leave()
{
	if
	:: TAKE(IS_EMPTY)
	   move_out(f);
	   if
	   :: atomic {
		P.unwritten = P.state == DIRTY;
		enter_limbo((P.unwritten -> UNWRITTEN : CLEAN));
		release(LIMBO)
	      }
	   :: move_in(f);
#ifndef REFUSED_CLEAN
	      P.state = DIRTY;
#endif
	      atomic { put(EMPTY) }
	      release(P.state)
	   fi
	:: else -> release(P.state)
	fi
}
#endif

#ifdef EVICT_HELD
#define MAY_LEAVE IS_MAPPED
#else
#define MAY_LEAVE (IS_MAPPED && P.stays == 0)
#endif

proctype evictor(byte at)
{
	byte f;
	bool failed;

end:
	do
	:: CLAIM(MAY_LEAVE) -> leave()
	:: CLAIM(P.state == CLEAN && P.stays == 0) -> atomic { drop() } release(OUT)
	od
}

/* --- limbo -------------------------------------------------------------------------------------- */

/* The page is UNWRITTEN: its frame is written, or needs not be. */
inline write_frame()
{
	F.list = HELD;
	if
	:: HAS_ZEROS && F.value == 0 ->
		P.stored = false;
#ifndef HASH_STAYS
		SET_HASH(HASH_NONE)
#endif
	:: !(HAS_ZEROS && F.value == 0) && P.hash == HASH_OF(F.value)
	:: else ->
		if
		:: write(F.value)
		OR_FAIL(F.value)
		fi;
		atomic {
			P.stored = true;
			SET_HASH(((P.hash == HASH_WANTED && !failed) -> HASH_OF(F.value) : HASH_NONE))
		}
	fi;
	atomic { P.unwritten = failed; F.list = (failed -> UNWRITTEN : CLEAN) }
}

/* Those in limbo, and of them such as are to be COLD. */
proctype writer(byte at)
{
	byte value;
	bool failed;

end:
	do
	:: CLAIM(IS_UNWRITTEN) ->
#ifdef WRITE_LATE
		value = F.value;
		atomic { P.stored = true; P.unwritten = false; F.list = CLEAN; release(LIMBO) }
		P.store = value
#else
		write_frame();
		if
		:: release(LIMBO)
		:: !failed -> atomic { leave_limbo(FREE) } release(OUT)
		fi;
		failed = false
#endif
	od
}

inline give_back()
{
#ifdef EMPTY_EARLY
	frames[f].list = EMPTY;
	atomic { frames[f].value = NOTHING; f = 0 }
#else
	atomic { frames[f].value = NOTHING; put(EMPTY) }
#endif
}

/* Frames of nobody, and of pages that the store has. */
proctype retirer(byte at)
{
	byte f;

end:
	do
	:: TAKE(IS_FREE); give_back()
	:: CLAIM(P.state == LIMBO && !P.unwritten) ->
		atomic { f = P.frame; leave_limbo(HELD) }
		release(OUT);
		give_back()
	od
}

/* --- sync, discard ------------------------------------------------------------------------------ */

/* Where it is mapped, by others perhaps written to. */
inline write_mapped()
{
	if
	:: P.hash == HASH_OF(P.memory)
	:: else ->
		SET_HASH(HASH_NONE);
		if
		:: write(P.memory)
		OR_FAIL(P.memory)
		fi
	fi;
	P.stored = true
}

proctype syncer(byte at)
{
	byte f;
	bool failed;

end:
	do
	:: atomic { !stop -> P.since = 1 << P.last }
end_look:
	   do
	   :: CLAIM(P.state == DIRTY && P.stays > 0) ->
		write_mapped();
		release(DIRTY);
		break
	   :: CLAIM(P.state == DIRTY && P.stays == 0) ->
#ifdef NO_PROTECT
		leave()
#else
#ifndef SYNC_OPEN
		protect(PROTECTED);
#endif
		write_mapped();
		if
		:: failed -> protect(WRITABLE); release(DIRTY)
		:: else -> release(CLEAN)
		fi;
		break
#endif
	   :: CLAIM(IS_UNWRITTEN) -> write_frame(); release(LIMBO); break
	   :: atomic { !P.busy && P.state != DIRTY && !IS_UNWRITTEN -> break }
	   od;
	   atomic { assert(failed || !LASTS || (P.since >> KEPT & 1)); P.since = 0; failed = false }
	od
}

/* What is read then is what the store has, or zeros. */
inline forget()
{
	P.stored = P.stored && LASTS;
	P.last = KEPT;
	note_last();
	SET_HASH(HASH_NONE)
}

proctype discarder(byte at)
{
end:
	do
	:: CLAIM(IS_MAPPED && P.stays == 0) -> atomic { drop(); forget() } release(OUT)
	:: CLAIM(P.state == LIMBO) -> atomic { leave_limbo(FREE); forget() } release(OUT)
	:: CLAIM(P.state == OUT && P.stored) -> atomic { forget() } release(OUT)
	od
}

/* --- all of them -------------------------------------------------------------------------------- */

proctype watcher(byte at)
{
end:
	!SOUND -> assert(SOUND)
}

init {
	byte at, n;

	atomic {
		do
		:: at < PAGES ->
			run kernel(at); run watcher(at); run evictor(at);
#ifndef NO_MOVE
			run retirer(at);
#endif
#ifndef FEW
			run copier(at); run reader(at); run writer(at); run syncer(at); run discarder(at);
#endif
			do
			:: n < USERS -> run user(at); n++
			:: else -> n = 0; break
			od;
			at++
		:: else -> at = 0; break
		od
	}
	/* Nobody begins anything then: who sleeps and is not woken sleeps for ever. */
end:
	atomic { SLEEPERS != 0 -> stop = true }
}
