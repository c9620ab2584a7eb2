/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Pages that their policy does not have, src/pager/resident.h, refused.h, piece.h: ASIDE, for they were pinned when they were
 * chosen (lg_resident_set_aside), the kernel did not let them go or somebody works on them (lg_refused_add), or they were read ahead (lg_piece_add).
 * All who choose pages, take them out, bring them, pin them and end the map go on for ever; the map is made again each time.
 *
 * A policy gives up any page it has. Handles are used again at once. Steps under the pager's lock are steps of their own
 * wherever they look at a word or change it, for pins and BUSY come without the lock.
 *
 * Claims: a page that is mapped and nobody's is its policy's or ASIDE, never both; one that is ASIDE and not pinned is on its
 * way back: refused, of a piece, or about to be put back by who unpinned it; what is refused is mapped and ASIDE, and listed
 * once; a policy is given no page that it has, and asked for none that it has not; nobody uses a map that is gone.
 *
 * Left out: limbo (a page that left is OUT), recent fills but as a reason not to leave, what the pages contain.
 *
 * FEW: nothing is read ahead, and no calls take pages out.
 *
 * check: -DEVICTORS=2
 * check: -DPAGES=2 -DFEW
 * check: -DCHANGES
 * finds: -DASIDE_BLINDLY
 * finds: -DREJOIN_BLINDLY
 * finds: -DSTAYS_LISTED
 * finds: -DADD_LATE
 * finds: -DADD_ABSENT
 * finds: -DJOIN_TWICE
 * finds: -DJOIN_FORGETS
 * finds: -DPIECE_BLINDLY
 * finds: -DPIECE_STAYS
 * finds: -DCLOSE_PINNED
 * finds: -DCLOSE_BUSY
 *
 * ASIDE_BLINDLY: that the page is pinned is looked at before ASIDE is set, not in the same step.
 * REJOIN_BLINDLY: who unpinned does not look again under the lock.
 * STAYS_LISTED: what ends ASIDE does not take the page from the list.
 * ADD_LATE: BUSY of a page that was refused goes before the page is in the list.
 * ADD_ABSENT: one that somebody brings is refused before it is in the map.
 * JOIN_TWICE: what joins its policy stays in the list.
 * JOIN_FORGETS: one that is pinned when it is its turn to join loses ASIDE.
 * PIECE_BLINDLY: pages of a piece join whatever became of them.
 * PIECE_STAYS: a map that ends leaves its pieces.
 * CLOSE_PINNED: a map that ends leaves what is pinned.
 * CLOSE_BUSY: a map that ends does not wait for who has its pages.
 */
#ifndef PAGES
#define PAGES 1
#endif
#ifndef EVICTORS
#define EVICTORS 1
#endif
#define NOBODY 255
#define LAST (PAGES - 1)

typedef paged {
	bool mapped, busy, aside; /* the word */
	byte pins;                /* and holds */
	byte handle;              /* of who holds BUSY */
	bool piece;               /* one has it in its range; under the lock, as all that follows */
	byte owner;               /* from here on not the program's */
	byte rejoins;             /* who unpinned it last and has to look */
	bool comes                /* in the map, and its piece is about to be known */
}

typedef resided {
	bool used, is_known, is_refused;
	byte page
}

paged pages[PAGES];
resided table[PAGES];
byte refused[PAGES], refused_count; /* the oldest first */
bool locked, closing, gone;
bool stale; /* nobody brings pages */
byte calls; /* into the map, that are not back */
byte fills; /* of these, what brings pages */

#define P pages[at]
#define R table[h]

#define IS_LISTED(h) \
	((refused_count > 0 && refused[0] == h) || (refused_count > 1 && refused[LAST] == h))
#define COMES_BACK (R.is_refused || P.piece || P.rejoins > 0 || P.comes)

/* --- the lock, the word ------------------------------------------------------------------------- */

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false

inline use() { assert(!gone) }
inline own() { use(); assert(!P.busy && P.owner == NOBODY); P.busy = true; P.owner = _pid }
#define CLAIM(condition) atomic { !P.busy && condition -> own() }
#define CALL(condition) atomic { !closing && !P.busy && condition -> own(); calls++ }

inline release(is_mapped)
{
	atomic {
		use();
		assert(P.busy && P.owner == _pid);
		P.mapped = is_mapped;
		P.owner = NOBODY;
		P.busy = false
	}
}

/* --- the policy, the list: under the lock ------------------------------------------------------- */

/* lg_resident_fill, lg_resident_put_back */
inline give() { atomic { use(); assert(R.used && !R.is_known); R.is_known = true } }

/* lg_resident_remove: of a page that leaves its map */
inline forget() { atomic { assert(R.used && !R.is_known && !R.is_refused && !P.aside); R.used = false } }

/* lg_refused_take */
inline take()
{
	atomic {
		if
		:: R.is_refused ->
			R.is_refused = false;
			assert(IS_LISTED(h));
			refused[0] = (refused[0] == h -> refused[LAST] : refused[0]);
			refused_count--;
			refused[refused_count] = 0
		:: else
		fi
	}
}

inline end_aside()
{
#ifndef STAYS_LISTED
	take();
#endif
	atomic { use(); P.aside = false }
}

/* lg_resident_leave */
inline leave()
{
	if
	:: P.aside -> end_aside()
	:: else -> atomic { assert(R.is_known); R.is_known = false }
	fi
}

/* lg_refused_add */
inline add()
{
	atomic { assert(R.used && !R.is_known && !IS_LISTED(h)); R.is_refused = true; refused[refused_count] = h; refused_count++ }
	atomic { use(); P.aside = true }
}

/* lg_resident_join */
#ifdef PIECE_BLINDLY
#define MAY_JOIN P.mapped
#else
#define MAY_JOIN (P.mapped && P.aside && P.pins == 0)
#endif
inline join_piece()
{
	atomic { P.piece = false; use(); may = MAY_JOIN; h = P.handle }
	if
	:: may -> end_aside(); give()
	:: else
	fi;
	may = false
}

/* lg_refused_join_oldest; `may`: it did */
inline join_oldest()
{
	do
	:: atomic { !may && refused_count > 0 ->
		h = refused[0];
		assert(R.used);
		at = R.page;
		use();
		pinned = P.pins > 0 || !P.mapped
	   }
#ifndef JOIN_TWICE
	   take();
#endif
	   if
#ifdef JOIN_FORGETS
	   :: pinned -> P.aside = false
#else
	   :: pinned
#endif
	   :: else -> P.aside = false; give(); may = true
	   fi;
	   pinned = false
	:: atomic { may || refused_count == 0 -> break }
	od
}

/* --- out of the map ----------------------------------------------------------------------------- */

/* take_out: what becomes of a page that is claimed and no policy's. refuse, keep, enter_limbo or forget_run. */
inline take_out()
{
	if
#ifdef ADD_LATE
	:: release(true); LOCK; add(); UNLOCK
#else
	:: LOCK; add(); release(true); UNLOCK
#endif
	:: LOCK; give(); release(true); UNLOCK
	:: LOCK; forget(); release(false); UNLOCK; left = true
	fi
}

/* can_wait_aside; that it is not pinned was seen before */
#ifdef ADD_ABSENT
#define WAITS_ASIDE (P.busy && P.pins == 0)
#else
#define WAITS_ASIDE (P.busy && P.mapped && P.pins == 0)
#endif

#define ONE_KNOWN (table[0].is_known || table[LAST].is_known)

/* evict_some */
proctype evictor()
{
	byte at, h;
	bool may, pinned, chosen, left;

end:
	do
	:: LOCK; /* choose */
	   do
	   :: atomic { ONE_KNOWN ->
		if
		:: table[0].is_known -> h = 0
		:: table[LAST].is_known -> h = LAST
		fi;
		R.is_known = false;
		at = R.page;
		use()
	      }
	      if
	      :: CLAIM(P.mapped && P.pins == 0); chosen = true; break
	      :: true; /* BUSY, recent, or pinned. lg_resident_set_aside */
#ifdef ASIDE_BLINDLY
		 if
		 :: P.pins > 0 -> P.aside = true
		 :: else -> give(); break
		 fi
#else
		 if
		 :: atomic { P.pins > 0 -> use(); P.aside = true }
		 :: atomic { P.pins == 0 -> give() } break
		 :: atomic { WAITS_ASIDE -> use() } add() /* very many of them were passed over */
		 fi
#endif
	      fi
	   :: atomic { !ONE_KNOWN && (pages[0].piece || pages[LAST].piece) ->
		if
		:: pages[0].piece -> at = 0
		:: pages[LAST].piece -> at = LAST
		fi
	      }
	      join_piece()
	   :: atomic { !ONE_KNOWN && !pages[0].piece && !pages[LAST].piece }
	      join_oldest();
	      if
	      :: may -> may = false
	      :: else -> break
	      fi
	   od;
	   UNLOCK;
	   if
	   :: chosen -> chosen = false; take_out()
	   :: else
	   fi;
	   if
	   :: left -> left = false; LOCK; join_oldest(); may = false; UNLOCK /* try_refused */
	   :: else
	   fi;
	   atomic { at = 0; h = 0 }
	od
}

/* lg_evict_claimed: COLD, sync. And DEAD, lg_drop_range. */
proctype caller(byte at)
{
	byte h;
	bool left;

end:
	do
	:: CALL(P.mapped && P.pins == 0)
	   LOCK;
	   h = P.handle;
	   leave();
	   if
	   :: UNLOCK; take_out()
	   :: forget(); UNLOCK; release(false)
	   fi;
	   atomic { left = false; h = 0; calls-- }
	od
}

/* --- into the map ------------------------------------------------------------------------------- */

proctype filler(byte at)
{
	byte h;

end:
	do
	:: atomic { !closing && !stale && !P.busy && !P.mapped -> own(); calls++; fills++ }
	   LOCK;
	   atomic {
		if
		:: !table[0].used -> h = 0
		:: !table[LAST].used -> h = LAST
		fi;
		R.used = true;
		R.page = at;
		P.handle = h
	   }
	   if
	   :: give(); UNLOCK; release(true) /* publish */
#ifndef FEW
	   :: UNLOCK; /* publish_arrived of a flight, publish_piece */
	      P.aside = true;
	      atomic { P.comes = true; release(true) }
	      LOCK;
	      atomic { P.piece = true; P.comes = false }
	      UNLOCK
#endif
	   fi;
	   atomic { h = 0; calls--; fills-- }
	od
}

/* hold_as_it_is, add_pin; lg_unpin_page, unpin: let_go. A pin may stay until the map ends. */
proctype pinner(byte at)
{
	byte h;
	bool may;

end:
	do
	:: atomic { !closing && P.mapped && !P.busy -> P.pins++ }
end_pinned:
	   if
	   :: atomic { !closing && P.pins > 0 ->
		calls++;
		P.pins--;
		may = P.pins == 0 && P.aside;
		P.rejoins = P.rejoins + may
	      }
	      if
	      :: may -> /* lg_resident_join_used */
		LOCK;
#ifdef REJOIN_BLINDLY
		h = P.handle;
#else
		atomic { may = P.mapped && P.aside && P.pins == 0; h = P.handle }
#endif
		if
		:: may -> end_aside(); give()
		:: else
		fi;
		atomic { P.rejoins--; UNLOCK }
	      :: else
	      fi;
	      atomic { may = false; h = 0; calls-- }
	   :: atomic { closing && P.pins == 0 }
	   fi
	od
}

/* --- the map ends, or changes ------------------------------------------------------------------- */

#ifdef CLOSE_PINNED
#define IS_LEFT (!P.mapped || P.pins > 0)
#else
#define IS_LEFT !P.mapped
#endif
#ifdef CLOSE_BUSY
#define IS_OVER (P.busy || IS_LEFT)
#else
#define IS_OVER (!P.busy && IS_LEFT)
#endif

#ifdef PIECE_STAYS
#define FORGET_PIECES skip
#else
#define FORGET_PIECES atomic { pages[0].piece = false; pages[LAST].piece = false }
#endif

/* lg_drop_range: pages that are not `over` */
inline drop_all(over)
{
	do
	:: at < PAGES ->
		if
		:: over -> at++
		:: CLAIM(!(over));
		   LOCK;
		   h = P.handle;
		   leave();
		   forget();
		   UNLOCK;
		   release(false);
		   h = 0
		fi
	:: else -> at = 0; break
	od
}

/* lg_map_close, lg_drop_all */
proctype closer()
{
	byte at, h;

end:
	do
	:: atomic { !stale -> closing = true }
	   calls == 0;
	   LOCK;
	   FORGET_PIECES;
	   UNLOCK;
	   drop_all(IS_OVER);
	   gone = true;
	   atomic { /* and another is made */
		do
		:: at < PAGES -> P.pins = 0; P.aside = false; P.mapped = false; at++
		:: else -> at = 0; break
		od;
		gone = false;
		closing = false
	   }
	od
}

/* lg_drop_changed: what is pinned stays, and the map lives on. */
proctype renewer()
{
	byte at, h;

end:
	do
	:: atomic { !closing && fills == 0 -> stale = true; calls++ }
	   LOCK;
	   FORGET_PIECES;
	   UNLOCK;
	   drop_all(!P.busy && (!P.mapped || P.pins > 0));
	   atomic { stale = false; calls-- }
	od
}

/* --- all of them -------------------------------------------------------------------------------- */

#define SOUND_PAGE \
	(!P.mapped || P.busy || (R.used && R.page == at && R.is_known != P.aside && \
				 (!P.aside || P.pins > 0 || closing || stale || COMES_BACK)))
#define SOUND_RESIDENT \
	(R.is_refused == IS_LISTED(h) && \
	 (!R.is_refused || (R.used && pages[R.page].mapped && pages[R.page].aside)))

proctype watcher(byte at)
{
	byte h;

end:
	do
	:: atomic { !locked ->
		h = at;
		assert(SOUND_RESIDENT);
		h = P.handle;
		assert(SOUND_PAGE);
		h = 0
	   }
	od
}

init {
	byte at;

	atomic {
		do
		:: at < EVICTORS -> run evictor(); at++
		:: else -> at = 0; break
		od;
		run closer();
#ifdef CHANGES
		run renewer();
#endif
		do
		:: at < PAGES ->
			P.owner = NOBODY;
			run watcher(at); run filler(at); run pinner(at);
#ifndef FEW
			run caller(at);
#endif
			at++
		:: else -> at = 0; break
		od
	}
}
