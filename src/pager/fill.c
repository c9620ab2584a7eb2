/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/fill.h"

#include "base/require.h"
#include "os/clock.h"
#include "os/map.h"
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/flush.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/poison.h"
#include "pager/probe.h"
#include "pager/renew.h"
#include "pager/transfer.h"

#include <errno.h>
#include <string.h>

enum { PAUSE_US = 100, TRIES_MOST = 100 };

/* Never written: what pages of zeros are copied from. */
static const _Alignas(4096) char zeros[(size_t)1 << LG_PAGE_SHIFT_HUGE];

static enum lg_reference reference_of(enum lg_os_access access)
{
	return access == LG_OS_ACCESS_WRITE ? LG_REFERENCE_WRITE : LG_REFERENCE_READ;
}

/* The pages are as they were. */
static void give_up(struct lg_map *map, uint64_t first, uint64_t count)
{
	for (uint64_t page = first; page < first + count; page++)
		lg_word_release(&map->words[page], lg_load_relaxed(&map->words[page]));
}

/*
 * The same, but the first is POISONED if it could not be read: while BUSY is ours, for who waits for it would have a reader claim
 * it for another try, and a reader that waits for that is one less to make it.
 */
static void give_up_unread(struct lg_map *map, uint64_t first, uint64_t count, int error,
			   bool *unreadable)
{
	*unreadable = *unreadable && !lg_renew_note(map, error);
	if (*unreadable) {
		lg_poison_claimed(map, first, error);
		give_up(map, first + 1, count - 1);
	} else {
		give_up(map, first, count);
	}
}

/* Handles for all of them, in their words; or for none. */
static bool add_residents(struct lg_map *map, uint64_t first, uint64_t count, uint32_t *handles)
{
	struct lg_pager *pager = map->pager;
	uint64_t got = 0, signals = lg_pager_lock(pager);

	while (got < count && (handles[got] = lg_resident_add(map, first + got)) != LG_HANDLE_NONE)
		got++;
	for (uint64_t i = 0; got < count && i < got; i++)
		lg_resident_remove(pager, handles[i]);
	lg_pager_unlock(pager, signals);
	return got == count;
}

/* In the map before it is touched. Under the lock. */
static void fill_ahead(struct lg_map *map, uint64_t page, uint32_t handle)
{
	lg_resident_fill(map, handle, LG_REFERENCE_PREFETCH);
	lg_trace_note(&map->pager->trace, LG_TRACE_PREFETCH, map->index, page, map->shift);
}

/* They are in the map: their words say so. What arrives writable may be written to and nobody be told. */
static void release_mapped(struct lg_map *map, uint64_t first, uint64_t count,
			   const uint32_t *handles, enum lg_page_state state)
{
	for (uint64_t i = 0; i < count; i++) {
		lg_word *word = &map->words[first + i];

		lg_word_release(word, lg_word_with_state(lg_word_with_handle(lg_load_relaxed(word),
									     handles[i]),
							 state));
	}
	if (state == LG_PAGE_DIRTY && count > 0)
		lg_flush_note(map->pager);
}

/*
 * The pages are in the map. The first is what was touched: with others, it is of their kind to the policy, or each run would
 * leave with a hole.
 */
static void publish(struct lg_map *map, uint64_t first, uint64_t count, const uint32_t *handles,
		    enum lg_page_state state, enum lg_os_access access)
{
	uint64_t signals = lg_pager_lock(map->pager);

	if (count > 1)
		lg_resident_arrive(map, handles[0], reference_of(access));
	else
		lg_resident_fill(map, handles[0], reference_of(access));
	for (uint64_t i = 1; i < count; i++)
		fill_ahead(map, first + i, handles[i]);
	lg_recent_note(map, first);
	lg_pager_unlock(map->pager, signals);
	release_mapped(map, first, count, handles, state);
}

static void remove_residents(struct lg_map *map, uint64_t count, const uint32_t *handles)
{
	uint64_t signals = lg_pager_lock(map->pager);

	for (uint64_t i = 0; i < count; i++)
		lg_resident_remove(map->pager, handles[i]);
	lg_pager_unlock(map->pager, signals);
}

/* --- copied in ---------------------------------------------------------------------------------- */

/*
 * The kernel may lack memory for a moment. What arrives writable may have been written to before the rest is in: it cannot be
 * taken back, and the kernel is asked until it has memory for all. What is write-protected, or read-only, is dropped where the
 * rest fails; and all where the program closed the descriptor: what is out reads zero then.
 */
int lg_fill_copy(struct lg_map *map, uint64_t first, uint64_t count, const void *from,
		 bool protected, bool begun)
{
	char *to = lg_map_page_at(map, first);
	size_t bytes = count << map->shift, done = 0, got;
	bool writable = !protected && !map->readonly;
	unsigned tries = 0;
	int error;

	for (;;) {
		error = lg_os_userfault_copy(&map->pager->userfault, to + done,
					     (const char *)from + done, bytes - done, protected,
					     &got);
		done += got;
		if (error == 0)
			break;
		bool may_fail = !writable || (done == 0 && !begun) || error == -EBADF;
		if (may_fail && (error != -ENOMEM || ++tries == TRIES_MOST))
			break;
		LG_REQUIRE(error == -ENOMEM);
		lg_os_sleep_us(PAUSE_US);
	}
	if (error != 0 && done > 0)
		(void)lg_os_drop(to, bytes);
	return error;
}

static enum lg_page_state state_after_copy(const struct lg_map *map, enum lg_os_access access)
{
	return map->readonly || (map->protects && access != LG_OS_ACCESS_WRITE) ? LG_PAGE_CLEAN :
										  LG_PAGE_DIRTY;
}

/* What arrives so: a read-only map needs no protection. */
static bool is_protected(const struct lg_map *map, enum lg_page_state state)
{
	return state == LG_PAGE_CLEAN && !map->readonly;
}

/* Of what the store has. */
static enum lg_page_state state_after_read(const struct lg_map *map, enum lg_os_access access)
{
	return state_after_copy(map, lg_map_expects_writes(map) ? LG_OS_ACCESS_WRITE : access);
}

/* Writable, but as the store has them. */
static void note_hashes(struct lg_map *map, const uint32_t *handles, uint64_t count,
			const char *from)
{
	for (uint64_t i = 0; i < count; i++)
		lg_resident_set_hash(
			&map->pager->residents, handles[i],
			lg_content_hash(from + (i << map->shift), lg_map_page_bytes(map)));
}

static int fill_copied(struct lg_map *map, uint64_t first, uint64_t count, enum lg_os_access access,
		       bool zero, bool *unreadable)
{
	struct lg_pager *pager = map->pager;
	enum lg_page_state state = zero ? state_after_copy(map, access) :
					  state_after_read(map, access);
	uint32_t handles[LG_BATCH];
	uint64_t bytes = count << map->shift;
	void *buffer = NULL;

	if (!zero)
		lg_share_take(map, 2 * bytes);
	int error = zero ? lg_budget_take(pager, bytes, false) :
			   lg_staging_take(pager, bytes, bytes, false, &buffer);
	if (error != 0)
		goto undo_share;
	if (!add_residents(map, first, count, handles)) {
		error = -ENOMEM;
		goto undo_budget;
	}
	if (!zero) {
		error = lg_transfer_read(map, first, count, buffer);
		*unreadable = error != 0;
		if (error != 0)
			goto undo_residents;
		if (state == LG_PAGE_DIRTY && access != LG_OS_ACCESS_WRITE)
			note_hashes(map, handles, count, buffer);
	}
	error = lg_fill_copy(map, first, count, zero ? zeros : buffer, is_protected(map, state),
			     false);
	if (error != 0)
		goto undo_residents;
	if (buffer != NULL)
		lg_staging_give(pager, buffer);
	if (!zero)
		lg_share_give(map, 2 * bytes);
	publish(map, first, count, handles, state, access);
	return 0;
undo_residents:
	remove_residents(map, count, handles);
undo_budget:
	if (buffer != NULL)
		lg_staging_give(pager, buffer);
	lg_budget_give(pager, bytes);
undo_share:
	if (!zero)
		lg_share_give(map, 2 * bytes);
	give_up_unread(map, first, count, error, unreadable);
	return error;
}

/* --- moved in ----------------------------------------------------------------------------------- */

/* A frame with the page's contents: read by `read`; NULL: zeros. */
static int fill_frame(struct lg_map *map, uint64_t page,
		      int (*read)(struct lg_map *map, uint64_t page, uint64_t count, void *buffer),
		      uint32_t *frame, bool *unreadable)
{
	struct lg_frames *frames = lg_pager_frames(map->pager, map->shift);
	bool is_zero;
	int error =
		lg_limbo_frame(map->pager, frames, read == lg_transfer_read_ahead, frame, &is_zero);

	if (error != 0)
		return error;
	if (read == NULL && !is_zero)
		memset(lg_frame_at(frames, *frame), 0, lg_map_page_bytes(map));
	if (read != NULL)
		error = read(map, page, 1, lg_frame_at(frames, *frame));
	*unreadable = error != 0;
	if (error != 0)
		lg_pager_put_frames(map->pager, frames, *frame, 1, LG_FRAME_FREE);
	return error;
}

static int load_frame(struct lg_map *map, uint64_t page,
		      int (*read)(struct lg_map *map, uint64_t page, uint64_t count, void *buffer),
		      uint32_t *frame, bool *unreadable)
{
	if (read != lg_transfer_read)
		return fill_frame(map, page, read, frame, unreadable);
	lg_share_take(map, lg_map_page_bytes(map));
	int error = fill_frame(map, page, read, frame, unreadable);
	lg_share_give(map, lg_map_page_bytes(map));
	return error;
}

static int fill_moved(struct lg_map *map, uint64_t page, enum lg_os_access access, bool zero,
		      bool *unreadable)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	uint32_t handle, frame;
	int error = load_frame(map, page, zero ? NULL : lg_transfer_read, &frame, unreadable);

	if (error != 0)
		goto undo_claim;
	if (!add_residents(map, page, 1, &handle)) {
		error = -ENOMEM;
		goto undo_frame;
	}
	if (!zero && access != LG_OS_ACCESS_WRITE)
		note_hashes(map, &handle, 1, lg_frame_at(frames, frame));
	error = lg_limbo_move_in(map, page, frame, lg_map_page_bytes(map));
	if (error != 0) {
		remove_residents(map, 1, &handle);
		goto undo_frame;
	}
	lg_pager_put_frames(pager, frames, frame, 1, LG_FRAME_EMPTY);
	publish(map, page, 1, &handle, LG_PAGE_DIRTY, access);
	return 0;
undo_frame:
	lg_pager_put_frames(pager, frames, frame, 1, LG_FRAME_FREE);
undo_claim:
	give_up_unread(map, page, 1, error, unreadable);
	return error;
}

int lg_fill(struct lg_map *map, uint64_t first, uint64_t count, enum lg_os_access access,
	    bool *poisoned)
{
	bool zero = lg_map_is_zero(map, lg_load_relaxed(&map->words[first])), unreadable = false;

	*poisoned = false;
	if (lg_renew_is_due(map, first, first + count)) {
		give_up(map, first, count);
		return -ESTALE;
	}
	int error = map->huge ? fill_moved(map, first, access, zero, &unreadable) :
				fill_copied(map, first, count, access, zero, &unreadable);

	if (error == 0 && zero)
		lg_pager_count(map->pager, zero_fills, count);
	if (error == 0 && !zero)
		lg_map_count_wanted(map, count);
	if (error == 0)
		lg_probe_fill(lg_map_page_at(map, first), count << map->shift);
	if (error == 0 && access == LG_OS_ACCESS_WRITE)
		lg_pager_count(map->pager, bytes_dirtied, count << map->shift);
	*poisoned = unreadable;
	if (*poisoned)
		error = lg_poison_answer(map, error);
	return error;
}

/* --- ahead -------------------------------------------------------------------------------------- */

/* A HELD frame with contents becomes the page's, in limbo. */
static void enter_limbo(struct lg_map *map, uint64_t page, uint32_t handle, uint32_t frame,
			uint64_t ahead)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	struct lg_resident *resident = lg_resident_at(&pager->residents, handle);
	uint64_t word = lg_load_relaxed(&map->words[page]), signals = lg_pager_lock(pager);

	resident->frame = frame;
	resident->ahead = ahead & 0x1fff;
	frames->table[frame].handle = handle;
	lg_frame_put(frames, frame, LG_FRAME_AHEAD);
	/* Those of streams that ended make room for these: they are as others of limbo then. */
	while (lg_frame_bytes(frames, LG_FRAME_AHEAD) > lg_prefetch_most(pager))
		lg_frame_put(frames, lg_frame_first(frames, LG_FRAME_AHEAD), LG_FRAME_CLEAN);
	lg_word_release(&map->words[page],
			lg_word_with_state(lg_word_with_handle(word, handle), LG_PAGE_LIMBO) |
				LG_WORD_AHEAD);
	lg_pager_unlock(pager, signals);
}

static int ahead_moved(struct lg_map *map, uint64_t page)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	uint32_t handle, frame;
	bool unreadable = false;
	int error = load_frame(map, page, lg_transfer_read_ahead, &frame, &unreadable);

	if (error == 0 && !add_residents(map, page, 1, &handle)) {
		lg_pager_put_frames(pager, frames, frame, 1, LG_FRAME_FREE);
		error = -ENOMEM;
	}
	if (error != 0) {
		give_up(map, page, 1);
		return error;
	}
	note_hashes(map, &handle, 1, lg_frame_at(frames, frame));
	enter_limbo(map, page, handle, frame, 1);
	return 0;
}

/* The marker's copy, in a frame; false: there is no frame, and it goes into the map as the others. */
static bool mark(struct lg_map *map, const void *from, uint32_t *frame)
{
	struct lg_pager *pager = map->pager;
	struct lg_frames *frames = lg_pager_frames(pager, map->shift);
	size_t bytes = lg_map_page_bytes(map), done;
	uint64_t signals = lg_pager_lock(pager);
	bool found = lg_frame_take(frames, 1, frame) == 1;

	lg_pager_unlock(pager, signals);
	if (!found)
		return false;
	if (lg_os_userfault_copy(pager->to_frames, lg_frame_at(frames, *frame), from, bytes, false,
				 &done) == 0)
		return true;
	(void)lg_os_drop(lg_frame_at(frames, *frame), bytes);
	lg_pager_put_frames(pager, frames, *frame, 1, LG_FRAME_EMPTY);
	return false;
}

/* The pages before and behind the marker; without one, all. */
static int copy_around(struct lg_map *map, uint64_t first, uint64_t count, uint64_t before,
		       const char *buffer, enum lg_page_state state)
{
	bool protected = is_protected(map, state);
	int error = 0;

	if (before > 0)
		error = lg_fill_copy(map, first, before, buffer, protected, false);
	if (error == 0 && before + 1 < count) {
		error = lg_fill_copy(map, first + before + 1, count - before - 1,
				     buffer + ((before + 1) << map->shift), protected, before > 0);
		if (error != 0 && before > 0)
			(void)lg_os_drop(lg_map_page_at(map, first), before << map->shift);
	}
	return error;
}

/* Without a marker nothing will tell when they are touched: they are the policy's at once. */
static void publish_ahead(struct lg_map *map, uint64_t first, uint64_t count,
			  const uint32_t *handles, enum lg_page_state state)
{
	uint64_t signals = lg_pager_lock(map->pager);

	for (uint64_t i = 0; i < count; i++)
		fill_ahead(map, first + i, handles[i]);
	lg_pager_unlock(map->pager, signals);
	release_mapped(map, first, count, handles, state);
}

/* The marker, in its frame, is behind the first `before` pages. */
static void publish_piece(struct lg_map *map, uint64_t first, uint64_t count, uint64_t before,
			  const uint32_t *handles, uint32_t frame, enum lg_page_state state)
{
	struct lg_pager *pager = map->pager;
	uint64_t marker = first + before;

	for (uint64_t page = first; page < first + count; page++)
		if (page != marker)
			lg_or_relaxed(&map->words[page], LG_WORD_ASIDE);
	release_mapped(map, first, before, handles, state);
	release_mapped(map, marker + 1, count - before - 1, handles + before + 1, state);
	if (count > 1) {
		uint64_t signals = lg_pager_lock(pager);

		lg_piece_add(map, first, count, marker);
		lg_pager_unlock(pager, signals);
	}
	enter_limbo(map, marker, handles[before], frame, count);
}

/* Into a buffer, with memory for the pages. */
static int read_ahead(struct lg_map *map, uint64_t first, uint64_t count, void **buffer)
{
	struct lg_pager *pager = map->pager;
	uint64_t bytes = count << map->shift;

	int error = lg_staging_take(pager, bytes, bytes, true, buffer);
	if (error != 0)
		return error;
	error = lg_transfer_read_ahead(map, first, count, *buffer);
	if (error != 0) {
		lg_staging_give(pager, *buffer);
		lg_budget_give(pager, bytes);
	}
	return error;
}

static int ahead_copied(struct lg_map *map, uint64_t first, uint64_t count, uint64_t marker)
{
	struct lg_pager *pager = map->pager;
	uint64_t bytes = count << map->shift;
	enum lg_page_state state = state_after_read(map, LG_OS_ACCESS_READ);
	uint32_t handles[1 << (LG_PAGE_SHIFT_HUGE - LG_PAGE_SHIFT_MIN)], frame = LG_FRAME_NONE;
	void *buffer;
	int error = read_ahead(map, first, count, &buffer);

	if (error != 0)
		goto undo_claims;
	if (!add_residents(map, first, count, handles)) {
		error = -ENOMEM;
		goto undo_budget;
	}
	bool marked = mark(map, (char *)buffer + ((marker - first) << map->shift), &frame);
	uint64_t before = marked ? marker - first : count;
	if (state == LG_PAGE_DIRTY)
		note_hashes(map, handles, count, buffer);
	error = copy_around(map, first, count, before, buffer, state);
	if (error != 0)
		goto undo_residents;
	lg_staging_give(pager, buffer);
	if (marked)
		publish_piece(map, first, count, before, handles, frame, state);
	else
		publish_ahead(map, first, count, handles, state);
	return 0;
undo_residents:
	if (marked) {
		lg_pager_put_frames(pager, lg_pager_frames(pager, map->shift), frame, 1,
				    LG_FRAME_FREE);
		bytes -= lg_map_page_bytes(map); /* the frame keeps its memory */
	}
	remove_residents(map, count, handles);
undo_budget:
	lg_staging_give(pager, buffer);
	lg_budget_give(pager, bytes);
undo_claims:
	give_up(map, first, count);
	return error;
}

int lg_fill_ahead(struct lg_map *map, uint64_t first, uint64_t count, uint64_t marker)
{
	int error = 0;

	if (lg_renew_is_due(map, first, first + count)) {
		give_up(map, first, count);
		return -ESTALE;
	}
	if (!map->huge) {
		error = ahead_copied(map, first, count, marker);
	} else {
		for (uint64_t page = first; page < first + count; page++) {
			if (error == 0)
				error = ahead_moved(map, page);
			else
				give_up(map, page, 1);
		}
	}
	if (error == 0)
		lg_map_count_ahead(map, count);
	return error;
}

/* --- on their way ------------------------------------------------------------------------------- */

static void publish_arrived(struct lg_map *map, uint64_t first, uint64_t count,
			    const uint32_t *handles, enum lg_page_state state, enum lg_arrival how)
{
	if (how == LG_ARRIVAL_DEMANDED) {
		publish(map, first, count, handles, state, LG_OS_ACCESS_READ);
	} else if (how == LG_ARRIVAL_PIECE) {
		for (uint64_t page = first; page < first + count; page++)
			lg_or_relaxed(&map->words[page], LG_WORD_ASIDE);
		release_mapped(map, first, count, handles, state);
	} else {
		publish_ahead(map, first, count, handles, state);
	}
	if (how == LG_ARRIVAL_DEMANDED || how == LG_ARRIVAL_BESIDE)
		lg_map_count_wanted(map, count);
	lg_probe_fill(lg_map_page_at(map, first), count << map->shift);
}

int lg_fill_arrived(struct lg_map *map, uint64_t first, uint64_t count, const void *data,
		    enum lg_arrival how, uint64_t piece)
{
	enum lg_page_state state = state_after_read(map, LG_OS_ACCESS_READ);
	uint32_t handles[LG_BATCH], frame;

	LG_ASSERT(count <= LG_BATCH);
	if (!add_residents(map, first, count, handles))
		return -ENOMEM;
	if (how == LG_ARRIVAL_MARKER && mark(map, data, &frame)) {
		enter_limbo(map, first, handles[0], frame, piece);
		return 0;
	}
	if (state == LG_PAGE_DIRTY)
		note_hashes(map, handles, count, data);
	int error = lg_fill_copy(map, first, count, data, is_protected(map, state), false);
	if (error != 0) {
		remove_residents(map, count, handles);
		return error;
	}
	publish_arrived(map, first, count, handles, state, how);
	return 0;
}
