/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/limbo.h"

#include "base/require.h"
#include "os/clock.h"
#include "os/io_queue.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/map.h"
#include "pager/transfer.h"

#include <errno.h>

enum {
	RETIRE = 64, /* frames dropped at once */
	SCAN = 64,   /* frames looked at for one that nobody works on */
	HELD_TURNS = 10000,
	HELD_PAUSE_US = 20,
};

static struct lg_frames *frames_of(struct lg_map *map)
{
	return lg_pager_frames(map->pager, map->shift);
}

static struct lg_resident *resident_of(struct lg_map *map, uint64_t word)
{
	return lg_resident_at(&map->pager->residents, lg_word_handle(word));
}

static uint64_t hash_of(struct lg_map *map, uint64_t word)
{
	return map->huge ? *lg_resident_hash(&map->pager->residents, lg_word_handle(word)) :
			   LG_HASH_NONE;
}

static void set_hash(struct lg_map *map, uint64_t word, uint64_t hash)
{
	if (map->huge)
		*lg_resident_hash(&map->pager->residents, lg_word_handle(word)) = hash;
}

/* The page whose frame this is. Under the lock, frame in CLEAN or UNWRITTEN. */
static lg_word *word_of(struct lg_pager *pager, const struct lg_frames *frames, uint32_t index,
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
	lg_pager_count(map->pager, prefetch_useless, resident_of(map, word)->ahead);
}

/* A clean page, if nobody works on it, is OUT: its frame can be used. Under the lock. */
static bool give_up(struct lg_pager *pager, struct lg_frames *frames, uint32_t index)
{
	struct lg_map *map;
	uint64_t page, seen;
	lg_word *word = word_of(pager, frames, index, &map, &page);

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
	       (got = retire_from(map->pager, frames_of(map), bytes, LG_FRAME_FREE)) > 0)
		bytes -= lg_min(bytes, got);
}

void lg_limbo_drop(struct lg_map *map, uint64_t word)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_pager_lock(pager);

	lg_frame_put(frames_of(map), resident_of(map, word)->frame, LG_FRAME_FREE);
	if ((word & LG_WORD_AHEAD) != 0) {
		count_useless(map, word);
		lg_piece_give_up(map, resident_of(map, word)->page);
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
		error = lg_os_userfault_move(pager->to_frames, lg_frame_at(frames, *frame), page,
					     bytes, &done);
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

/* Without waiting. What is read ahead is the last to go, that of this size first: its frame is used as it is. */
static int take_frame(struct lg_pager *pager, struct lg_frames *frames, uint32_t *frame, bool *zero)
{
	uint64_t bytes = (uint64_t)1 << frames->shift;

	*zero = false;
	for (;;) {
		*frame = take_idle(pager, frames, LG_FRAME_CLEAN);
		if (*frame != LG_FRAME_NONE)
			return 0;
		if (lg_budget_try(pager, bytes)) {
			*zero = take_fresh(pager, frames, frame) == 0;
			if (*zero)
				return 0;
			lg_budget_give(pager, bytes);
		} else if (lg_budget_free_used(pager, bytes)) {
			continue;
		}
		*frame = take_idle(pager, frames, LG_FRAME_AHEAD);
		if (*frame != LG_FRAME_NONE)
			return 0;
		if (lg_limbo_retire_ahead(pager, bytes) == 0)
			return -ENOMEM;
	}
}

int lg_limbo_frame(struct lg_pager *pager, struct lg_frames *frames, uint32_t *frame, bool *zero)
{
	unsigned turns = 0;

	while (take_frame(pager, frames, frame, zero) != 0) {
		int error = lg_budget_wait(pager, &turns);

		if (error != 0)
			return error;
	}
	lg_budget_look(pager);
	return 0;
}

/* --- back into the map -------------------------------------------------------------------------- */

/* The policy has it again, as a page that was used. Under the lock. */
static void fill_again(struct lg_map *map, uint64_t page, uint64_t *word, enum lg_os_access access)
{
	struct lg_policy_use *use = map->use;
	enum lg_reference how = access == LG_OS_ACCESS_WRITE ? LG_REFERENCE_WRITE :
							       LG_REFERENCE_READ;
	struct lg_resident *resident = resident_of(map, *word);

	if ((*word & LG_WORD_AHEAD) != 0) {
		lg_map_count_useful(map, resident->ahead);
		lg_piece_reach(map, page);
		lg_resident_arrive(map, lg_word_handle(*word), how);
	} else {
		lg_frames_note(frames_of(map), 0, 1);
		/* Dirty as it was: a read does not make it one that costs no write. */
		lg_resident_fill(map, lg_word_handle(*word),
				 (*word & LG_WORD_UNWRITTEN) != 0 ? LG_REFERENCE_WRITE :
								    LG_REFERENCE_READ);
		use->policy.ops->touch(use->state, lg_word_handle(*word), how);
	}
	/* One that has a hash is counted when it turns out to differ. */
	if (how == LG_REFERENCE_WRITE && (*word & LG_WORD_UNWRITTEN) == 0 &&
	    hash_of(map, *word) < LG_HASHES)
		lg_pager_count(map->pager, bytes_dirtied, lg_map_page_bytes(map));
	if (how == LG_REFERENCE_READ && (*word & LG_WORD_UNWRITTEN) == 0 &&
	    hash_of(map, *word) == LG_HASH_NONE)
		set_hash(map, *word, LG_HASH_WANTED);
	resident->frame = LG_FRAME_NONE;
	lg_recent_note(map, page);
}

/* A read of a page that the store has: a copy stays CLEAN, where a move arrives writable. */
static bool can_copy(const struct lg_map *map, uint64_t word, enum lg_os_access access)
{
	return map->readonly || (!map->huge && map->protects && access == LG_OS_ACCESS_READ &&
				 (word & LG_WORD_UNWRITTEN) == 0);
}

int lg_limbo_move_in(struct lg_map *map, uint64_t page, uint32_t frame)
{
	const struct lg_os_userfault *userfault = &map->pager->userfault;
	char *to = lg_map_page_at(map, page), *from = lg_frame_at(frames_of(map), frame);
	size_t bytes = lg_map_page_bytes(map), moved = 0, done;
	int error = 0;

	if (map->huge) /* an empty page table in the way makes the kernel split the page */
		(void)lg_os_drop(to, bytes);
	/* What is in the map is used by others already: it cannot be taken back. */
	for (unsigned i = 0; moved > 0 || i < HELD_TURNS; i++) {
		error = lg_os_userfault_move(userfault, to + moved, from + moved, bytes - moved,
					     &done);
		moved += done;
		if (error == 0)
			return 0;
		if (error != -EBUSY && moved == 0)
			return error;
		LG_REQUIRE(error == -EBUSY || error == -ENOMEM);
		lg_os_sleep_us(HELD_PAUSE_US);
	}
	return error;
}

/* It is OUT, to be read again. */
static int leave_limbo(struct lg_map *map, uint64_t *word)
{
	lg_limbo_drop(map, *word);
	*word = lg_word_with_state(*word & ~LG_WORD_AHEAD, LG_PAGE_OUT);
	return -EAGAIN;
}

int lg_limbo_return(struct lg_map *map, uint64_t page, uint64_t *word, enum lg_os_access access)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = frames_of(map);
	uint32_t frame = resident_of(map, *word)->frame;
	size_t bytes = lg_map_page_bytes(map), done = 0;
	bool copied = can_copy(map, *word, access);
	int error;

	if (copied && !lg_budget_take_now(pager, bytes)) {
		/* Waiting would be with the frame in hand. */
		if (map->readonly)
			return leave_limbo(map, word);
		copied = false;
	}
	if (copied) {
		error = lg_os_userfault_copy(&pager->userfault, lg_map_page_at(map, page),
					     lg_frame_at(frames, frame), bytes, !map->readonly,
					     &done);
		if (error != 0) {
			(void)lg_os_drop(lg_map_page_at(map, page), bytes);
			lg_budget_give(pager, bytes);
			return error;
		}
	} else {
		error = lg_limbo_move_in(map, page, frame);
		if (error != 0)
			return error;
	}
	uint64_t signals = lg_pager_lock(pager);
	lg_frame_put(frames, frame, copied ? LG_FRAME_FREE : LG_FRAME_EMPTY);
	fill_again(map, page, word, access);
	lg_pager_unlock(pager, signals);
	*word = lg_word_with_state(*word & ~(LG_WORD_AHEAD | LG_WORD_UNWRITTEN),
				   copied ? LG_PAGE_CLEAN : LG_PAGE_DIRTY);
	lg_budget_look(pager); /* limbo has less that is clean */
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------ */

/* A page to write, claimed; its frame is HELD. */
struct claimed {
	uint64_t page;
	uint64_t word;
	uint64_t hash; /* of what it has, if that had to be known */
	uint32_t frame;
	bool written; /* or needs no write */
};

/* What is written at once: memory of the caller's, as a signal handler's stack may be small. */
struct batch {
	struct lg_os_io_queue *queue;
	struct lg_write *writes; /* stretches of neighbours, at most so many */
	unsigned most;
	struct claimed *pages; /* at most so many, each with its place */
	const void **places;
	unsigned room;
};

/* How many stretches of neighbours: one, where the store would write them one by one, and all were kept until the last. */
static unsigned stretches_most(const struct lg_map *map, const struct batch *batch)
{
	struct lg_store *store = map->store;

	return store->calls->writes_many != NULL && store->calls->writes_many(store) ? batch->most :
										       1;
}

/*
 * Nothing to write: all zero, where the store has nothing else, or nobody who reads it but us; or the same
 * as the store has, though the page was writable.
 */
static bool is_stored(struct lg_map *map, struct claimed *page)
{
	const void *at = lg_frame_at(frames_of(map), page->frame);
	size_t bytes = lg_map_page_bytes(map);
	uint64_t hash = hash_of(map, page->word);
	bool has_zeros = map->store->begins_zero &&
			 (!map->store->lasts || (page->word & LG_WORD_STORED) == 0);

	if (has_zeros && lg_content_is_zero(at, bytes)) {
		page->word &= ~LG_WORD_STORED;
		/* What the store has is forgotten: the same bytes would have to be written again. */
		set_hash(map, page->word, LG_HASH_NONE);
		lg_pager_count(map->pager, evictions_zero, 1);
		return true;
	}
	if (hash < LG_HASHES)
		return false;
	page->hash = lg_content_hash(at, bytes);
	if (page->hash != hash) {
		lg_pager_count(map->pager, bytes_dirtied, bytes);
		return false;
	}
	lg_pager_count(map->pager, evictions_clean, 1);
	return true;
}

/* Claims the first unwritten frame that is free to be and those that follow it in the list, of one map, in a batch's stretches. */
static unsigned claim(struct lg_pager *pager, struct lg_frames *frames, const struct batch *batch,
		      struct lg_map **map)
{
	struct claimed *pages = batch->pages;
	uint32_t next, index = lg_frame_first(frames, LG_FRAME_UNWRITTEN);
	unsigned count = 0, stretches = 0, most = 1, looked = 0;
	uint64_t room = lg_min(lg_max(LG_WRITE_BYTES >> frames->shift, 1), batch->room);

	for (; index != LG_FRAME_NONE && count < room && looked < SCAN + batch->room;
	     index = next) {
		struct lg_map *owner;
		uint64_t page;
		lg_word *word = word_of(pager, frames, index, &owner, &page);
		uint64_t seen = lg_load_relaxed(word);
		bool follows = count > 0 && page == pages[count - 1].page + 1;

		next = frames->table[index].next;
		looked++;
		if (count > 0 && (owner != *map || (!follows && stretches == most)))
			break;
		if (!lg_word_claim(word, &seen))
			continue;
		LG_ASSERT(lg_word_state(seen) == LG_PAGE_LIMBO);
		if (count == 0)
			most = stretches_most(owner, batch);
		*map = owner;
		stretches += follows ? 0 : 1;
		pages[count++] = (struct claimed){ .page = page, .word = seen, .frame = index };
		lg_frame_put(frames, index, LG_FRAME_HELD);
	}
	return count;
}

/* What is read from limbo arrives writable: a page that was once has its hash known from its next write on. */
static void renew_hash(struct lg_map *map, const struct claimed *page)
{
	uint64_t hash = page->written ? page->hash : LG_HASH_NONE;

	if (page->written && hash_of(map, page->word) == LG_HASH_WANTED)
		hash = lg_content_hash(lg_frame_at(frames_of(map), page->frame),
				       lg_map_page_bytes(map));
	set_hash(map, page->word, hash);
}

/* The pages of `written` were, or not. */
static void note_write(struct lg_map *map, const struct lg_write *write, struct claimed *pages)
{
	for (uint64_t i = 0; i < write->count; i++) {
		pages[i].written = write->error == 0;
		pages[i].word |= LG_WORD_STORED; /* some of it, if it failed */
		renew_hash(map, &pages[i]);
	}
}

/* Stretches of neighbours that are not `written`, from pages[*done] on: how many. */
static unsigned gather(struct lg_map *map, const struct batch *batch, unsigned count,
		       unsigned *done)
{
	const struct claimed *pages = batch->pages;
	const void *const *places = batch->places;
	unsigned stretches = 0, i = *done, most = stretches_most(map, batch);
	struct lg_write *last = NULL;

	for (; i < count; i++) {
		if (pages[i].written)
			continue;
		if (last != NULL && pages[i].page == last->page + last->count &&
		    &places[i] == last->places + last->count) {
			last->count++;
			continue;
		}
		if (stretches == most)
			break;
		last = &batch->writes[stretches++];
		*last = (struct lg_write){
			.map = map, .page = pages[i].page, .count = 1, .places = &places[i]
		};
	}
	*done = i;
	return stretches;
}

/* Writes what the store has not of the first `count` pages. */
static int write_pages(struct lg_map *map, const struct batch *batch, unsigned count)
{
	struct claimed *pages = batch->pages;
	unsigned done = 0, stretches;
	int error = 0;

	for (unsigned i = 0; i < count; i++) {
		pages[i].written = is_stored(map, &pages[i]);
		batch->places[i] = lg_frame_at(frames_of(map), pages[i].frame);
	}
	while (error == 0 && (stretches = gather(map, batch, count, &done)) > 0) {
		if (stretches == 1)
			batch->writes[0].error = lg_transfer_write(&batch->writes[0]);
		else
			lg_transfer_write_many(batch->queue, batch->writes, stretches);
		for (unsigned i = 0; i < stretches; i++) {
			const struct lg_write *write = &batch->writes[i];

			note_write(map, write, &pages[write->places - batch->places]);
			error = error == 0 ? write->error : error;
		}
	}
	return error;
}

/* The frame goes to the list that the word says. Under the lock. */
static void settle(struct lg_map *map, struct claimed *page)
{
	if (page->written)
		page->word &= ~LG_WORD_UNWRITTEN;
	lg_frame_put(frames_of(map), page->frame,
		     page->written ? LG_FRAME_CLEAN : LG_FRAME_UNWRITTEN);
}

static uint64_t write_from(struct lg_pager *pager, struct lg_frames *frames,
			   const struct batch *batch)
{
	struct claimed *pages = batch->pages;
	struct lg_map *map = NULL;
	uint64_t written = 0;
	uint64_t signals = lg_pager_lock(pager);
	unsigned count = claim(pager, frames, batch, &map);

	lg_pager_unlock(pager, signals);
	if (count == 0)
		return 0;
	(void)write_pages(map, batch, count);
	signals = lg_pager_lock(pager);
	for (unsigned i = 0; i < count; i++) {
		settle(map, &pages[i]);
		written += pages[i].written ? 1 : 0;
		lg_word_release(&map->words[pages[i].page], pages[i].word);
	}
	lg_pager_unlock(pager, signals);
	if (written > 0)
		lg_budget_announce(pager);
	return written << frames->shift;
}

/* Those that have most to write, of the sizes not `tried`; NULL: none has any. */
static struct lg_frames *most_unwritten(struct lg_pager *pager, uint32_t tried)
{
	struct lg_frames *most = NULL;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		struct lg_frames *frames = &pager->frames[i];
		uint64_t unwritten = (tried >> i & 1) == 0 && lg_frames_are_made(frames) ?
					     lg_frame_bytes(frames, LG_FRAME_UNWRITTEN) :
					     0;

		if (unwritten > bytes) {
			most = frames;
			bytes = unwritten;
		}
	}
	return most;
}

/* A store that fails has most in the end: it is not to keep the others from being written to. */
static uint64_t write_some(struct lg_pager *pager, const struct batch *batch)
{
	uint64_t written = 0;
	uint32_t tried = 0;
	struct lg_frames *most;

	while (written == 0 && (most = most_unwritten(pager, tried)) != NULL) {
		written = write_from(pager, most, batch);
		tried |= (uint32_t)1 << (most - pager->frames);
	}
	return written;
}

uint64_t lg_limbo_write(struct lg_pager *pager)
{
	enum { ROOM = 32 };
	struct lg_write write;
	struct claimed pages[ROOM];
	const void *places[ROOM];

	return write_some(pager, &(struct batch){ NULL, &write, 1, pages, places, ROOM });
}

uint64_t lg_limbo_write_many(struct lg_pager *pager, struct lg_os_io_queue *queue)
{
	struct lg_write writes[LG_STORE_MANY];
	struct claimed pages[LG_LIMBO_RUN];
	const void *places[LG_LIMBO_RUN];
	unsigned most = queue->refused ? 1 : LG_STORE_MANY;

	return write_some(pager,
			  &(struct batch){ queue, writes, most, pages, places, LG_LIMBO_RUN });
}

int lg_limbo_write_pages(struct lg_map *map, uint64_t first, unsigned count, uint64_t *words)
{
	struct claimed pages[LG_LIMBO_RUN];
	const void *places[LG_LIMBO_RUN];
	struct lg_write write;
	uint64_t signals = lg_pager_lock(map->pager);

	for (unsigned i = 0; i < count; i++) {
		pages[i] = (struct claimed){ .page = first + i,
					     .word = words[i],
					     .frame = resident_of(map, words[i])->frame };
		lg_frame_put(frames_of(map), pages[i].frame, LG_FRAME_HELD);
	}
	lg_pager_unlock(map->pager, signals);
	int error = write_pages(
		map, &(struct batch){ NULL, &write, 1, pages, places, LG_LIMBO_RUN }, count);
	signals = lg_pager_lock(map->pager);
	for (unsigned i = 0; i < count; i++) {
		settle(map, &pages[i]);
		words[i] = pages[i].word;
	}
	lg_pager_unlock(map->pager, signals);
	return error;
}
