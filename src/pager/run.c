/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/run.h"

#include "os/map.h"
#include "pager/budget.h"
#include "pager/hole.h"
#include "pager/map.h"
#include "pager/refused.h"
#include "pager/transfer.h"

#include <errno.h>

/* Pages of one write; a signal handler's stack may be small. */
enum { PAGES_MOST = 32 };

bool lg_run_has_limbo(const struct lg_map *map)
{
	return map->pager->userfault.can_move && !map->readonly;
}

void lg_run_note_clean(struct lg_map *map)
{
	lg_forecast_note(&map->forecast, false);
	lg_pager_count(map->pager, evictions_clean, 1);
}

/* --- they stay ---------------------------------------------------------------------------------- */

/* The policy has them again. */
static void keep(const struct lg_run *run, enum lg_taker taker)
{
	struct lg_map *map = run->map;
	struct lg_pager *pager = map->pager; /* the map may be gone with its last page */
	uint64_t signals = lg_pager_lock(pager);

	for (uint64_t page = run->first; page < run->first + run->count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		if (taker == LG_TAKER_CALL)
			lg_resident_fill(map, lg_word_handle(word), LG_REFERENCE_WRITE);
		else
			lg_resident_put_back(map, lg_word_handle(word));
		lg_word_release(&map->words[page], word);
	}
	lg_pager_unlock(pager, signals);
}

void lg_run_refuse(const struct lg_run *run)
{
	struct lg_map *map = run->map;
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_pager_lock(pager);

	for (uint64_t page = run->first; page < run->first + run->count; page++) {
		lg_refused_add(map, lg_word_handle(lg_load_relaxed(&map->words[page])));
		lg_add_relaxed(&pager->residents.refusals, 1);
		lg_word_release(&map->words[page],
				lg_load_relaxed(&map->words[page])); /* ASIDE now */
	}
	lg_pager_unlock(pager, signals);
}

void lg_run_refuse_busy(struct lg_map *map, uint64_t page)
{
	lg_pager_count(map->pager, evictions_busy, 1);
	lg_run_refuse(&(struct lg_run){ map, page, 1 });
}

/* --- they are dropped --------------------------------------------------------------------------- */

uint64_t lg_run_forget(const struct lg_run *run)
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
			lg_run_note_clean(map);
		lg_resident_remove(pager, lg_word_handle(word));
		lg_word_release(&map->words[page], lg_word_with_state(word, LG_PAGE_OUT));
	}
	lg_pager_unlock(pager, signals);
	return bytes;
}

/* Out of the map and out of memory; the store has it. */
static void drop(const struct lg_run *run)
{
	struct lg_pager *pager = run->map->pager; /* the map may be gone with its last page */

	(void)lg_os_drop(lg_map_page_at(run->map, run->first), run->count << run->map->shift);
	lg_budget_give(pager, lg_run_forget(run));
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

uint64_t lg_run_drop(const struct lg_run *run)
{
	struct lg_map *map = run->map;
	struct lg_pager *pager = map->pager;
	uint64_t out = 0;

	if (lg_os_advise(lg_map_page_at(map, run->first), run->count << map->shift, LG_OS_DROP) !=
	    -EINVAL) {
		lg_budget_give(pager, lg_run_forget(run));
		return run->count;
	}
	bool stays = locks_keep(pager);
	for (uint64_t i = 0; i < run->count; i++) {
		struct lg_run page = { map, run->first + i, 1 };

		if (stays && is_locked_in_memory(map, page.first)) {
			lg_run_refuse_busy(map, page.first);
		} else {
			drop(&page);
			out++;
		}
	}
	return out;
}

/* --- who writes, and when ----------------------------------------------------------------------- */

/* Where limbo is full, a touch, which may be in a signal handler, leaves some to the writers. */
static bool can_write(const struct lg_map *map, enum lg_taker taker)
{
	const struct lg_pager *pager = map->pager;

	return !lg_run_has_limbo(map) ||
	       (pager->userfault.can_protect &&
		(taker != LG_TAKER_TOUCH || map->store->signal_safe || pager->in_threads));
}

static bool refuses_beside_limbo(const struct lg_map *map)
{
	return lg_run_has_limbo(map) && lg_load_relaxed(&map->refuses);
}

/* Not to be tried now; where there is limbo, not by a touch, which may be another map's. */
static bool is_spared(const struct lg_map *map, enum lg_taker taker)
{
	return taker != LG_TAKER_CALL &&
	       (lg_transfer_rests(map) || (taker == LG_TAKER_TOUCH && refuses_beside_limbo(map)));
}

/* Limbo is full, but no store refuses what is in it: there will be room. */
static bool waits_for_room(const struct lg_map *map)
{
	const struct lg_pager *pager = map->pager;

	return lg_load_relaxed(&pager->retrying) == 0 &&
	       lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) == 0;
}

/* Of a touch, or of a writer: whoever evicts in place of the writers counts as one. */
static struct lg_crew *crew_of(struct lg_pager *pager, enum lg_taker taker)
{
	return taker == LG_TAKER_WRITER ? &pager->writers : &pager->helpers;
}

static uint32_t *at_work_for(struct lg_map *map, enum lg_taker taker)
{
	return taker == LG_TAKER_WRITER ? &map->writers : &map->helpers;
}

bool lg_run_may_write(struct lg_map *map, enum lg_taker taker)
{
	struct lg_pager *pager = map->pager;

	if (is_spared(map, taker) || !can_write(map, taker))
		return false;
	if (taker == LG_TAKER_CALL)
		return true;
	if (taker == LG_TAKER_TOUCH && lg_transfer_lags(map))
		return false;
	uint64_t signals = lg_pager_lock(pager);
	bool may = lg_crew_may_enter(crew_of(pager, taker), *at_work_for(map, taker));
	lg_pager_unlock(pager, signals);
	return may;
}

void lg_run_stay(const struct lg_run *run, enum lg_taker taker)
{
	const struct lg_map *map = run->map;
	bool others_first = is_spared(map, taker) ||
			    (taker == LG_TAKER_WRITER && lg_transfer_lags(map)) ||
			    !(can_write(map, taker) || waits_for_room(map));

	if (taker == LG_TAKER_CALL || !others_first)
		keep(run, taker);
	else
		lg_run_refuse(run);
}

static bool enter_store(struct lg_map *map, enum lg_taker taker)
{
	struct lg_pager *pager = map->pager;

	if (taker == LG_TAKER_CALL)
		return true;
	uint64_t signals = lg_pager_lock(pager);
	bool entered = lg_crew_enter(crew_of(pager, taker), at_work_for(map, taker));
	lg_pager_unlock(pager, signals);
	return entered;
}

/* While some of the map's pages are claimed: it may be gone with the last. */
static void leave_store(struct lg_map *map, enum lg_taker taker)
{
	struct lg_pager *pager = map->pager;

	if (taker == LG_TAKER_CALL)
		return;
	uint64_t signals = lg_pager_lock(pager);
	lg_crew_leave(crew_of(pager, taker), at_work_for(map, taker));
	lg_pager_unlock(pager, signals);
}

/* --- they are written --------------------------------------------------------------------------- */

/* Not what the program has made unreadable, nor, where that stays, what it has locked. */
static bool may_leave(const struct lg_map *map, uint64_t first, uint64_t count)
{
	void *at = lg_map_page_at(map, first);
	size_t bytes = count << map->shift;

	return lg_os_is_readable(at, bytes) &&
	       !(locks_keep(map->pager) && lg_os_is_locked(at, bytes));
}

/* Write-protected. */
static int write_pages(const struct lg_run *run)
{
	struct lg_map *map = run->map;
	const void *places[PAGES_MOST];

	for (uint64_t i = 0; i < run->count; i++) {
		lg_word *word = &map->words[run->first + i];

		places[i] = lg_map_page_at(map, run->first + i);
		lg_or_release(word, LG_WORD_STORED); /* or some of it, if that fails */
		/* It may be as the store has it: to see that would take a handler's stack. It is written, and counts. */
		lg_map_forget_hash(map, lg_load_relaxed(word));
	}
	int error = lg_os_userfault_protect(&map->pager->userfault, lg_map_page_at(map, run->first),
					    run->count << map->shift);

	return error != 0 ? error :
			    lg_transfer_write(&(struct lg_write){ .map = map,
								  .page = run->first,
								  .count = run->count,
								  .places = places });
}

/* Pages that may leave. */
static uint64_t write_and_drop(const struct lg_run *run, enum lg_taker taker, int *error)
{
	struct lg_map *map = run->map;

	if (!enter_store(map, taker)) {
		lg_run_stay(run, taker);
		return 0;
	}
	int failed = write_pages(run);
	leave_store(map, taker);
	if (failed == 0) {
		drop(run);
		return run->count;
	}
	*error = *error == 0 ? failed : *error;
	(void)lg_os_userfault_unprotect(&map->pager->userfault, lg_map_page_at(map, run->first),
					run->count << map->shift);
	lg_run_refuse(run);
	return 0;
}

/* No recursion: a signal handler's stack may be small. */
static uint64_t write_what_may_leave(const struct lg_run *run, enum lg_taker taker, int *error)
{
	struct lg_map *map = run->map;
	uint64_t out = 0, some;

	(void)lg_hole_fill(map, run->first, run->count);
	for (uint64_t done = 0; done < run->count; done += some) {
		uint64_t first = run->first + done;
		bool leave;

		some = run->count - done;
		while (!(leave = may_leave(map, first, some)) && some > 1)
			some /= 2;
		if (leave)
			out += write_and_drop(&(struct lg_run){ map, first, some }, taker, error);
		else /* until the program lets it: others leave before it */
			lg_run_refuse_busy(map, first);
	}
	return out;
}

/* A store that refused, by a writer: or it is spared. */
static uint64_t try_again(const struct lg_run *run, enum lg_taker taker, int *error)
{
	struct lg_pager *pager = run->map->pager;
	uint64_t until, out;

	if (!lg_transfer_begin_try(pager, &until)) {
		lg_run_refuse(run);
		return 0;
	}
	out = write_what_may_leave(run, taker, error);
	lg_transfer_end_try(pager, until);
	return out;
}

uint64_t lg_run_write(const struct lg_run *run, enum lg_taker taker, int *error)
{
	uint64_t out = 0;

	for (uint64_t done = 0, some; done < run->count; done += some) {
		some = lg_min(run->count - done, PAGES_MOST);
		const struct lg_run part = { run->map, run->first + done, some };
		out += taker == LG_TAKER_WRITER && refuses_beside_limbo(run->map) ?
			       try_again(&part, taker, error) :
			       write_what_may_leave(&part, taker, error);
	}
	return out;
}
