/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/evict.h"

#include "base/require.h"
#include "os/map.h"
#include "pager/budget.h"
#include "pager/flush.h"
#include "pager/hole.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/probe.h"
#include "pager/refused.h"
#include "pager/transfer.h"
#include "pager/victims.h"

#include <errno.h>

/* --- taking out --------------------------------------------------------------------------------- */

/* For whom pages are taken out: a call has chosen them itself. */
enum taker { TOUCH, WRITER, CALL };

/* Dirty pages that stay: the policy has them again. */
static void keep(struct lg_map *map, uint64_t first, uint64_t count, enum taker taker)
{
	uint64_t signals = lg_pager_lock(map->pager);

	for (uint64_t page = first; page < first + count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		if (taker == CALL)
			lg_resident_fill(map, lg_word_handle(word), LG_REFERENCE_WRITE);
		else
			lg_resident_put_back(map, lg_word_handle(word));
		lg_word_release(&map->words[page], word);
	}
	lg_pager_unlock(map->pager, signals);
}

/* One leaves as it came, or as it was synced. */
static void note_clean(struct lg_map *map)
{
	lg_forecast_note(&map->forecast, false);
	lg_pager_count(map->pager, evictions_clean, 1);
}

/* `count` pages were moved to frames from `frame` on. */
static void enter_limbo(struct lg_map *map, uint64_t first, uint64_t count, uint32_t frame)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	uint64_t signals = lg_pager_lock(pager);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t word = lg_load_relaxed(&map->words[first + i]);
		uint32_t handle = lg_word_handle(word);
		bool dirty = lg_word_state(word) == LG_PAGE_DIRTY;

		frames->table[frame + i].handle = handle;
		lg_resident_at(&pager->residents, handle)->frame = (uint32_t)(frame + i);
		lg_frame_put(frames, (uint32_t)(frame + i),
			     dirty ? LG_FRAME_UNWRITTEN : LG_FRAME_CLEAN);
		lg_trace_note(&pager->trace, dirty ? LG_TRACE_EVICT_DIRTY : LG_TRACE_EVICT,
			      map->index, first + i, map->shift);
		if (dirty)
			word |= LG_WORD_UNWRITTEN;
		else
			note_clean(map);
		lg_word_release(&map->words[first + i], lg_word_with_state(word, LG_PAGE_LIMBO));
	}
	lg_frames_note(frames, (uint32_t)count, 0);
	lg_pager_unlock(pager, signals);
}

/* The kernel does not let them go, or their store does not take them: others are chosen before them. */
static void set_refused(struct lg_map *map, uint64_t first, uint64_t count)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_pager_lock(pager);

	for (uint64_t page = first; page < first + count; page++) {
		lg_refused_add(map, lg_word_handle(lg_load_relaxed(&map->words[page])));
		lg_word_release(&map->words[page],
				lg_load_relaxed(&map->words[page])); /* ASIDE now */
	}
	lg_pager_unlock(pager, signals);
}

/* By the kernel. */
static void set_busy(struct lg_map *map, uint64_t page)
{
	lg_pager_count(map->pager, evictions_busy, 1);
	set_refused(map, page, 1);
}

/*
 * The page the kernel refused to move: in one piece again, and it stays. What is moved arrives writable, and so is the rest. ENOENT:
 * it may have holes, and can be moved the next time.
 */
static void refuse(struct lg_map *map, uint64_t page, struct lg_frames *frames, uint32_t frame,
		   size_t part, int why)
{
	struct lg_pager *pager = map->pager;

	if (part > 0) {
		int error;

		do /* as long as the kernel has no memory for its tables */
			error = lg_limbo_move_in(map, page, frame, part);
		while (error == -ENOMEM || error == -EBUSY);
		LG_REQUIRE(error == 0 || error == -EBADF);
		(void)lg_os_userfault_unprotect(&pager->userfault, lg_map_page_at(map, page),
						lg_map_page_bytes(map));
		lg_word_set_state(&map->words[page], LG_PAGE_DIRTY);
		lg_flush_note(pager);
	}
	if (why == -ENOENT)
		(void)lg_hole_fill(map, page, 1);
	lg_pager_put_frames(pager, frames, frame, 1, LG_FRAME_EMPTY);
	set_busy(map, page);
}

/* Each fill of a huge page needs a frame. Where they are fewer than the budget has pages, limbo leaves it some. */
static uint64_t frames_for_limbo(struct lg_pager *pager, const struct lg_frames *frames)
{
	enum { FILLS_PART = 8, FILLS_MOST = 8 };
	uint64_t empty = lg_frame_bytes(frames, LG_FRAME_EMPTY) >> frames->shift, fills;

	if (!frames->huge ||
	    (uint64_t)frames->count << frames->shift >= lg_load_relaxed(&pager->budget))
		return empty;
	fills = lg_min(lg_max(frames->count / FILLS_PART, 1), FILLS_MOST);
	return empty - lg_min(empty, fills);
}

/* Some pages from `first` by one call: how many were settled, one way or the other; 0: limbo is full. */
static uint64_t move_out_some(struct lg_map *map, uint64_t first, uint64_t count, uint64_t *out)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	uint32_t frame;
	size_t done;
	uint64_t signals = lg_pager_lock(pager);
	uint64_t most = lg_min(count, frames_for_limbo(pager, frames));
	uint64_t got = lg_frame_take(frames, (uint32_t)most, &frame);

	lg_pager_unlock(pager, signals);
	if (got == 0)
		return 0;
	int error =
		lg_os_userfault_move(pager->to_frames,
				     &(struct lg_os_move){ .to = lg_frame_at(frames, frame),
							   .from = lg_map_page_at(map, first),
							   .private = lg_frame_at(frames, frame),
							   .bytes = got << map->shift },
				     &done);
	uint64_t moved = done >> map->shift;
	enter_limbo(map, first, moved, frame);
	*out += moved;
	if (error == 0)
		return got;
	refuse(map, first + moved, frames, (uint32_t)(frame + moved),
	       done - (size_t)(moved << map->shift), error);
	lg_pager_put_frames(pager, frames, (uint32_t)(frame + moved + 1), got - moved - 1,
			    LG_FRAME_EMPTY);
	return moved + 1;
}

/* Ranges of one call, pages of one write; a signal handler's stack may be small. */
enum { DROPS = 32, IN_PLACE = 32 };

/* Neighbours that are claimed. */
struct run {
	struct lg_map *map;
	uint64_t first;
	uint64_t count;
};

/* Dropped from their map: they are out. Returns their bytes. */
static uint64_t forget_run(const struct run *run)
{
	struct lg_map *map = run->map;
	struct lg_pager *pager = map->pager;
	uint64_t bytes = run->count << map->shift, signals = lg_pager_lock(pager);

	for (uint64_t page = run->first; page < run->first + run->count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		bool dirty = lg_word_state(word) == LG_PAGE_DIRTY;

		lg_trace_note(&pager->trace, dirty ? LG_TRACE_EVICT_DIRTY : LG_TRACE_EVICT,
			      map->index, page, map->shift);
		if (!dirty)
			note_clean(map);
		lg_resident_remove(pager, lg_word_handle(word));
		lg_word_release(&map->words[page], lg_word_with_state(word, LG_PAGE_OUT));
	}
	lg_pager_unlock(pager, signals);
	return bytes;
}

/* Out of the map and out of memory; the store has it. */
static void drop_run(const struct run *run)
{
	struct lg_pager *pager = run->map->pager; /* the map may be gone with its last page */

	(void)lg_os_drop(lg_map_page_at(run->map, run->first), run->count << run->map->shift);
	lg_budget_give(pager, forget_run(run));
}

/* By mlockall, our tables as well: it says nothing of the page. Where the kernel cannot move, dirty pages leave, locked or not. */
static bool locks_keep(const struct lg_pager *pager)
{
	return pager->userfault.can_move &&
	       !lg_os_is_locked(pager->residents.table, lg_os_page_bytes());
}

/* As it was: the kernel drops from the front, and may have begun before the lock was there. */
static bool is_locked_in_memory(struct lg_map *map, uint64_t page)
{
	char *at = lg_map_page_at(map, page);

	return lg_os_is_locked(at, lg_os_page_bytes()) && lg_os_is_in_memory(at);
}

/* The same of clean pages, but what is locked stays: how many left. */
static uint64_t drop_unlocked(const struct run *run)
{
	struct lg_map *map = run->map;
	struct lg_pager *pager = map->pager;
	uint64_t out = 0;

	if (lg_os_advise(lg_map_page_at(map, run->first), run->count << map->shift, LG_OS_DROP) !=
	    -EINVAL) {
		lg_budget_give(pager, forget_run(run));
		return run->count;
	}
	bool stays = locks_keep(pager);
	for (uint64_t i = 0; i < run->count; i++) {
		struct run page = { map, run->first + i, 1 };

		if (stays && is_locked_in_memory(map, page.first)) {
			set_busy(map, page.first);
		} else {
			drop_run(&page);
			out++;
		}
	}
	return out;
}

/* Not what the program has made unreadable, nor, where that stays, what it has locked. */
static bool may_leave(const struct lg_map *map, uint64_t first, uint64_t count)
{
	void *at = lg_map_page_at(map, first);
	size_t bytes = count << map->shift;

	return lg_os_is_readable(at, bytes) &&
	       !(locks_keep(map->pager) && lg_os_is_locked(at, bytes));
}

/* Dirty pages that may leave: written and dropped. How many; *error, if there is none yet. */
static uint64_t write_in_place(struct lg_map *map, uint64_t first, uint64_t count, int *error)
{
	const void *places[IN_PLACE];

	for (uint64_t i = 0; i < count; i++) {
		places[i] = lg_map_page_at(map, first + i);
		lg_or_release(&map->words[first + i],
			      LG_WORD_STORED); /* or some of it, if that fails */
		/* It may be as the store has it: to see that would take a handler's stack. It is written, and counts. */
		lg_map_forget_hash(map, lg_load_relaxed(&map->words[first + i]));
	}
	int failed = lg_os_userfault_protect(&map->pager->userfault, lg_map_page_at(map, first),
					     count << map->shift);
	if (failed == 0)
		failed = lg_transfer_write(&(struct lg_write){
			.map = map, .page = first, .count = count, .places = places });
	if (failed != 0) {
		*error = *error == 0 ? failed : *error;
		(void)lg_os_userfault_unprotect(&map->pager->userfault, lg_map_page_at(map, first),
						count << map->shift);
		set_refused(map, first, count);
		return 0;
	}
	drop_run(&(struct run){ map, first, count });
	return count;
}

/* Pages of one kind, by their place: all clean, or all dirty. No recursion: a signal handler's stack may be small. */
static uint64_t leave_in_place(struct lg_map *map, uint64_t first, uint64_t count, bool dirty,
			       int *error)
{
	uint64_t out = 0, some;

	if (!dirty)
		return drop_unlocked(&(struct run){ map, first, count });
	(void)lg_hole_fill(map, first, count);
	for (uint64_t done = 0; done < count; done += some) {
		bool leave;

		some = count - done;
		while (!(leave = may_leave(map, first + done, some)) && some > 1)
			some /= 2;
		if (leave)
			out += write_in_place(map, first + done, some, error);
		else /* until the program lets it: others leave before it */
			set_busy(map, first + done);
	}
	return out;
}

static bool has_limbo(const struct lg_map *map)
{
	return map->pager->userfault.can_move && !map->readonly;
}

/* Dirty pages, where limbo is full: a touch, which may be in a signal handler, leaves some to the writers. */
static bool can_leave_in_place(const struct lg_map *map, enum taker taker)
{
	const struct lg_pager *pager = map->pager;

	return !has_limbo(map) ||
	       (pager->userfault.can_protect &&
		(taker != TOUCH || map->store->signal_safe || pager->in_threads));
}

static bool refuses_beside_limbo(const struct lg_map *map)
{
	return has_limbo(map) && lg_load_relaxed(&map->refuses);
}

/* Not to be tried now; where there is limbo, not by a touch, which may be another map's. */
static bool is_spared(const struct lg_map *map, enum taker taker)
{
	return taker != CALL &&
	       (lg_transfer_rests(map) || (taker == TOUCH && refuses_beside_limbo(map)));
}

/* A store that refused, by a writer: or it is spared. */
static uint64_t try_in_place(struct lg_map *map, uint64_t first, uint64_t count, int *error)
{
	struct lg_pager *pager = map->pager;
	uint64_t until, out;

	if (!lg_transfer_begin_try(pager, &until)) {
		set_refused(map, first, count);
		return 0;
	}
	out = leave_in_place(map, first, count, true, error);
	lg_transfer_end_try(pager, until);
	return out;
}

/* Limbo is full, but no store refuses what is in it: there will be room. */
static bool waits_for_room(const struct lg_map *map)
{
	const struct lg_pager *pager = map->pager;

	return lg_load_relaxed(&pager->retrying) == 0 &&
	       lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) == 0;
}

/*
 * A run of neighbours, claimed and out of their policy: how many left. Limbo may be full for long, as of what a store refuses: then
 * they leave in place. *error: of what could not be written there.
 */
static uint64_t take_out(struct lg_map *map, uint64_t first, uint64_t count, enum taker taker,
			 int *error)
{
	uint64_t out = 0, done = 0, same;

	for (bool room = has_limbo(map); room && done < count; done += same) {
		same = move_out_some(map, first + done, count - done, &out);
		room = same > 0;
	}
	for (; done < count; done += same) {
		bool dirty = lg_word_state(lg_load_relaxed(&map->words[first + done])) ==
			     LG_PAGE_DIRTY;

		for (same = 1; done + same < count && same < IN_PLACE &&
			       (lg_word_state(lg_load_relaxed(&map->words[first + done + same])) ==
				LG_PAGE_DIRTY) == dirty;
		     same++)
			;
		bool spared = dirty && is_spared(map, taker);
		if (!dirty)
			out += leave_in_place(map, first + done, same, false, error);
		else if (!spared && can_leave_in_place(map, taker))
			out += taker == WRITER && refuses_beside_limbo(map) ?
				       try_in_place(map, first + done, same, error) :
				       leave_in_place(map, first + done, same, true, error);
		else if (taker == CALL || (!spared && waits_for_room(map)))
			keep(map, first + done, same, taker);
		else
			set_refused(map, first + done, same);
	}
	return out;
}

/* Clean pages, claimed, that go without limbo. */
static bool is_dropped(const struct run *run, bool pays)
{
	enum { LONE = 4 };

	if (has_limbo(run->map) && (pays || run->map->huge || run->count > LONE))
		return false;
	for (uint64_t page = run->first; page < run->first + run->count; page++)
		if (lg_word_state(lg_load_relaxed(&run->map->words[page])) != LG_PAGE_CLEAN)
			return false;
	return true;
}

/* The victims that begin at victims[i] and are neighbours. */
static struct run run_at(struct lg_pager *pager, const uint32_t *victims, unsigned i,
			 unsigned count)
{
	const struct lg_resident *table = pager->residents.table, *first = &table[victims[i]];
	struct run run = { lg_map_of(pager, first->map), first->page, 1 };

	while (i + run.count < count && table[victims[i + run.count]].map == first->map &&
	       table[victims[i + run.count]].page == first->page + run.count)
		run.count++;
	return run;
}

/* Runs that are dropped together: the first victim of each, whose pages are claimed until then. */
struct drops {
	struct {
		uint32_t victim;
		uint32_t pages;
	} runs[DROPS];
	unsigned count;
	uint64_t out; /* pages that left */
	uint64_t bytes;
};

static struct run run_of(struct lg_pager *pager, const struct drops *drops, unsigned i)
{
	const struct lg_resident *first = &pager->residents.table[drops->runs[i].victim];

	return (struct run){ lg_map_of(pager, first->map), first->page, drops->runs[i].pages };
}

static void drop_all(struct lg_pager *pager, struct drops *drops)
{
	struct iovec ranges[DROPS];
	uint64_t given = 0;

	for (unsigned i = 0; i < drops->count; i++) {
		struct run run = run_of(pager, drops, i);

		ranges[i] = (struct iovec){ lg_map_page_at(run.map, run.first),
					    run.count << run.map->shift };
	}
	unsigned dropped = lg_os_drop_some(ranges, drops->count);
	for (unsigned i = 0; i < drops->count; i++) {
		struct run run = run_of(pager, drops, i);
		unsigned shift = run.map->shift; /* it may be gone with its last page */
		uint64_t out = run.count;

		if (i < dropped)
			given += forget_run(&run);
		else
			out = drop_unlocked(&run);
		drops->out += out;
		drops->bytes += out << shift;
	}
	if (given > 0)
		lg_budget_give(pager, given);
	drops->count = 0;
}

/* One that the kernel did not let go is among those to choose from again. */
static void try_refused(struct lg_pager *pager)
{
	uint64_t signals = lg_pager_lock(pager);

	(void)lg_refused_join_oldest(pager);
	lg_pager_unlock(pager, signals);
}

/* One batch: bytes that left. *joined: of victims.h. */
static uint64_t evict_some(struct lg_pager *pager, bool direct, bool *joined)
{
	uint64_t bytes = 0, out = 0, most = direct ? LG_BATCH_DIRECT_BYTES : LG_BATCH_BYTES;
	uint32_t victims[LG_BATCH];
	struct drops drops = { .count = 0 };
	unsigned pays = 0;
	unsigned count = lg_victims_choose(pager, victims, lg_min(most, lg_budget_mark(pager) / 2),
					   &pays, joined);

	for (unsigned i = 0; i < count;) {
		struct run run = run_at(pager, victims, i, count);
		unsigned shift = run.map->shift; /* it may be gone with its last page */

		if (drops.count == DROPS)
			drop_all(pager, &drops);
		if (is_dropped(&run, (pays >> (shift - LG_PAGE_SHIFT_MIN) & 1) != 0)) {
			drops.runs[drops.count].victim = victims[i];
			drops.runs[drops.count++].pages = (uint32_t)run.count;
		} else {
			int error = 0; /* it is the map's */
			uint64_t left = take_out(run.map, run.first, run.count,
						 direct ? TOUCH : WRITER, &error);

			out += left;
			bytes += left << shift;
		}
		i += (unsigned)run.count;
	}
	drop_all(pager, &drops);
	out += drops.out;
	bytes += drops.bytes;
	if (out > 0)
		try_refused(pager);
	lg_pager_count(pager, evictions, out);
	if (direct)
		lg_pager_count(pager, evictions_direct, out);
	if (bytes > 0)
		lg_probe_evict(bytes, direct);
	return bytes;
}

uint64_t lg_evict(struct lg_pager *pager, bool direct)
{
	enum { ROUNDS = 64 };
	const _Atomic(uint32_t) *refusals = &pager->residents.refusals;
	uint64_t bytes;
	uint32_t before;
	unsigned rounds = 0;
	bool joined;

	/* What was refused is set aside, and others are in front then: all that policies have, and some of what is aside. */
	do {
		before = lg_load_relaxed(refusals);
		bytes = evict_some(pager, direct, &joined);
		rounds += joined;
	} while (bytes == 0 && lg_load_relaxed(refusals) != before && rounds < ROUNDS);
	return bytes;
}

uint64_t lg_evict_claimed(struct lg_map *map, uint64_t first, uint64_t count, int *error)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_pager_lock(pager), out;

	for (uint64_t page = first; page < first + count; page++)
		lg_resident_leave(map, lg_word_handle(lg_load_relaxed(&map->words[page])));
	lg_pager_unlock(pager, signals);
	*error = 0;
	out = take_out(map, first, count, CALL, error);
	lg_pager_count(pager, evictions, out);
	return out;
}
