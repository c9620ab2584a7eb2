/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The budget: bytes of memory that pages, frames and buffers may have, together, and the tables of these and of the maps.
 * Taken before memory is, given after it is gone.
 *
 * Tables grow with what pages of 4 KiB ever had, by 1 to 2 % of it, and with what was touched of maps, so they are no charge but leave
 * less room. Their first MiB is free, that a small budget has as many pages as it says; and they leave 15/16 of any, however
 * far it is made smaller, and beside pins at least half of what these leave over four pages.
 *
 * Who finds none reclaims: frames whose page the store has go first, then what is dirty in limbo is
 * written, then pages are evicted. The writers do the same in the background, so that it is seldom a fault
 * that has to.
 *
 * Ordering edge B1 set to try: who charges, by one compare and swap, has seen the budget that was set before, as to set it
 * changes the word. What was charged by an older one is seen by who set it, and is freed.
 *
 * tests/model/budget.pml checks it, and that who takes is served whatever is pinned.
 */
#ifndef LG_PAGER_BUDGET_H
#define LG_PAGER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct lg_pager;

/* Of a budget of so many bytes, what pages, frames and buffers may have. */
uint64_t lg_budget_room(const struct lg_pager *pager, uint64_t budget);

/* Tables may have grown. Under the pager's lock. */
void lg_budget_note_tables(struct lg_pager *pager);

/* From here on nothing is charged beyond this. More may be, still. */
void lg_budget_set(struct lg_pager *pager, uint64_t budget);
uint64_t lg_budget_charged(const struct lg_pager *pager);

/*
 * Somebody's wait for so many bytes, begun with { .bytes = … } and ended by lg_budget_end. Where others who want less take what
 * is given back before it is enough, that much is kept for whoever has tried often, and they have what is beyond it. One at
 * a time, and never for long: what is wanted may be in the hands of a store that hangs.
 */
struct lg_budget_wait {
	uint64_t bytes;
	bool ahead;            /* of its touch: nothing is kept for what nobody waits for */
	bool keeps;            /* until then; or may not before */
	uint64_t until;        /* ms */
	unsigned tries;        /* that failed */
	unsigned turns;        /* in vain */
	uint64_t in_vain_from; /* ms: the first of these */
	unsigned awaits;       /* how often for writes by others */
	bool asks;             /* for stores that refuse to be tried before it is given up */
	uint32_t asked;        /* the pager's, since it does */
};

bool lg_budget_try(struct lg_pager *pager, struct lg_budget_wait *wait);
void lg_budget_end(struct lg_pager *pager, const struct lg_budget_wait *wait);
void lg_budget_give(struct lg_pager *pager, uint64_t bytes);

/*
 * Reclaims and waits for as long as it may help. -ENOMEM: all is pinned or in use; -EIO and the like: pages
 * could not be written; -EAGAIN: it is more than this budget can ever spare, as it was larger when that was worked out: work
 * it out again. Five pages can be spared by any. No lock held; BUSY of the page it is for may be, but no other memory: those who waited
 * with some in hand could wait for each other.
 */
int lg_budget_take(struct lg_pager *pager, uint64_t bytes, bool ahead);

/* Reclaims, and waits for a few milliseconds at most: for those who have some in hand. */
bool lg_budget_take_now(struct lg_pager *pager, uint64_t bytes);

/*
 * One step to more memory: writes, lets others write for a moment, or evicts. False: there was nothing to do. What it gained is found
 * in frames that are CLEAN (or in the budget where pages leave without limbo). NULL: for nobody who waits, but as a writer.
 */
bool lg_budget_reclaim(struct lg_pager *pager, struct lg_budget_wait *wait);

/* The same, of all that can give memory back, what is worth least first. */
bool lg_budget_free(struct lg_pager *pager, struct lg_budget_wait *wait);

/* The same, but of what is read ahead, which goes last. */
bool lg_budget_free_used(struct lg_pager *pager, struct lg_budget_wait *wait);

/* Memory was given back, or can be had now: those who wait look again. */
void lg_budget_announce(struct lg_pager *pager);

/* Sleeps a while, for others to give memory back. -ENOMEM, or why writes fail: in vain for too long. */
int lg_budget_sleep(struct lg_pager *pager, struct lg_budget_wait *wait);

/* What is not pinned: recent fills have at most half of it, and what is asked for beside them fits the other. */
uint64_t lg_budget_unpinned(const struct lg_pager *pager);

/* Why all that waits to be written could not be, the last time; 0: some may be, or is being written. */
int lg_budget_failure(struct lg_pager *pager);

/* Memory that nobody has. */
uint64_t lg_budget_unused(const struct lg_pager *pager);

/* Memory that can be had without a write: unused, and clean in limbo. */
uint64_t lg_budget_available(struct lg_pager *pager);

/* The writers begin below half of it, and stop at it. */
uint64_t lg_budget_mark(struct lg_pager *pager);

/* The same while somebody waits, who may want more. */
uint64_t lg_budget_wanted(struct lg_pager *pager);

/* Wakes the writers if they are wanted. */
void lg_budget_look(struct lg_pager *pager);

#endif
