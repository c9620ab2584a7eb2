/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/writeback.h"

#include "base/require.h"
#include "os/clock.h"
#include "os/io_queue.h"
#include "os/thread.h"
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/limbo.h"
#include "pager/map.h"

enum {
	LOOKED = 64, /* frames, for one that nobody works on */
	MOVED = 512, /* to REFUSED under one lock */
	LOOK_MS = 100,
	LOOK_TIMES = 4, /* what it took */
};

/* A page to write, claimed; its frame is HELD. */
struct claimed {
	uint64_t page;
	uint64_t word;
	uint64_t hash; /* of what it has, if that had to be known */
	uint32_t frame;
	bool written; /* or needs no write */
	bool refused;
};

/* What is written at once: memory of the caller's, as a signal handler's stack may be small. */
struct batch {
	struct lg_os_io_queue *queue; /* a writer's; NULL: who calls just helps out */
	struct lg_write *writes;      /* stretches of neighbours, at most so many */
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

static bool is_refusing(const struct lg_map *map)
{
	return lg_load_relaxed(&map->refuses) || lg_transfer_hangs(map);
}

/*
 * Nothing to write: all zero, where the store has nothing else, or nobody who reads it but us; or the same
 * as the store has, though the page was writable. `calls`: the store may be told.
 */
static bool is_stored(struct lg_map *map, struct claimed *page, bool calls)
{
	const void *at = lg_frame_at(lg_map_frames(map), page->frame);
	size_t bytes = lg_map_page_bytes(map);
	uint64_t hash = lg_map_hash(map, page->word);
	bool has_zeros = map->store->begins_zero &&
			 (!map->store->lasts || (page->word & LG_WORD_STORED) == 0);

	if (has_zeros && lg_content_is_zero(at, bytes)) {
		if (calls && (page->word & LG_WORD_STORED) != 0 && map->store->discards)
			lg_transfer_discard(map, page->page, 1);
		page->word &= ~LG_WORD_STORED;
		/* What the store has is forgotten: the same bytes would have to be written again. */
		if (hash >= LG_HASHES && lg_content_hash(at, bytes) != hash)
			lg_map_forget_hash(map, page->word);
		else
			lg_map_set_hash(map, page->word, LG_HASH_NONE);
		lg_pager_count(map->pager, evictions_zero, 1);
		return true;
	}
	if (hash < LG_HASHES)
		return false;
	page->hash = lg_content_hash(at, bytes);
	if (page->hash != hash) {
		lg_map_forget_hash(map, page->word);
		return false;
	}
	lg_forecast_note(&map->forecast, false);
	lg_pager_count(map->pager, evictions_clean, 1);
	return true;
}

static struct lg_map *owner_of(struct lg_pager *pager, const struct lg_frames *frames,
			       uint32_t index)
{
	struct lg_map *owner;
	uint64_t page;

	(void)lg_limbo_word(pager, frames, index, &owner, &page);
	return owner;
}

/* Its store refused the last write, or hangs; what it has may be what the store has, but to find out takes no store. */
static bool steps_aside(const struct lg_pager *pager, const struct lg_frames *frames,
			uint32_t index, const struct lg_map *owner)
{
	return is_refusing(owner) &&
	       lg_resident_hash(&pager->residents, frames->table[index].handle) < LG_HASHES;
}

/*
 * Such pages go from the front of UNWRITTEN to REFUSED, and what is behind them is written, or compared: how many, MOVED at most.
 * Under the lock.
 */
static unsigned step_aside(struct lg_pager *pager, struct lg_frames *frames)
{
	uint32_t index;
	unsigned moved = 0;

	while ((index = lg_frame_first(frames, LG_FRAME_UNWRITTEN)) != LG_FRAME_NONE &&
	       moved < MOVED && steps_aside(pager, frames, index, owner_of(pager, frames, index))) {
		lg_frame_put(frames, index, LG_FRAME_REFUSED);
		moved++;
	}
	return moved;
}

/* Whose batch it is: a writer's, or of one who helps them. */
static struct lg_crew *crew_of(struct lg_pager *pager, const struct batch *batch)
{
	return batch->queue != NULL ? &pager->writers : &pager->helpers;
}

static uint32_t *at_work_for(struct lg_map *map, const struct batch *batch)
{
	return batch->queue != NULL ? &map->writers : &map->helpers;
}

/* Its store is not to be called by who has this batch: others are in it, and if they do not come back neither would he. */
static bool is_left_to_others(struct lg_pager *pager, const struct batch *batch, struct lg_map *map)
{
	return !lg_crew_may_enter(crew_of(pager, batch), *at_work_for(map, batch)) ||
	       (batch->queue == NULL && lg_transfer_lags(map));
}

/* Those of a map that is to be tried again: it may have begun to hang since it was chosen. Else, what does not step aside. */
static bool is_wanted(const struct lg_pager *pager, const struct lg_frames *frames, uint32_t index,
		      const struct lg_map *owner, const struct lg_map *wanted)
{
	return wanted == NULL ? !steps_aside(pager, frames, index, owner) :
				owner == wanted && !lg_transfer_hangs(owner);
}

/* Pages of one map, claimed into a batch. */
struct taken {
	struct lg_map *map;
	unsigned count;
	bool compares; /* only: the store refuses, or hangs */
};

/*
 * Claims the first frame of the list that is free to be and those that follow it, of one map, in a batch's stretches: of `wanted`
 * alone, to be tried again, if that is not NULL. One of the batch's crew is at work for the map then, until they are settled.
 */
static struct taken claim(struct lg_pager *pager, struct lg_frames *frames, enum lg_frame_list list,
			  const struct batch *batch, struct lg_map *wanted)
{
	struct claimed *pages = batch->pages;
	struct taken taken = { .map = NULL };
	uint32_t next, index = lg_frame_first(frames, list);
	unsigned stretches = 0, most = 1, looked = 0, count = 0;
	uint64_t room = lg_min(lg_max(LG_WRITE_BYTES >> frames->shift, 1), batch->room);

	for (; index != LG_FRAME_NONE && count < room && looked < LOOKED + batch->room;
	     index = next) {
		struct lg_map *owner;
		uint64_t page;
		lg_word *word = lg_limbo_word(pager, frames, index, &owner, &page);
		uint64_t seen = lg_load_relaxed(word);
		bool follows = count > 0 && page == pages[count - 1].page + 1;

		next = frames->table[index].next;
		looked++;
		if (count > 0 && (owner != taken.map || (!follows && stretches == most)))
			break;
		bool compares = wanted == NULL && is_refusing(owner);
		if (count == 0 && !compares && is_left_to_others(pager, batch, owner))
			continue;
		if (!is_wanted(pager, frames, index, owner, wanted) || !lg_word_claim(word, &seen))
			continue;
		LG_ASSERT(lg_word_state(seen) == LG_PAGE_LIMBO);
		if (count == 0) {
			most = stretches_most(owner, batch);
			taken = (struct taken){ .map = owner, .compares = compares };
		}
		stretches += follows ? 0 : 1;
		pages[count++] = (struct claimed){ .page = page, .word = seen, .frame = index };
		lg_frame_put(frames, index, LG_FRAME_HELD);
	}
	taken.count = count;
	if (count > 0 && !taken.compares)
		lg_crew_join(crew_of(pager, batch), at_work_for(taken.map, batch));
	return taken;
}

/* What is read from limbo arrives writable: a page that was once has its hash known from its next write on. */
static void renew_hash(struct lg_map *map, const struct claimed *page)
{
	uint64_t hash = page->written ? page->hash : LG_HASH_NONE;

	if (page->written && lg_map_hash(map, page->word) == LG_HASH_WANTED)
		hash = lg_content_hash(lg_frame_at(lg_map_frames(map), page->frame),
				       lg_map_page_bytes(map));
	lg_map_set_hash(map, page->word, hash);
}

/* The pages of `written` were, or not. */
static void note_write(struct lg_map *map, const struct lg_write *write, struct claimed *pages)
{
	for (uint64_t i = 0; i < write->count; i++) {
		pages[i].written = write->error == 0;
		pages[i].refused = write->error != 0;
		pages[i].word |= LG_WORD_STORED; /* some of it, if it failed */
		renew_hash(map, &pages[i]);
	}
}

/* Stretches of neighbours that are not `written`, of no more parts than a store takes, from pages[*done] on: how many. */
static unsigned gather(struct lg_map *map, const struct batch *batch, unsigned count,
		       unsigned *done)
{
	const struct claimed *pages = batch->pages;
	const void *const *places = batch->places;
	unsigned stretches = 0, parts = 0, i = *done, most = stretches_most(map, batch);
	struct lg_write *last = NULL;

	for (; i < count; i++) {
		if (pages[i].written)
			continue;
		if (last != NULL && pages[i].page == last->page + last->count &&
		    &places[i] == last->places + last->count) {
			parts += (const char *)places[i] !=
				 (const char *)places[i - 1] + lg_map_page_bytes(map);
			if (parts <= LG_STORE_PARTS) {
				last->count++;
				continue;
			}
		}
		if (stretches == most)
			break;
		last = &batch->writes[stretches++];
		parts = 1;
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
		pages[i].written = is_stored(map, &pages[i], !is_refusing(map));
		batch->places[i] = lg_frame_at(lg_map_frames(map), pages[i].frame);
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

/* Their store is not to be called: what it has leaves all the same. */
static void compare_pages(struct lg_map *map, struct claimed *pages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pages[i].written = is_stored(map, &pages[i], false);
		pages[i].refused = !pages[i].written;
	}
}

/* The frame goes to the list that the word says. Under the lock. */
static void settle(struct lg_map *map, struct claimed *page)
{
	if (page->written)
		page->word &= ~LG_WORD_UNWRITTEN;
	lg_frame_put(lg_map_frames(map), page->frame,
		     page->written ? LG_FRAME_CLEAN :
		     page->refused ? LG_FRAME_REFUSED :
				     LG_FRAME_UNWRITTEN);
}

/* Some are CLEAN now. */
static void announce(struct lg_pager *pager)
{
	lg_store_relaxed(&pager->settled_at, lg_os_now_ms());
	lg_budget_announce(pager);
}

/* What came of claimed pages, which are released: bytes that are unwritten no more. */
static uint64_t settle_all(struct lg_pager *pager, const struct batch *batch,
			   const struct taken *taken)
{
	struct claimed *pages = batch->pages;
	struct lg_map *map = taken->map; /* it may be gone with its last page */
	uint64_t bytes = lg_map_page_bytes(map), written = 0, signals = lg_pager_lock(pager);

	if (!taken->compares)
		lg_crew_leave(crew_of(pager, batch), at_work_for(map, batch));
	for (unsigned i = 0; i < taken->count; i++) {
		settle(map, &pages[i]);
		written += pages[i].written ? bytes : 0;
		lg_word_release(&map->words[pages[i].page], pages[i].word);
	}
	lg_pager_unlock(pager, signals);
	if (written > 0)
		announce(pager);
	return written;
}

/* Pages at the front of UNWRITTEN, or those of a map that is tried again: how many, of which *written bytes. */
static unsigned write_from(struct lg_pager *pager, struct lg_frames *frames, struct lg_map *again,
			   const struct batch *batch, uint64_t *written)
{
	enum lg_frame_list list = again == NULL ? LG_FRAME_UNWRITTEN : LG_FRAME_REFUSED;
	struct taken taken = { .count = 0 };
	unsigned moved;

	do {
		uint64_t signals = lg_pager_lock(pager);

		moved = again == NULL ? step_aside(pager, frames) : 0;
		if (moved < MOVED)
			taken = claim(pager, frames, list, batch, again);
		lg_pager_unlock(pager, signals);
	} while (moved == MOVED);
	if (taken.count == 0)
		return 0;
	if (taken.compares || (again == NULL && is_refusing(taken.map)))
		compare_pages(taken.map, batch->pages, taken.count);
	else
		(void)write_pages(taken.map, batch, taken.count);
	*written += settle_all(pager, batch, &taken);
	return taken.count;
}

/* Pages of the front, of a store that refuses, or hangs: whether there may be more, and none of these is as it has it. */
static bool set_some_aside(struct lg_pager *pager, struct lg_frames *frames)
{
	enum { ROOM = 32 };
	struct claimed pages[ROOM];
	const struct batch batch = { .most = 1, .pages = pages, .room = ROOM };
	struct taken taken = { .count = 0 };
	uint64_t written = 0, signals = lg_pager_lock(pager);
	unsigned moved = step_aside(pager, frames);
	uint32_t index = lg_frame_first(frames, LG_FRAME_UNWRITTEN);

	if (moved < MOVED && index != LG_FRAME_NONE && is_refusing(owner_of(pager, frames, index)))
		taken = claim(pager, frames, LG_FRAME_UNWRITTEN, &batch, NULL);
	lg_pager_unlock(pager, signals);
	if (taken.count > 0 && is_refusing(taken.map))
		compare_pages(taken.map, pages, taken.count);
	if (taken.count > 0)
		written = settle_all(pager, &batch, &taken);
	return moved == MOVED || (taken.count > 0 && pages[0].refused && written == 0);
}

void lg_writeback_set_aside(struct lg_pager *pager)
{
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		struct lg_frames *frames = &pager->frames[i];

		while (lg_frames_are_made(frames) &&
		       lg_frame_bytes(frames, LG_FRAME_UNWRITTEN) > 0 &&
		       set_some_aside(pager, frames))
			;
	}
}

/* Those that have most to write, of the sizes not `tried`; NULL: none has any. */
static struct lg_frames *most_unwritten(struct lg_pager *pager, uint32_t tried)
{
	struct lg_frames *most = NULL;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		struct lg_frames *frames = &pager->frames[i];
		uint64_t has = (tried >> i & 1) == 0 && lg_frames_are_made(frames) ?
				       lg_frame_bytes(frames, LG_FRAME_UNWRITTEN) :
				       0;

		if (has > bytes) {
			most = frames;
			bytes = has;
		}
	}
	return most;
}

/*
 * Each page that is in the list now is met once, from the front, until one is to stay there: `meet` puts the others. Under the lock,
 * so many at a time.
 */
static void go_round(struct lg_pager *pager, struct lg_frames *frames, enum lg_frame_list list,
		     bool (*meet)(struct lg_frames *, uint32_t, struct lg_map *, void *),
		     void *context)
{
	uint64_t left = lg_frame_bytes(frames, list) >> frames->shift;
	bool goes_on = true;

	while (goes_on && left > 0) {
		uint64_t signals = lg_pager_lock(pager);

		for (unsigned i = 0; i < MOVED && goes_on && left > 0; i++, left--) {
			uint32_t index = lg_frame_first(frames, list);

			goes_on = index != LG_FRAME_NONE &&
				  meet(frames, index, owner_of(pager, frames, index), context);
		}
		lg_pager_unlock(pager, signals);
	}
}

/* What a look over REFUSED finds. */
struct look {
	struct lg_map *chosen; /* only to be compared: it may be closed by now; NULL: none */
	uint64_t first;        /* when its time came */
	bool is_awaited;       /* one that refuses */
};

/*
 * Of maps that refuse no more, or are back from a write that hung, the pages are UNWRITTEN again. Of the others that do not rest, the
 * one whose time to be tried came first is chosen, so that each has its turn.
 */
static bool look_at(struct lg_frames *frames, uint32_t index, struct lg_map *owner, void *context)
{
	struct look *look = context;
	uint64_t at = lg_load_relaxed(&owner->retry_at);
	bool refuses = is_refusing(owner);

	if (refuses && at < look->first && !lg_transfer_rests(owner)) {
		look->chosen = owner;
		look->first = at;
	}
	look->is_awaited |= lg_transfer_is_awaited(owner);
	lg_frame_put(frames, index, refuses ? LG_FRAME_REFUSED : LG_FRAME_UNWRITTEN);
	return true;
}

/* A page of the map comes to the front of REFUSED, if there is one. */
static bool is_anothers(struct lg_frames *frames, uint32_t index, struct lg_map *owner, void *map)
{
	if (owner == map)
		return false;
	lg_frame_put(frames, index, LG_FRAME_REFUSED);
	return true;
}

/* What comes of it tells the map. */
static uint64_t retry_map(struct lg_pager *pager, struct lg_frames *frames, struct lg_map *map,
			  const struct batch *batch)
{
	uint64_t written = 0, until;

	if (!lg_transfer_begin_try(pager, &until))
		return 0;
	lg_add_relaxed(&pager->retrying, 1);
	go_round(pager, frames, LG_FRAME_REFUSED, is_anothers, map);
	(void)write_from(pager, frames, map, batch, &written);
	lg_sub_release(&pager->retrying, 1);
	lg_transfer_end_try(pager, until);
	return written;
}

/* Now and then; at once, after some were written. */
static uint64_t retry(struct lg_pager *pager, struct batch *batch)
{
	uint64_t now = lg_os_now_ms(), at = lg_load_relaxed(&pager->look_at), written = 0;
	struct look looks[LG_PAGE_SHIFTS];
	uint32_t asked = lg_load_acquire(&pager->asked);
	bool is_awaited = now < lg_load_acquire(&pager->retry_until); /* some are in his hands */

	if (lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) == 0 || now < at ||
	    !lg_cas_relaxed(&pager->look_at, &at, now + LOOK_MS))
		return 0;
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		looks[i] = (struct look){ .first = UINT64_MAX };
		if (lg_frames_are_made(&pager->frames[i]))
			go_round(pager, &pager->frames[i], LG_FRAME_REFUSED, look_at, &looks[i]);
		is_awaited |= looks[i].is_awaited;
	}
	if (!is_awaited)
		lg_store_relaxed(&pager->answered, asked);
	uint64_t end = lg_os_now_ms();
	lg_store_relaxed(&pager->look_at, end + lg_max(LOOK_MS, LOOK_TIMES * (end - now)));
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++)
		if (looks[i].chosen != NULL)
			written += retry_map(pager, &pager->frames[i], looks[i].chosen, batch);
	if (written > 0)
		lg_store_relaxed(&pager->look_at, 0);
	return written;
}

/* Of a map that is left to others, who have been in its store for a while. */
static bool is_in_the_way(struct lg_frames *frames, uint32_t index, struct lg_map *owner,
			  void *batch)
{
	if (!is_left_to_others(owner->pager, batch, owner) || !lg_transfer_lags(owner))
		return false;
	lg_frame_put(frames, index, LG_FRAME_UNWRITTEN);
	return true;
}

/* Some from the front; or from behind what is in the way there, of which there may be much. */
static unsigned write_some(struct lg_pager *pager, struct lg_frames *frames, struct batch *batch,
			   uint64_t *written)
{
	unsigned count = write_from(pager, frames, NULL, batch, written);

	if (count > 0 || batch->queue == NULL)
		return count;
	go_round(pager, frames, LG_FRAME_UNWRITTEN, is_in_the_way, batch);
	return write_from(pager, frames, NULL, batch, written);
}

static uint64_t write_unwritten(struct lg_pager *pager, struct batch *batch)
{
	uint64_t written = 0;
	uint32_t tried = 0;
	struct lg_frames *most;

	while (written == 0 && (most = most_unwritten(pager, tried)) != NULL)
		if (write_some(pager, most, batch, &written) == 0)
			tried |= (uint32_t)1 << (most - pager->frames);
	return written;
}

/* By who is no writer, a few pages at once. */
static uint64_t with_few(struct lg_pager *pager,
			 uint64_t (*work)(struct lg_pager *, struct batch *))
{
	enum { ROOM = 32 };
	struct lg_write write;
	struct claimed pages[ROOM];
	const void *places[ROOM];

	return work(pager, &(struct batch){ NULL, &write, 1, pages, places, ROOM });
}

uint64_t lg_writeback(struct lg_pager *pager)
{
	return with_few(pager, write_unwritten);
}

uint64_t lg_writeback_retry(struct lg_pager *pager)
{
	return with_few(pager, retry);
}

uint64_t lg_writeback_many(struct lg_pager *pager, struct lg_os_io_queue *queue)
{
	struct lg_write writes[LG_STORE_MANY];
	struct claimed pages[LG_TRANSFER_PAGES];
	const void *places[LG_TRANSFER_PAGES];
	unsigned most = queue->refused ? 1 : LG_STORE_MANY;
	struct batch batch = { queue, writes, most, pages, places, LG_TRANSFER_PAGES };
	uint64_t written = write_unwritten(pager, &batch);

	/* Also while the others have more. What a store refuses no more is UNWRITTEN then. */
	written += retry(pager, &batch);
	return written > 0 ? written : write_unwritten(pager, &batch);
}

int lg_writeback_pages(struct lg_map *map, uint64_t first, unsigned count, uint64_t *words)
{
	struct claimed pages[LG_WRITEBACK_RUN];
	const void *places[LG_WRITEBACK_RUN];
	struct lg_write write;
	uint64_t signals = lg_pager_lock(map->pager);

	for (unsigned i = 0; i < count; i++) {
		pages[i] = (struct claimed){ .page = first + i,
					     .word = words[i],
					     .frame = lg_map_resident(map, words[i])->frame };
		lg_frame_put(lg_map_frames(map), pages[i].frame, LG_FRAME_HELD);
	}
	lg_pager_unlock(map->pager, signals);
	int error = write_pages(
		map, &(struct batch){ NULL, &write, 1, pages, places, LG_WRITEBACK_RUN }, count);
	signals = lg_pager_lock(map->pager);
	for (unsigned i = 0; i < count; i++) {
		settle(map, &pages[i]);
		words[i] = pages[i].word;
	}
	lg_pager_unlock(map->pager, signals);
	return error;
}

static bool is_unwritten(uint64_t word)
{
	return lg_word_state(word) == LG_PAGE_LIMBO && (word & LG_WORD_UNWRITTEN) != 0;
}

int lg_writeback_neighbours(struct lg_map *map, uint64_t first, uint64_t end, uint64_t *count)
{
	struct lg_pager *pager = map->pager;
	uint64_t words[LG_WRITEBACK_RUN], most = lg_max(LG_WRITE_BYTES >> map->shift, 1);
	int error = 0;

	end = lg_min(end, first + lg_min(most, LG_WRITEBACK_RUN));
	*count = 1;
	if (!is_unwritten(lg_load_relaxed(&map->words[first])))
		return 0;
	uint64_t signals = lg_os_signals_hold();
	for (*count = 0; first + *count < end; ++*count) {
		lg_word *word = &map->words[first + *count];

		words[*count] = lg_load_relaxed(word);
		if (!is_unwritten(words[*count]) || !lg_word_claim(word, &words[*count]))
			break;
	}
	if (*count > 0)
		error = lg_writeback_pages(map, first, (unsigned)*count, words);
	for (uint64_t i = 0; i < *count; i++)
		lg_word_release(&map->words[first + i], words[i]);
	if (*count > 0 && error == 0)
		announce(pager);
	lg_os_signals_release(signals);
	return error;
}
