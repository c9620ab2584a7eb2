/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/fault.h"

#include "os/clock.h"
#include "os/thread.h"
#include "pager/atlas.h"
#include "pager/fill.h"
#include "pager/flush.h"
#include "pager/hole.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/poison.h"
#include "pager/prefetch.h"
#include "pager/probe.h"
#include "pager/renew.h"

#include <errno.h>

/* What a fault turned out to be. */
struct outcome {
	enum lg_trace_kind kind;
	bool stalled;      /* the store, or another's work on the page, was waited for */
	bool ahead;        /* the page had been read ahead */
	bool followed;     /* the streams know of it */
	bool signal;       /* inside a signal handler */
	bool is_call;      /* of the library's, and nobody's touch */
	bool is_others;    /* a server's: who faulted sleeps until the page is there */
	bool poisoned;     /* the page is, and nobody can have it */
	unsigned asked;    /* how often a reader, or the store itself, was asked for the page */
	unsigned rejected; /* how often the queue had no room, in turn */
	unsigned failures; /* of these, while a demand of the map's failed */
	bool was_asked;    /* the last time: the queue had room */
	uint32_t failed_before; /* demands of the map's, by then */
};

/* Claims pages from `page` on that are CLEAN and nobody's, at most `most`: how many. */
static uint64_t claim_clean(struct lg_map *map, uint64_t page, uint64_t most)
{
	uint64_t count = 0;

	for (; count < most && page + count < map->pages; count++) {
		lg_word *word = &map->words[page + count];
		uint64_t seen = lg_load_relaxed(word);

		if (lg_word_state(seen) != LG_PAGE_CLEAN || !lg_word_claim(word, &seen))
			break;
	}
	return count;
}

/* Where the next write fault of a run will be: what is no CLEAN page becomes writable by itself. */
static uint64_t next_protected(const struct lg_map *map, uint64_t page)
{
	bool is_protected = page < map->pages &&
			    lg_word_state(lg_load_relaxed(&map->words[page])) == LG_PAGE_CLEAN;

	return is_protected ? page : page + 1;
}

/* How many pages are made writable, from `page` on: BUSY of all is ours. */
static uint64_t claim_around(struct lg_map *map, uint64_t page)
{
	enum { BUDGET_PART = 64 };
	uint64_t bytes = lg_min(LG_MIB(1), lg_load_relaxed(&map->pager->budget) / BUDGET_PART);
	uint64_t most = lg_min(lg_max(bytes >> map->shift, 1), LG_BATCH);
	uint64_t signals = lg_pager_lock(map->pager);
	struct lg_around_run *run = lg_around_step(&map->around, page, most);
	uint64_t count = 1 + claim_clean(map, page + 1, run->pages - 1);

	run->end = next_protected(map, page + count);
	lg_pager_unlock(map->pager, signals);
	return count;
}

/* They are writable, and none is touched but the first, as far as is known. What has a hash is counted when it turns out to differ. */
static void note_dirty(struct lg_map *map, uint64_t first, uint64_t count)
{
	uint64_t dirtied = 0, signals = lg_pager_lock(map->pager);

	for (uint64_t page = first; page < first + count; page++) {
		uint64_t word = lg_load_relaxed(&map->words[page]);

		lg_resident_touch(map, lg_word_handle(word), LG_REFERENCE_WRITE);
		dirtied += lg_map_hash(map, word) < LG_HASHES;
		if (page > first)
			lg_trace_note(&map->pager->trace, LG_TRACE_PROTECT, map->index, page,
				      map->shift);
	}
	lg_pager_unlock(map->pager, signals);
	lg_pager_count(map->pager, bytes_dirtied, dirtied << map->shift);
}

/* CLEAN to DIRTY, and with it what follows in a run of writes; BUSY is ours. */
static int unprotect(struct lg_map *map, uint64_t page, uint64_t *word)
{
	uint64_t count = claim_around(map, page);
	int error = lg_os_userfault_unprotect(&map->pager->userfault, lg_map_page_at(map, page),
					      count << map->shift);
	enum lg_page_state state = error == 0 ? LG_PAGE_DIRTY : LG_PAGE_CLEAN;

	lg_forecast_note(&map->forecast, true);
	if (error == 0)
		note_dirty(map, page, count);
	*word = lg_word_with_state(*word, state);
	for (uint64_t other = page + 1; other < page + count; other++)
		lg_word_release(&map->words[other],
				lg_word_with_state(lg_load_relaxed(&map->words[other]), state));
	return error;
}

/* Zeros of a stream of writes come in many at once: claims those that follow, as far as they are zero. */
static uint64_t claim_zeros(struct lg_map *map, uint64_t page)
{
	uint64_t count = 1, most = map->huge ? 1 : lg_prefetch_zeros(map, page);

	while (count < most && page + count < map->pages) {
		lg_word *word = &map->words[page + count];
		uint64_t seen = lg_load_relaxed(word);

		if (lg_word_state(seen) != LG_PAGE_OUT || !lg_map_is_zero(map, seen) ||
		    !lg_word_claim(word, &seen))
			break;
		count++;
	}
	return count;
}

/*
 * The store is not to be called here, or not waited for: a reader does it, or a flight, with our BUSY. What was
 * brought may have left again before we look: then it is asked for again. What fails is so a few times only.
 */
static int ask(struct lg_map *map, uint64_t page, uint64_t word, enum lg_os_access access,
	       struct outcome *outcome)
{
	enum { FAILURES_MOST = 3, FAILURES_RENEWED = 16, PAUSE_DOUBLINGS = 7 };
	const unsigned pause_us = 100;
	uint32_t failed = lg_load_relaxed(&map->demands_failed),
		 most = map->store->renews ? FAILURES_RENEWED : FAILURES_MOST;

	outcome->stalled = true;
	outcome->failures += outcome->was_asked && failed != outcome->failed_before;
	outcome->failed_before = failed;
	if (outcome->failures >= most) {
		lg_word_release(&map->words[page], word);
		return -ENOMEM; /* which it waited for long enough */
	}
	outcome->asked++;
	outcome->was_asked = true;
	if (!outcome->signal)
		return lg_flight_demand(map, page);
	if (lg_prefetch_demand(map, page, access)) {
		outcome->rejected = 0;
		return 0;
	}
	outcome->was_asked = false;
	lg_word_release(&map->words[page], word);
	/* There may be hundreds of them, and the store may not come back. */
	lg_os_sleep_us(pause_us << lg_min(outcome->rejected++, PAUSE_DOUBLINGS));
	return 0;
}

/* OUT, and BUSY is ours: both end here. */
static int fill(struct lg_map *map, uint64_t page, uint64_t word, enum lg_os_access access,
		struct outcome *outcome)
{
	bool zero = lg_map_is_zero(map, word);
	uint64_t count = zero && access == LG_OS_ACCESS_WRITE ? claim_zeros(map, page) : 1;

	outcome->stalled = !zero;
	outcome->kind = access == LG_OS_ACCESS_WRITE ? LG_TRACE_WRITE : LG_TRACE_READ;
	/*
	 * What follows flies together with this one, not a round trip later. And another's fault is noted before he goes on, or
	 * his next one, which another server has, would often be noted first: no stream is seen then, or a wrong one.
	 */
	if ((map->store->is_remote || (outcome->is_others && !zero)) && !outcome->followed) {
		lg_prefetch_follow(map, page, true);
		outcome->followed = true;
	}
	if (!zero && (map->store->fetches || (outcome->signal && !map->store->signal_safe)))
		return ask(map, page, word, access, outcome);
	outcome->asked += map->store->renews;
	return lg_fill(map, page, count, access, &outcome->poisoned);
}

bool lg_fault_is_over(const struct lg_map *map, uint64_t word, enum lg_os_access access)
{
	return lg_word_state(word) == LG_PAGE_DIRTY ||
	       (lg_word_state(word) == LG_PAGE_CLEAN &&
		(access == LG_OS_ACCESS_READ || map->readonly));
}

/* What is missing is done, and the page looked at again. 1: nothing was, and BUSY is ours. */
static int step(struct lg_map *map, uint64_t page, enum lg_os_access access,
		struct outcome *outcome, uint64_t *seen)
{
	lg_word *word = &map->words[page];
	int error = 0;

	if (lg_fault_is_over(map, *seen, access))
		return lg_word_claim(word, seen) ? 1 : 0;
	switch (lg_word_state(*seen)) {
	case LG_PAGE_OUT:
		if (lg_word_claim(word, seen))
			error = fill(map, page, *seen, access, outcome);
		break;
	case LG_PAGE_LIMBO:
		if (!lg_word_claim(word, seen))
			break;
		outcome->kind = access == LG_OS_ACCESS_WRITE ? LG_TRACE_LIMBO_WRITE :
							       LG_TRACE_LIMBO_READ;
		outcome->ahead = (*seen & LG_WORD_AHEAD) != 0;
		error = lg_limbo_return(map, page, seen, access);
		lg_pager_count(map->pager, limbo_hits, error == 0);
		lg_word_release(word, *seen);
		break;
	case LG_PAGE_CLEAN:
		if (!lg_word_claim(word, seen))
			break;
		outcome->kind = LG_TRACE_PROTECT;
		error = unprotect(map, page, seen);
		lg_pager_count(map->pager, protect_faults, error == 0);
		lg_word_release(word, *seen);
		break;
	case LG_PAGE_DIRTY:
		break;
	case LG_PAGE_POISONED: /* just now, for us, or earlier */
		if (outcome->is_call && (*seen & LG_WORD_STARVED) != 0) {
			if (lg_word_claim(word, seen)) {
				lg_poison_heal(map, page);
				lg_word_release(word, lg_word_with_state(*seen, LG_PAGE_OUT));
			}
			break;
		}
		outcome->poisoned = true;
		return outcome->asked > 0 && map->store->is_remote ? lg_word_error(*seen) : -EIO;
	}
	return error;
}

/*
 * Until the page is as `access` wants it. With `held`: claimed, and signals are held, *held to be released; without, as
 * soon as one step did it.
 */
static int serve(struct lg_map *map, uint64_t page, enum lg_os_access access,
		 struct outcome *outcome, uint64_t *seen, uint64_t *held)
{
	lg_word *word = &map->words[page];
	int done;

	for (;;) {
		if (outcome->asked > 0 && lg_renew_wait(map))
			outcome->stalled = true;
		*seen = lg_load_acquire(word); /* W1 */
		if ((*seen & LG_WORD_BUSY) != 0) {
			lg_pager_count(map->pager, waits, 1);
			outcome->stalled = true;
			*seen = lg_word_wait(word, *seen);
		}
		if (held == NULL && lg_fault_is_over(map, *seen, access))
			return 0;
		bool out = lg_word_state(*seen) == LG_PAGE_OUT;
		uint64_t signals = lg_os_signals_hold();
		done = step(map, page, access, outcome, seen);
		if (done == 1) {
			*held = signals;
			return 0;
		}
		lg_os_signals_release(signals);
		if (out && done == -ESTALE) {
			done = lg_renew_after(map, page, done);
			outcome->poisoned = done != 0;
		}
		if (done != 0 && done != -EAGAIN)
			return done;
		/* Not known whether to write: if so it faults again, and is found CLEAN. */
		if (done == 0 && access == LG_OS_ACCESS_UNKNOWN)
			return 0;
	}
}

/* What comes of it, for those who watch and for the streams. */
static void follow(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t word,
		   const struct outcome *outcome)
{
	/* One that is writable since it was read may be stored to without another fault. */
	if (access != LG_OS_ACCESS_READ || lg_word_state(word) == LG_PAGE_DIRTY)
		lg_flush_note(map->pager);
	if (outcome->kind != 0)
		lg_trace_note(&map->pager->trace, outcome->kind, map->index, page, map->shift);
	if ((outcome->stalled || outcome->ahead) && !outcome->followed)
		lg_prefetch_follow(map, page, outcome->stalled);
}

/* It is there. Another thread had the same fault; or it is not true, which nobody tells us but the kernel by asking again. */
static void look_closer(struct lg_map *map, uint64_t page, uint64_t seen)
{
	uint64_t signals = lg_os_signals_hold();

	if (lg_word_claim(&map->words[page], &seen)) {
		(void)lg_hole_fill(map, page, 1);
		lg_word_release(&map->words[page], lg_load_relaxed(&map->words[page]));
	}
	lg_os_signals_release(signals);
}

static int serve_fault(struct lg_map *map, uint64_t page, enum lg_os_access access,
		       struct outcome *outcome)
{
	struct lg_pager *pager = map->pager;
	uint64_t start = lg_os_now_ns(), seen = lg_load_acquire(&map->words[page]); /* W1 */

	if (!outcome->is_call && (seen & LG_WORD_BUSY) == 0 && lg_fault_is_over(map, seen, access))
		look_closer(map, page, seen);
	int error = serve(map, page, access, outcome, &seen, NULL);

	lg_pager_count(pager, faults, 1);
	if (access != LG_OS_ACCESS_WRITE)
		lg_pager_count(pager, read_faults, 1);
	uint64_t took = lg_os_now_ns() - start;
	lg_times_note(&pager->fault_ns, took);
	if (map->store->is_remote)
		lg_times_note(&lg_remote_tally.fault_ns, took);
	lg_probe_fault(lg_map_page_at(map, page), took);
	if (error == 0)
		follow(map, page, access, seen, outcome);
	return error;
}

int lg_fault_serve(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	struct outcome outcome = { .is_call = true };

	return serve_fault(map, page, access, &outcome);
}

int lg_fault_serve_other(struct lg_map *map, uint64_t page, enum lg_os_access access, bool *starved)
{
	struct outcome outcome = { .is_others = true };
	int error = serve_fault(map, page, access, &outcome);

	*starved = error != 0 && !outcome.poisoned &&
		   lg_os_userfault_is_ours(
			   &map->pager->userfault); /* else nobody is served any more */
	return error;
}

int lg_fault_claim(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t *word,
		   uint64_t *signals)
{
	struct outcome outcome = { .is_call = true };
	int error = serve(map, page, access, &outcome, word, signals);

	if (error == 0)
		follow(map, page, access, *word, &outcome);
	return error;
}

bool lg_fault_signal(void *address, enum lg_os_access access)
{
	struct lg_map *map = lg_atlas_find(address);

	if (map == NULL || map->pager->in_threads)
		return false;
	struct outcome outcome = { .signal = true };
	uint64_t page = (uint64_t)((char *)address - map->base) >> map->shift;
	return serve_fault(map, page, access, &outcome) == 0;
}
