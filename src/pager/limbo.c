/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/limbo.h"

#include "base/require.h"
#include "os/clock.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/fill.h"
#include "pager/map.h"

#include <errno.h>

enum {
	RETIRE = 64, /* frames dropped at once */
	SCAN = 64,   /* frames looked at for one that nobody works on */
	HELD_TURNS = 10000,
	HELD_PAUSE_US = 20,
};

lg_word *lg_limbo_word(struct lg_pager *pager, const struct lg_frames *frames, uint32_t index,
		       struct lg_map **map, uint64_t *page)
{
	const struct lg_resident *resident =
		lg_resident_at(&pager->residents, frames->table[index].handle);

	*map = lg_map_of(pager, resident->map);
	*page = resident->page;
	return &(*map)->words[*page];
}

/* --- out of limbo, for good --------------------------------------------------------------------- */

/* A page that was read ahead, and those of its piece. */
static void count_useless(struct lg_map *map, uint64_t word)
{
	lg_pager_count(map->pager, prefetch_useless, lg_map_resident(map, word)->ahead);
}

/* A clean page, if nobody works on it, is OUT: its frame can be used. Under the lock. */
static bool give_up(struct lg_pager *pager, struct lg_frames *frames, uint32_t index)
{
	struct lg_map *map;
	uint64_t page, seen;
	lg_word *word = lg_limbo_word(pager, frames, index, &map, &page);

	seen = lg_load_relaxed(word);
	if (!lg_word_claim(word, &seen))
		return false;
	LG_ASSERT(lg_word_state(seen) == LG_PAGE_LIMBO);
	LG_ASSERT((seen & LG_WORD_UNWRITTEN) == 0);
	if ((seen & LG_WORD_AHEAD) != 0) {
		count_useless(map, seen);
		lg_stream_waste(&map->streams, page / map->block);
		lg_piece_give_up(map, page);
	}
	lg_resident_remove(pager, lg_word_handle(seen));
	lg_word_release(word, lg_word_with_state(seen & ~LG_WORD_AHEAD, LG_PAGE_OUT));
	return true;
}

/* The first frame of a list of clean ones whose page could be given up; it is HELD. Under the lock. */
static uint32_t take_clean(struct lg_pager *pager, struct lg_frames *frames,
			   enum lg_frame_list list)
{
	uint32_t next, index = lg_frame_first(frames, list);

	for (unsigned i = 0; i < SCAN && index != LG_FRAME_NONE; i++, index = next) {
		next = frames->table[index].next;
		if (give_up(pager, frames, index)) {
			lg_frame_put(frames, index, LG_FRAME_HELD);
			return index;
		}
	}
	return LG_FRAME_NONE;
}

static uint32_t take_free(struct lg_frames *frames)
{
	uint32_t index = lg_frame_first(frames, LG_FRAME_FREE);

	if (index != LG_FRAME_NONE)
		lg_frame_put(frames, index, LG_FRAME_HELD);
	return index;
}

/* Frames side by side are dropped by one call. */
static void drop_memory(const struct lg_frames *frames, const uint32_t *indices, unsigned count)
{
	for (unsigned i = 0, run; i < count; i += run) {
		for (run = 1; i + run < count && indices[i + run] == indices[i] + run; run++)
			;
		(void)lg_os_drop(lg_frame_at(frames, indices[i]), (size_t)run << frames->shift);
	}
}

/* Frames that are nobody's, then those whose pages are in `list`. */
static uint64_t retire_from(struct lg_pager *pager, struct lg_frames *frames, uint64_t bytes,
			    enum lg_frame_list list)
{
	uint32_t indices[RETIRE], index;
	unsigned count = 0;
	/* What is in hand may be all there is: a handler's fault would wait for it. */
	uint64_t held = lg_os_signals_hold(), signals = lg_pager_lock(pager);

	while (count < RETIRE && (uint64_t)count << frames->shift < bytes &&
	       ((index = take_free(frames)) != LG_FRAME_NONE ||
		(index = take_clean(pager, frames, list)) != LG_FRAME_NONE))
		indices[count++] = index;
	lg_pager_unlock(pager, signals);
	if (count > 0) {
		drop_memory(frames, indices, count);
		signals = lg_pager_lock(pager);
		for (unsigned i = 0; i < count; i++)
			lg_frame_put(frames, indices[i], LG_FRAME_EMPTY);
		lg_pager_unlock(pager, signals);
		lg_budget_give(pager, (uint64_t)count << frames->shift);
	}
	lg_os_signals_release(held);
	return (uint64_t)count << frames->shift;
}

/* Small frames first: dropping a huge one costs its being huge. Always a batch: the call costs the same. */
static uint64_t retire(struct lg_pager *pager, uint64_t bytes, enum lg_frame_list list)
{
	uint64_t got = 0;

	for (unsigned i = 0; i < LG_PAGE_SHIFTS && got < bytes; i++) {
		struct lg_frames *frames = &pager->frames[i];

		if (!lg_frames_are_made(frames))
			continue;
		uint64_t batch = frames->huge ? bytes :
						lg_max(bytes, (uint64_t)RETIRE << frames->shift);
		got += retire_from(pager, frames, batch, list);
	}
	return got;
}

uint64_t lg_limbo_retire(struct lg_pager *pager, uint64_t bytes)
{
	return retire(pager, bytes, LG_FRAME_CLEAN);
}

uint64_t lg_limbo_retire_ahead(struct lg_pager *pager, uint64_t bytes)
{
	return retire(pager, bytes, LG_FRAME_AHEAD);
}

void lg_limbo_trim(struct lg_map *map, uint64_t bytes)
{
	uint64_t got;

	while (bytes > 0 &&
	       (got = retire_from(map->pager, lg_map_frames(map), bytes, LG_FRAME_FREE)) > 0)
		bytes -= lg_min(bytes, got);
}

void lg_limbo_drop(struct lg_map *map, uint64_t word)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_pager_lock(pager);

	lg_frame_put(lg_map_frames(map), lg_map_resident(map, word)->frame, LG_FRAME_FREE);
	if ((word & LG_WORD_AHEAD) != 0) {
		count_useless(map, word);
		lg_piece_give_up(map, lg_map_resident(map, word)->page);
	}
	lg_resident_remove(pager, lg_word_handle(word));
	lg_pager_unlock(pager, signals);
}

/* --- frames for huge pages ---------------------------------------------------------------------- */

/* From the nursery: memory that the kernel has just zeroed. */
static int take_fresh(struct lg_pager *pager, struct lg_frames *frames, uint32_t *frame)
{
	size_t bytes = (size_t)1 << frames->shift, done;
	void *page = lg_nursery_take(pager);
	int error = -ENOMEM;

	if (page == NULL)
		return error;
	uint64_t signals = lg_pager_lock(pager);
	bool found = lg_frame_take(frames, 1, frame) == 1;
	lg_pager_unlock(pager, signals);
	if (found)
		error = lg_os_userfault_move(
			pager->to_frames,
			&(struct lg_os_move){ .to = lg_frame_at(frames, *frame),
					      .from = page,
					      .private = lg_frame_at(frames, *frame),
					      .bytes = bytes },
			&done);
	lg_nursery_give(pager, page);
	if (error == 0 || !found)
		return error;
	drop_memory(frames, frame, 1);
	lg_pager_put_frames(pager, frames, *frame, 1, LG_FRAME_EMPTY);
	return error;
}

/* Nobody's, or a clean page's that is given up; it is HELD. */
static uint32_t take_idle(struct lg_pager *pager, struct lg_frames *frames, enum lg_frame_list list)
{
	uint64_t signals = lg_pager_lock(pager);
	uint32_t frame = take_free(frames);

	if (frame == LG_FRAME_NONE)
		frame = take_clean(pager, frames, list);
	lg_pager_unlock(pager, signals);
	return frame;
}

/* Or -ENOMEM: others have to give some back. What is read ahead is the last to go, that of this size first: its frame is used as it is. */
static int take_frame(struct lg_pager *pager, struct lg_frames *frames, struct lg_budget_wait *wait,
		      uint32_t *frame, bool *zero)
{
	*zero = false;
	for (;;) {
		*frame = take_idle(pager, frames, LG_FRAME_CLEAN);
		if (*frame != LG_FRAME_NONE)
			return 0;
		if (lg_budget_try(pager, wait)) {
			*zero = take_fresh(pager, frames, frame) == 0;
			if (*zero)
				return 0;
			lg_budget_give(pager, wait->bytes);
		} else if (lg_budget_free_used(pager, wait)) {
			continue;
		}
		*frame = take_idle(pager, frames, LG_FRAME_AHEAD);
		if (*frame != LG_FRAME_NONE)
			return 0;
		if (lg_limbo_retire_ahead(pager, wait->bytes) == 0)
			return -ENOMEM;
	}
}

int lg_limbo_frame(struct lg_pager *pager, struct lg_frames *frames, bool ahead, uint32_t *frame,
		   bool *zero)
{
	struct lg_budget_wait wait = { .bytes = (uint64_t)1 << frames->shift, .ahead = ahead };
	int error = 0;

	while (error == 0 && take_frame(pager, frames, &wait, frame, zero) != 0)
		error = lg_budget_sleep(pager, &wait);
	lg_budget_end(pager, &wait);
	if (error == 0)
		lg_budget_look(pager);
	return error;
}

/* --- back into the map -------------------------------------------------------------------------- */

/* The policy has it again, as a page that was used. Under the lock. */
static void fill_again(struct lg_map *map, uint64_t page, uint64_t *word, enum lg_os_access access)
{
	struct lg_policy_use *use = map->use;
	enum lg_reference how = access == LG_OS_ACCESS_WRITE ? LG_REFERENCE_WRITE :
							       LG_REFERENCE_READ;
	struct lg_resident *resident = lg_map_resident(map, *word);

	if ((*word & LG_WORD_AHEAD) != 0) {
		lg_map_count_useful(map, resident->ahead);
		lg_piece_reach(map, page);
		lg_resident_arrive(map, lg_word_handle(*word), how);
	} else {
		lg_frames_note(lg_map_frames(map), 0, 1);
		/* Dirty as it was: a read does not make it one that costs no write. */
		lg_resident_fill(map, lg_word_handle(*word),
				 (*word & LG_WORD_UNWRITTEN) != 0 ? LG_REFERENCE_WRITE :
								    LG_REFERENCE_READ);
		use->policy.ops->touch(use->state, lg_word_handle(*word), how);
	}
	/* One that has a hash is counted when it turns out to differ. */
	if (how == LG_REFERENCE_WRITE && (*word & LG_WORD_UNWRITTEN) == 0 &&
	    lg_map_hash(map, *word) < LG_HASHES)
		lg_pager_count(map->pager, bytes_dirtied, lg_map_page_bytes(map));
	if (how == LG_REFERENCE_READ && (*word & LG_WORD_UNWRITTEN) == 0 &&
	    lg_map_hash(map, *word) == LG_HASH_NONE)
		lg_map_set_hash(map, *word, LG_HASH_WANTED);
	resident->frame = LG_FRAME_NONE;
	lg_recent_note(map, page);
}

/* A read of a page that the store has: a copy stays CLEAN, where a move arrives writable. */
static bool can_copy(const struct lg_map *map, uint64_t word, enum lg_os_access access)
{
	return map->readonly || (!map->huge && map->protects && access == LG_OS_ACCESS_READ &&
				 (word & LG_WORD_UNWRITTEN) == 0 && !lg_map_expects_writes(map));
}

/*
 * The kernel moves pages between what is locked and what is not neither way: the frame is made as its page. False: they are
 * alike. *locked: it has to be unlocked again.
 */
static bool lock_alike(char *page, char *frame, size_t bytes, bool *locked)
{
	bool is_locked = lg_os_is_locked(page, lg_os_page_bytes());

	if (lg_os_is_locked(frame, bytes) == is_locked)
		return false;
	if (!is_locked)
		return lg_os_munlock(frame, bytes) == 0;
	if (lg_os_mlock_absent(frame, bytes) != 0) /* beyond RLIMIT_MEMLOCK */
		return lg_os_munlock(page, bytes) == 0;
	*locked = true;
	return true;
}

/*
 * Where the kernel cannot move, or not here, as what the program has mprotected differs from a frame: the rest, behind what is in
 * the map already, which cannot be taken back. Little by little, for it is in memory twice until the frame's is dropped, and
 * nothing is charged for that.
 */
static int copy_rest(struct lg_map *map, char *to, char *from, size_t bytes, size_t done)
{
	size_t some = lg_os_page_bytes(), copied;

	while (done < bytes) {
		int error = lg_os_userfault_copy(&map->pager->userfault, to + done, from + done,
						 some, false, &copied);

		if (error == 0) {
			(void)lg_os_drop(from + done, some);
			done += some;
		} else if (done == 0 || error == -EBADF) { /* the program closed the descriptor */
			return error;
		} else {
			LG_REQUIRE(error == -ENOMEM);
			lg_os_sleep_us(HELD_PAUSE_US);
		}
	}
	return 0;
}

int lg_limbo_move_in(struct lg_map *map, uint64_t page, uint32_t frame, size_t bytes)
{
	char *to = lg_map_page_at(map, page), *from = lg_frame_at(lg_map_frames(map), frame);
	size_t moved = 0, done;
	bool locked = false;
	int error;

	if (bytes >> LG_PAGE_SHIFT_HUGE >
	    0) /* an empty page table in the way makes the kernel split the page */
		(void)lg_os_drop(to, bytes);
	/* What is in the map is used by others already: it cannot be taken back. */
	for (unsigned i = 0;; i++) {
		error = lg_os_userfault_move(&map->pager->userfault,
					     &(struct lg_os_move){ .to = to + moved,
								   .from = from + moved,
								   .private = from + moved,
								   .bytes = bytes - moved },
					     &done);
		moved += done;
		if (error == -EINVAL &&
		    lock_alike(to + moved, from + moved, bytes - moved, &locked))
			continue;
		if (error == 0 || error == -EINVAL || error == -EOPNOTSUPP || error == -EBADF)
			break;
		if (moved == 0 && (error != -EBUSY || i == HELD_TURNS))
			break;
		LG_REQUIRE(error == -EBUSY || error == -ENOMEM);
		lg_os_sleep_us(HELD_PAUSE_US);
	}
	if (locked)
		(void)lg_os_munlock(from, bytes);
	if (error == -EINVAL || error == -EOPNOTSUPP)
		return copy_rest(map, to, from, bytes, moved);
	return error;
}

/* It is OUT, to be read again. */
static int leave_limbo(struct lg_map *map, uint64_t *word)
{
	lg_limbo_drop(map, *word);
	*word = lg_word_with_state(*word & ~LG_WORD_AHEAD, LG_PAGE_OUT);
	return -EAGAIN;
}

/*
 * What the store has arrives writable, to be read at first. Of a huge page it takes long, and waits until it is written next.
 */
static void note_hash(struct lg_map *map, uint64_t word, const void *at)
{
	if (!map->huge && !lg_map_is_zero(map, word) && (word & LG_WORD_UNWRITTEN) == 0 &&
	    lg_map_hash(map, word) < LG_HASHES)
		lg_map_set_hash(map, word, lg_content_hash(at, lg_map_page_bytes(map)));
}

int lg_limbo_return(struct lg_map *map, uint64_t page, uint64_t *word, enum lg_os_access access)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_map_frames(map);
	uint32_t frame = lg_map_resident(map, *word)->frame;
	size_t bytes = lg_map_page_bytes(map);
	bool copied = can_copy(map, *word, access);
	int error;

	if (copied && !lg_budget_take_now(pager, bytes)) {
		/* Waiting would be with the frame in hand. */
		if (map->readonly)
			return leave_limbo(map, word);
		copied = false;
	}
	if (copied) {
		error = lg_fill_copy(map, page, 1, lg_frame_at(frames, frame), !map->readonly,
				     false);
		if (error != 0)
			lg_budget_give(pager, bytes);
	} else {
		if (access == LG_OS_ACCESS_READ)
			note_hash(map, *word, lg_frame_at(frames, frame));
		error = lg_limbo_move_in(map, page, frame, bytes);
		if (error == -ENOMEM && (*word & LG_WORD_UNWRITTEN) == 0)
			return leave_limbo(map, word);
	}
	if (error != 0)
		return error;
	uint64_t signals = lg_pager_lock(pager);
	lg_frame_put(frames, frame, copied ? LG_FRAME_FREE : LG_FRAME_EMPTY);
	fill_again(map, page, word, access);
	lg_pager_unlock(pager, signals);
	*word = lg_word_with_state(*word & ~(LG_WORD_AHEAD | LG_WORD_UNWRITTEN),
				   copied ? LG_PAGE_CLEAN : LG_PAGE_DIRTY);
	lg_budget_look(pager); /* limbo has less that is clean */
	return 0;
}
