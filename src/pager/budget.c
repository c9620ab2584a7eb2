/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/budget.h"

#include "os/clock.h"
#include "pager/evict.h"
#include "pager/limbo.h"
#include "pager/pager.h"
#include "pager/pin.h"
#include "pager/writeback.h"
#include "pager/writer.h"

#include <errno.h>

enum {
	MARK_PART = 16,
	LIMBO_PART = 8, /* of the budget, before writing comes before evicting */
	WAIT_MS = 10,
	AWAITS_MOST = 4,
	WRITE_MS = 2, /* some memory comes in that time, where writes succeed */
	TURNS_MOST = 1000,
	IN_VAIN_MS = TURNS_MOST * WAIT_MS,
	TURNS_LEAST = 20,
	TURNS_FAILING = 50, /* when the store refuses writes */
	TRIES_MOST = 32,
	SPARE_MS = 1000, /* since nobody was given memory for a turn */
	KEEPING_MS = 250,
	LEAVING_MS = 2000, /* to the others, after keeping it was in vain */
	TABLES_PART = 16,
	SPARED_PART = 4, /* of the budget, that nobody can have beside the rest: some pages stay */
};

#define TABLES_FREE LG_MIB(1)
#define KEPT_LEAST LG_MIB(1)
/* Of `charged`, which is in whole pages: how often the budget was set. */
#define RESIZES (LG_KIB(4) - 1)

uint64_t lg_budget_room(const struct lg_pager *pager, uint64_t budget)
{
	uint64_t tables = lg_load_relaxed(&pager->tables), pinned = lg_load_relaxed(&pager->pinned);
	uint64_t needed = pinned + LG_PIN_LEAVES * lg_pager_page_most(pager);
	uint64_t most = lg_min(budget / TABLES_PART, (budget - lg_min(budget, needed)) / 2);

	return budget - lg_min(tables - lg_min(tables, TABLES_FREE), most);
}

enum { OF_A_PAGE = 512 }; /* links */

/* Pages of few handles that lie far apart have no more of a table than so many pages of it, of links for the most part. */
static uint32_t handles_met(const struct lg_policy_use *use)
{
	return (uint32_t)lg_min(use->handles, use->given * OF_A_PAGE);
}

/* The same of the links of what was refused. */
static uint64_t links_met(const struct lg_residents *residents)
{
	return lg_min(residents->used, (uint64_t)lg_load_relaxed(&residents->refusals) * OF_A_PAGE);
}

void lg_budget_note_tables(struct lg_pager *pager)
{
	const struct lg_residents *residents = &pager->residents;
	uint64_t bytes = (uint64_t)residents->used *
			 (sizeof(struct lg_resident) + sizeof(*residents->hashes));

	bytes += lg_load_relaxed(&pager->word_bytes);
	bytes += links_met(residents) * sizeof(*residents->links);
	for (const struct lg_policy_use *use = residents->uses;
	     use < residents->uses + LG_POLICY_USES && use->state != NULL; use++)
		bytes += lg_policy_bytes(use->policy.ops, use->state, handles_met(use));
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++)
		if (lg_frames_are_made(&pager->frames[i]))
			bytes += (uint64_t)pager->frames[i].used * sizeof(struct lg_frame);
	lg_store_relaxed(&pager->tables, bytes);
}

static uint64_t room(const struct lg_pager *pager)
{
	return lg_budget_room(pager, lg_load_relaxed(&pager->budget));
}

uint64_t lg_budget_charged(const struct lg_pager *pager)
{
	return lg_load_acquire(&pager->charged) & ~RESIZES; /* B1 */
}

/* `kept` of the room are somebody else's. */
static bool try_beside(struct lg_pager *pager, uint64_t bytes, uint64_t kept)
{
	uint64_t seen = lg_load_acquire(&pager->charged), charged, peak; /* B1 */

	do {
		charged = (seen & ~RESIZES) + bytes;
		if (charged + kept > room(pager))
			return false;
	} while (!lg_cas_ordered(&pager->charged, &seen, seen + bytes)); /* B1 */
	peak = lg_load_relaxed(&pager->peak);
	while (charged > peak && !lg_cas_relaxed(&pager->peak, &peak, charged))
		;
	return true;
}

/* By somebody else. He may be in a call of a store, and nobody waits for its end. */
static uint64_t kept_beside(const struct lg_pager *pager, const struct lg_budget_wait *wait)
{
	uint64_t kept = lg_load_relaxed(&pager->kept);

	if (LG_LIKELY(kept == 0) || wait->keeps)
		return 0;
	return lg_os_now_ms() < lg_load_relaxed(&pager->kept_until) ? kept : 0;
}

static void try_to_keep(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	uint64_t now = lg_os_now_ms(), nobody = 0;

	if (now < wait->until || !lg_cas_relaxed(&pager->kept, &nobody, wait->bytes))
		return;
	wait->keeps = true;
	wait->until = now + KEEPING_MS;
	lg_store_relaxed(&pager->kept_until, wait->until);
}

/* Nothing was given back: the turns of those who wait are in vain, too. */
static void leave_to_others(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	wait->keeps = false;
	wait->until = lg_os_now_ms() + LEAVING_MS;
	lg_store_relaxed(&pager->kept, (uint64_t)0);
	lg_os_wake_all(&pager->freed);
}

bool lg_budget_try(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	if (try_beside(pager, wait->bytes, kept_beside(pager, wait)))
		return true;
	if (!wait->ahead && !wait->keeps && wait->bytes >= KEPT_LEAST &&
	    ++wait->tries >= TRIES_MOST)
		try_to_keep(pager, wait);
	return false;
}

void lg_budget_end(struct lg_pager *pager, const struct lg_budget_wait *wait)
{
	if (!wait->keeps)
		return;
	lg_store_relaxed(&pager->kept, (uint64_t)0);
	lg_budget_announce(pager);
}

void lg_budget_give(struct lg_pager *pager, uint64_t bytes)
{
	lg_sub_release(&pager->charged, bytes);
	lg_budget_announce(pager);
}

void lg_budget_set(struct lg_pager *pager, uint64_t budget)
{
	uint64_t seen = lg_load_relaxed(&pager->charged);

	lg_store_relaxed(&pager->budget, budget);
	while (!lg_cas_ordered(&pager->charged, &seen,
			       (seen & ~RESIZES) | ((seen + 1) & RESIZES))) /* B1 */
		;
}

void lg_budget_announce(struct lg_pager *pager)
{
	lg_add_ordered(&pager->freed, 1);
	if (lg_load_ordered(&pager->waiting) > 0)
		lg_os_wake_all(&pager->freed);
}

uint64_t lg_budget_unpinned(const struct lg_pager *pager)
{
	uint64_t most = room(pager), pinned = lg_load_relaxed(&pager->pinned);

	return most - lg_min(pinned, most);
}

uint64_t lg_budget_unused(const struct lg_pager *pager)
{
	uint64_t charged = lg_budget_charged(pager), most = room(pager);

	return charged < most ? most - charged : 0;
}

uint64_t lg_budget_available(struct lg_pager *pager)
{
	return lg_budget_unused(pager) + lg_pager_frame_bytes(pager, LG_FRAME_FREE) +
	       lg_pager_frame_bytes(pager, LG_FRAME_CLEAN);
}

uint64_t lg_budget_mark(struct lg_pager *pager)
{
	return lg_min(lg_load_relaxed(&pager->budget) / MARK_PART, LG_MIB(256));
}

uint64_t lg_budget_wanted(struct lg_pager *pager)
{
	/* A buffer and the page that is made of it; what is read ahead is no more than the mark. */
	uint64_t fill = 2 * lg_pager_page_most(pager);

	return lg_max(lg_budget_mark(pager), lg_load_ordered(&pager->waiting) > 0 ? fill : 0);
}

static void wake_writers(struct lg_pager *pager)
{
	lg_add_ordered(&pager->work, 1);
	lg_os_wake_all(&pager->work);
}

void lg_budget_look(struct lg_pager *pager)
{
	if (lg_budget_available(pager) < lg_budget_mark(pager) / 2 &&
	    lg_load_relaxed(&pager->writers_asleep) > 0)
		wake_writers(pager);
}

/* Those that are spare are wanted where the others do not come back; beside those that do they would evict too much. */
static void ask_for_room(struct lg_pager *pager)
{
	wake_writers(pager);
	if (lg_os_now_ms() < lg_load_relaxed(&pager->spare_until))
		lg_writer_wake_spare(pager);
}

/*
 * Others write what is in limbo, where there is too much: who evicts beside them takes pages out that they do not come to. `freed` was
 * read before. False: that brought nothing, nobody does, or it was tried often enough, as others may have all that comes.
 */
static bool await_writes(struct lg_pager *pager, struct lg_budget_wait *wait, uint32_t freed)
{
	if (wait->awaits == AWAITS_MOST || !lg_transfer_goes_on(pager))
		return false;
	wait->awaits++;
	lg_add_ordered(&pager->waiting, 1);
	lg_budget_look(pager);
	lg_os_sleep_while(&pager->freed, freed, WRITE_MS);
	lg_sub_relaxed(&pager->waiting, 1);
	return lg_load_relaxed(&pager->freed) != freed;
}

bool lg_budget_reclaim(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	if (wait == NULL) /* writers have written what there was, each where he may */
		return lg_evict(pager, false) > 0;
	/* Only the writers call stores that may not be called inside a signal handler. */
	if (lg_load_relaxed(&pager->slow_stores) > 0) {
		lg_budget_look(pager);
		lg_writeback_set_aside(pager); /* what the writers may not come to for long */
		return pager->userfault.can_move &&
		       lg_pager_frame_bytes(pager, LG_FRAME_UNWRITTEN) == 0 &&
		       lg_evict(pager, true) > 0;
	}
	uint32_t freed = lg_load_ordered(&pager->freed);
	if (lg_pager_frame_bytes(pager, LG_FRAME_UNWRITTEN) >
		    lg_load_relaxed(&pager->budget) / LIMBO_PART &&
	    (lg_writeback(pager) > 0 || await_writes(pager, wait, freed)))
		return true;
	return lg_evict(pager, true) > 0 || lg_writeback(pager) > 0;
}

/* Nothing but what was refused waits to be written, and that there is. */
static bool waits_in_limbo(const struct lg_pager *pager)
{
	return lg_pager_frame_bytes(pager, LG_FRAME_UNWRITTEN) == 0 &&
	       (lg_load_relaxed(&pager->retrying) != 0 ||
		lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) > 0);
}

/* Without limbo nothing waits: pages are written where they are, and aside after they could not be. */
static bool is_aside(struct lg_pager *pager)
{
	uint64_t signals = lg_pager_lock(pager);
	bool some = pager->residents.refused_bytes > 0;

	lg_pager_unlock(pager, signals);
	return some;
}

int lg_budget_failure(struct lg_pager *pager)
{
	if (lg_load_relaxed(&pager->refusing) == 0 ||
	    lg_load_relaxed(&pager->writing) > lg_load_relaxed(&pager->doubtful))
		return 0;
	if (pager->userfault.can_move ? !waits_in_limbo(pager) : !is_aside(pager))
		return 0;
	return lg_load_relaxed(&pager->write_failure);
}

/*
 * In vain is what brought nobody memory while nobody waited for a store, which may take its time. One that fails is
 * written to again and again: only reads are waited for then. So many turns in succession are enough; of a store that
 * fails, so many in all.
 */
static bool is_in_vain(const struct lg_pager *pager, uint32_t freed, int failure)
{
	return lg_load_relaxed(&pager->freed) == freed && lg_load_relaxed(&pager->reading) == 0 &&
	       (failure != 0 || lg_load_relaxed(&pager->writing) == 0);
}

/*
 * A store that refused may work again, and nobody has asked it for a while: who waits for its pages has it tried, and
 * does not give up before. Once: then its pause is as long as before.
 */
static void ask_stores(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	if (wait->asks || wait->ahead)
		return;
	wait->asks = true;
	wait->asked = lg_add_release(&pager->asked, 1) + 1;
	lg_store_relaxed(&pager->look_at, (uint64_t)0);
}

/* Whoever waits may call every store there is. */
static bool is_left_alone(const struct lg_pager *pager, const struct lg_budget_wait *wait)
{
	return wait->turns >= TURNS_FAILING / 2 && lg_load_relaxed(&pager->slow_stores) == 0;
}

/*
 * Those that refuse are tried by the writers: a touch is not to wait for a store that it has nothing to do with. But all writers may
 * be in one that hangs: who waits long in vain tries them himself. It claims pages: a handler that touched one would wait for its own
 * thread.
 */
static bool try_himself(struct lg_pager *pager, const struct lg_budget_wait *wait)
{
	uint64_t signals = lg_os_signals_hold();
	bool gained = (is_left_alone(pager, wait) && lg_writeback_retry(pager) > 0) ||
		      (is_left_alone(pager, wait) && lg_evict(pager, false) > 0);

	lg_os_signals_release(signals);
	return gained;
}

/* A turn that tries many pages in vain may itself be long: so much time is enough, but not of a process that was stopped. */
static bool is_too_long(const struct lg_budget_wait *wait)
{
	if (wait->turns < TURNS_LEAST)
		return false;
	return wait->turns >= TURNS_MOST || lg_os_now_ms() - wait->in_vain_from >= IN_VAIN_MS;
}

static bool gives_up(const struct lg_pager *pager, const struct lg_budget_wait *wait, int failure)
{
	if (failure == 0)
		return is_too_long(wait);
	if (wait->turns < TURNS_FAILING)
		return false;
	/* Without limbo who waits tries them himself, as far as he may. */
	return !wait->asks || is_too_long(wait) || !pager->userfault.can_move ||
	       (int32_t)(lg_load_relaxed(&pager->answered) - wait->asked) >= 0;
}

/* `freed` was read before memory was last asked for: what is given back since then is not slept over. */
static int wait_since(struct lg_pager *pager, uint32_t freed, struct lg_budget_wait *wait)
{
	int failure = lg_budget_failure(pager);

	if (wait->keeps && lg_os_now_ms() >= wait->until) {
		leave_to_others(pager, wait);
		return 0;
	}
	if (gives_up(pager, wait, failure))
		return failure != 0 ? failure : -ENOMEM;
	if (failure != 0) {
		ask_stores(pager, wait);
		if (try_himself(pager, wait))
			return 0;
	}
	lg_add_ordered(&pager->waiting, 1);
	/* However much there is: it may be less than one page takes, and who waits may have to leave it to them. */
	ask_for_room(pager);
	lg_os_sleep_while(&pager->freed, freed, WAIT_MS);
	lg_sub_relaxed(&pager->waiting, 1);
	if (lg_load_relaxed(&pager->freed) == freed)
		lg_store_relaxed(&pager->spare_until, lg_os_now_ms() + SPARE_MS);
	if (is_in_vain(pager, freed, failure)) {
		if (wait->turns++ == 0)
			wait->in_vain_from = lg_os_now_ms();
	} else if (failure == 0) {
		wait->turns = 0;
	}
	return 0;
}

int lg_budget_sleep(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	return wait_since(pager, lg_load_relaxed(&pager->freed), wait);
}

bool lg_budget_free_used(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	return lg_limbo_retire(pager, wait->bytes) > 0 || lg_budget_reclaim(pager, wait) ||
	       lg_staging_drop(pager) > 0;
}

bool lg_budget_free(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	return lg_budget_free_used(pager, wait) || lg_limbo_retire_ahead(pager, wait->bytes) > 0;
}

static bool take_now(struct lg_pager *pager, struct lg_budget_wait *wait)
{
	while (!lg_budget_try(pager, wait))
		if (!lg_budget_free(pager, wait))
			return false;
	lg_budget_look(pager);
	return true;
}

bool lg_budget_take_now(struct lg_pager *pager, uint64_t bytes)
{
	/* Who does not wait keeps nothing either. */
	return take_now(pager, &(struct lg_budget_wait){ .bytes = bytes, .ahead = true });
}

int lg_budget_take(struct lg_pager *pager, uint64_t bytes, bool ahead)
{
	struct lg_budget_wait wait = { .bytes = bytes, .ahead = ahead };
	int error = 0;

	while (error == 0) {
		uint32_t freed = lg_load_ordered(&pager->freed);

		if (take_now(pager, &wait))
			break;
		uint64_t most = room(pager);
		if (bytes > most - most / SPARED_PART)
			error = -EAGAIN;
		else
			error = wait_since(pager, freed, &wait);
	}
	lg_budget_end(pager, &wait);
	return error;
}
