/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/sync.h"

#include "base/error.h"
#include "os/clock.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/content.h"
#include "pager/evict.h"
#include "pager/hole.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/tract.h"
#include "pager/transfer.h"
#include "pager/writeback.h"

#include <errno.h>

enum { RUN = 256, PAUSE_US = 100, ROUNDS_MOST = 32 };

/* By the kernel, the last time it was to leave; or limbo was full of what a store refuses. */
static bool is_refused(struct lg_map *map, uint64_t page, uint64_t word)
{
	if ((word & LG_WORD_ASIDE) == 0)
		return false;
	uint64_t signals = lg_pager_lock(map->pager);
	bool refused = lg_word_handle(lg_load_relaxed(&map->words[page])) == lg_word_handle(word) &&
		       lg_map_resident(map, word)->is_refused;
	lg_pager_unlock(map->pager, signals);
	return refused;
}

/* Where writes cannot be caught a page that is synced leaves. These cannot. */
static bool stays(struct lg_map *map, uint64_t page, uint64_t word)
{
	return (word & LG_WORD_STAYS) != 0 ||
	       (!map->pager->userfault.can_protect && is_refused(map, page, word));
}

/* Pages from `first` that are DIRTY and nobody's: claimed. All of them stay, or none. */
static uint64_t claim_run(struct lg_map *map, uint64_t first, uint64_t end, bool staying)
{
	uint64_t most = lg_max(LG_WRITE_BYTES >> map->shift, 1), count = 0;

	for (; first + count < end && count < lg_min(most, RUN); count++) {
		lg_word *word = &map->words[first + count];
		uint64_t seen = lg_load_relaxed(word);

		if (lg_word_state(seen) != LG_PAGE_DIRTY ||
		    stays(map, first + count, seen) != staying || !lg_word_claim(word, &seen))
			break;
	}
	return count;
}

/* They were written, or some of them. */
static void release_run(struct lg_map *map, uint64_t first, uint64_t count,
			enum lg_page_state state)
{
	for (uint64_t page = first; page < first + count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		lg_word_release(&map->words[page],
				lg_word_with_state(word, state) | LG_WORD_STORED);
	}
}

/* -EFAULT: it is PROT_NONE, as the program may make it at any time. */
static int hash_in_place(struct lg_map *map, uint64_t page, uint64_t *hash)
{
	enum { PART = 4096 };
	_Alignas(64) char part[PART];
	const char *at = lg_map_page_at(map, page);
	struct lg_content content;
	int error = 0;

	lg_content_begin(&content);
	for (size_t done = 0; done < lg_map_page_bytes(map); done += PART) {
		error = lg_os_copy_own(part, at + done, PART);
		if (error != 0)
			break;
		lg_content_add(&content, part, PART);
	}
	if (error == -EFAULT)
		return error;
	*hash = error == 0 ? lg_content_end(&content) : lg_content_hash(at, lg_map_page_bytes(map));
	return 0;
}

/* *stored: a page that is writable, but as the store has it. */
static int look_at(struct lg_map *map, uint64_t page, bool *stored)
{
	uint64_t hash = lg_map_hash(map, lg_load_relaxed(&map->words[page])), now = 0;
	int error = hash < LG_HASHES ? 0 : hash_in_place(map, page, &now);

	*stored = error == 0 && hash >= LG_HASHES && now == hash;
	return error;
}

static int write_out(struct lg_map *map, uint64_t first, uint64_t count)
{
	const void *places[RUN];
	uint64_t wanted = 0; /* those before page i that are neighbours, and not written yet */
	int error = 0;

	for (uint64_t i = 0; error == 0 && i < count; i++) {
		bool stored;

		error = look_at(map, first + i, &stored);
		if (error != 0)
			break;
		if (!stored) {
			places[wanted++] = lg_map_page_at(map, first + i);
			lg_map_forget_hash(map, lg_load_relaxed(&map->words[first + i]));
		}
		if (wanted > 0 && (stored || i == count - 1)) {
			error = lg_transfer_write(
				&(struct lg_write){ .map = map,
						    .page = first + i + (stored ? 0 : 1) - wanted,
						    .count = wanted,
						    .places = places });
			wanted = 0;
		}
	}
	return error;
}

static int check_readable(struct lg_map *map, uint64_t first, uint64_t count)
{
	(void)lg_hole_fill(map, first, count);
	return lg_os_is_readable(lg_map_page_at(map, first), count << map->shift) ? 0 : -EFAULT;
}

/* A claimed run, where it is or on its way out; what is released stays mapped. */
static int write_claimed(struct lg_map *map, uint64_t first, uint64_t count, bool in_place)
{
	struct lg_pager *pager = map->pager;
	char *at = lg_map_page_at(map, first);
	size_t bytes = count << map->shift;
	int error;

	error = check_readable(map, first, count);
	if (error != 0) {
		release_run(map, first, count, LG_PAGE_DIRTY);
		return error;
	}
	if (in_place) {
		error = write_out(map, first, count);
		release_run(map, first, count, LG_PAGE_DIRTY);
		return error;
	}
	if (!pager->userfault.can_protect) {
		/* Limbo may be full, or the kernel holds them; look again. */
		if (lg_evict_claimed(map, first, count, &error) == 0 &&
		    lg_limbo_retire(pager, bytes) == 0 && lg_writeback(pager) == 0)
			lg_os_sleep_us(PAUSE_US);
		return 0;
	}
	error = lg_os_userfault_protect(&pager->userfault, at, bytes);
	if (error == 0)
		error = write_out(map, first, count);
	if (error != 0)
		(void)lg_os_userfault_unprotect(&pager->userfault, at, bytes);
	release_run(map, first, count, error == 0 ? LG_PAGE_CLEAN : LG_PAGE_DIRTY);
	return error;
}

/* Pages from `first` that are DIRTY: *count, none if they are others' by now. */
static int write_run(struct lg_map *map, uint64_t first, uint64_t end, bool staying, bool in_place,
		     uint64_t *count)
{
	uint64_t signals = lg_os_signals_hold();
	int error = 0;

	*count = claim_run(map, first, end, staying);
	if (*count > 0)
		error = write_claimed(map, first, *count, in_place);
	lg_os_signals_release(signals);
	return error;
}

/* Of used tracts. */
static int write_used(struct lg_map *map, uint64_t first, uint64_t end, bool waits)
{
	uint64_t unreadable = 0; /* a page before this one; each is written by itself */
	unsigned rounds = 0;     /* of this page, out of the map */
	int result = 0, error;

	for (uint64_t page = first; page < end;) {
		uint64_t seen = lg_load_relaxed(&map->words[page]), count = 1;

		error = 0;
		if ((seen & LG_WORD_BUSY) != 0 && !waits) {
			page++;
			continue;
		}
		if ((seen & LG_WORD_BUSY) != 0) {
			(void)lg_word_wait(&map->words[page], seen);
			continue;
		}
		if (lg_word_state(seen) == LG_PAGE_DIRTY) {
			bool staying = stays(map, page, seen),
			     in_place = staying || rounds == ROUNDS_MOST;

			error = write_run(map, page, page < unreadable ? page + 1 : end, staying,
					  in_place, &count);
			/* They are in limbo now; or it is full for long, or they were touched. */
			if (error == 0 && !in_place && !map->pager->userfault.can_protect) {
				rounds++;
				continue;
			}
			if (error == -EFAULT && count > 1) {
				unreadable = page + count;
				continue;
			}
		} else {
			error = lg_writeback_neighbours(map, page, end, &count);
		}
		if (error != 0 && result == 0)
			result = error;
		page += count;
		rounds = 0;
	}
	return result;
}

int lg_sync_write(struct lg_map *map, uint64_t first, uint64_t end, bool waits)
{
	uint64_t to;
	int result = 0;

	for (uint64_t page = first; lg_tracts_next(map, &page, end, &to); page = to) {
		int error = write_used(map, page, to, waits);

		result = result == 0 ? error : result;
	}
	return result;
}

int lg_sync_and_flush(struct lg_map *map, uint64_t first, uint64_t end)
{
	int error = 0;

	if (!map->readonly && map->store->lasts) {
		error = lg_sync_write(map, first, end, true);
		int failed = map->store->calls->flush(map->store);
		error = error == 0 ? failed : error;
	}
	/* Its own is noted, too: another sync may take that, but must not take it away from this one. */
	int noted = lg_map_take_error(map);
	error = error == 0 ? noted : error;
	return error == 0 ?
		       0 :
		       lg_fail(-error, "pages could not be written: %s", lg_error_name(-error));
}

int lg_map_sync(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	lg_pager_count(map->pager, syncs, 1);
	return lg_sync_and_flush(map, first, end);
}
