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
#include "pager/run.h"
#include "pager/victims.h"

#include <errno.h>

/* --- taking out --------------------------------------------------------------------------------- */

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
			lg_run_note_clean(map);
		lg_word_release(&map->words[first + i], lg_word_with_state(word, LG_PAGE_LIMBO));
	}
	lg_frames_note(frames, (uint32_t)count, 0);
	lg_pager_unlock(pager, signals);
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
	lg_run_refuse_busy(map, page);
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

/* Ranges of one call; a signal handler's stack may be small. */
enum { DROPS = 32 };

/*
 * A run of neighbours, claimed and out of their policy, as far as no store is needed for that: how many left. Limbo may be full for
 * long, as of what a store refuses; what is dirty and found no room there is `left`, as handles, and stays claimed.
 */
static uint64_t take_out(const struct lg_run *run, uint32_t *left, unsigned *left_count)
{
	struct lg_map *map = run->map;
	uint64_t first = run->first, count = run->count, out = 0, done = 0, same;

	for (bool room = lg_run_has_limbo(map); room && done < count; done += same) {
		same = move_out_some(map, first + done, count - done, &out);
		room = same > 0;
	}
	for (; done < count; done += same) {
		uint64_t word = lg_load_relaxed(&map->words[first + done]);

		same = 1;
		if (lg_word_state(word) == LG_PAGE_DIRTY) {
			left[(*left_count)++] = lg_word_handle(word);
			continue;
		}
		while (done + same < count &&
		       lg_word_state(lg_load_relaxed(&map->words[first + done + same])) !=
			       LG_PAGE_DIRTY)
			same++;
		out += lg_run_drop(&(struct lg_run){ map, first + done, same });
	}
	return out;
}

/* Clean pages, claimed, that go without limbo. */
static bool is_dropped(const struct lg_run *run, bool pays)
{
	enum { LONE = 4 };

	if (lg_run_has_limbo(run->map) && (pays || run->map->huge || run->count > LONE))
		return false;
	for (uint64_t page = run->first; page < run->first + run->count; page++)
		if (lg_word_state(lg_load_relaxed(&run->map->words[page])) != LG_PAGE_CLEAN)
			return false;
	return true;
}

/* The victims that begin at victims[i] and are neighbours. */
static struct lg_run run_at(struct lg_pager *pager, const uint32_t *victims, unsigned i,
			    unsigned count)
{
	const struct lg_resident *table = pager->residents.table, *first = &table[victims[i]];
	struct lg_run run = { lg_map_of(pager, first->map), first->page, 1 };

	while (i + run.count < count && table[victims[i + run.count]].map == first->map &&
	       table[victims[i + run.count]].page == first->page + run.count)
		run.count++;
	return run;
}

/*
 * What take_out left: that of one map is written, when all the others' is in its policy again; the store may not come back, and who
 * needs a page of theirs would wait for it, too. Pages that left.
 */
static uint64_t write_left(struct lg_pager *pager, const uint32_t *left, unsigned count,
			   enum lg_taker taker, uint64_t *bytes, int *error)
{
	struct lg_map *map = NULL;
	uint64_t out = 0;
	unsigned from = 0, to = 0;

	for (unsigned i = 0; i < count;) {
		struct lg_run run = run_at(pager, left, i, count);
		unsigned end = i + (unsigned)run.count;

		if (map == NULL && lg_run_may_write(run.map, taker)) {
			map = run.map;
			from = i;
		}
		if (run.map == map)
			to = end;
		else
			lg_run_stay(&run, taker);
		i = end;
	}
	if (map == NULL)
		return 0;
	unsigned shift = map->shift; /* it may be gone with its last page */
	for (unsigned i = from; i < to;) {
		struct lg_run run = run_at(pager, left, i, to);

		out += lg_run_write(&run, taker, error);
		i += (unsigned)run.count;
	}
	*bytes += out << shift;
	return out;
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

static struct lg_run run_of(struct lg_pager *pager, const struct drops *drops, unsigned i)
{
	const struct lg_resident *first = &pager->residents.table[drops->runs[i].victim];

	return (struct lg_run){ lg_map_of(pager, first->map), first->page, drops->runs[i].pages };
}

static void drop_all(struct lg_pager *pager, struct drops *drops)
{
	struct iovec ranges[DROPS];
	uint64_t given = 0;

	for (unsigned i = 0; i < drops->count; i++) {
		struct lg_run run = run_of(pager, drops, i);

		ranges[i] = (struct iovec){ lg_map_page_at(run.map, run.first),
					    run.count << run.map->shift };
	}
	unsigned dropped = lg_os_drop_some(ranges, drops->count);
	for (unsigned i = 0; i < drops->count; i++) {
		struct lg_run run = run_of(pager, drops, i);
		unsigned shift = run.map->shift; /* it may be gone with its last page */
		uint64_t out = run.count;

		if (i < dropped)
			given += lg_run_forget(&run);
		else
			out = lg_run_drop(&run);
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
	unsigned pays = 0, left = 0;
	int error = 0; /* it is the map's */
	unsigned count = lg_victims_choose(pager, victims, lg_min(most, lg_budget_mark(pager) / 2),
					   &pays, joined);

	for (unsigned i = 0; i < count;) {
		struct lg_run run = run_at(pager, victims, i, count);
		unsigned shift = run.map->shift; /* it may be gone with its last page */

		if (drops.count == DROPS)
			drop_all(pager, &drops);
		if (is_dropped(&run, (pays >> (shift - LG_PAGE_SHIFT_MIN) & 1) != 0)) {
			drops.runs[drops.count].victim = victims[i];
			drops.runs[drops.count++].pages = (uint32_t)run.count;
		} else {
			uint64_t some =
				take_out(&run, victims, &left); /* in front of what is to come */

			out += some;
			bytes += some << shift;
		}
		i += (unsigned)run.count;
	}
	drop_all(pager, &drops);
	out += write_left(pager, victims, left, direct ? LG_TAKER_TOUCH : LG_TAKER_WRITER, &bytes,
			  &error);
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
	uint64_t signals = lg_pager_lock(pager), out = 0, bytes = 0;

	for (uint64_t page = first; page < first + count; page++)
		lg_resident_leave(map, lg_word_handle(lg_load_relaxed(&map->words[page])));
	lg_pager_unlock(pager, signals);
	*error = 0;
	for (uint64_t done = 0, some; done < count; done += some) {
		uint32_t left[LG_BATCH];
		unsigned left_count = 0;

		some = lg_min(count - done, LG_BATCH);
		out += take_out(&(struct lg_run){ map, first + done, some }, left, &left_count);
		out += write_left(pager, left, left_count, LG_TAKER_CALL, &bytes, error);
	}
	lg_pager_count(pager, evictions, out);
	return out;
}
