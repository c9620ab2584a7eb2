/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/flight.h"

#include "os/clock.h"
#include "pager/budget.h"
#include "pager/fill.h"
#include "pager/map.h"
#include "pager/poison.h"
#include "pager/renew.h"

#include <errno.h>
#include <string.h>

#define GROUP_BYTES LG_MIB(1)

/* A stream that was not heard of for so many faults has ended. */
enum { PATIENCE = 2 * LG_STREAMS };

/* --- which pages are ours ----------------------------------------------------------------------- */

static bool is_ours(const struct lg_flight *flight, uint64_t page)
{
	uint64_t bit = page - flight->first;

	return (flight->ours[bit / 64] >> bit % 64 & 1) != 0;
}

static void set_ours(struct lg_flight *flight, uint64_t page)
{
	uint64_t bit = page - flight->first;

	flight->ours[bit / 64] |= (uint64_t)1 << bit % 64;
	flight->missing++;
}

/* They came, or never will. */
static void clear_ours(struct lg_flight *flight, uint64_t page, uint64_t count)
{
	for (uint64_t bit = page - flight->first; bit < page - flight->first + count; bit++)
		flight->ours[bit / 64] &= ~((uint64_t)1 << bit % 64);
	flight->missing -= count;
}

static bool claim(struct lg_map *map, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	return lg_word_state(seen) == LG_PAGE_OUT && lg_word_claim(&map->words[page], &seen);
}

/* Pages of one flight: as many as there is room for beside recent fills and pins, with a buffer. */
static uint64_t pages_most(const struct lg_map *map)
{
	uint64_t pages = lg_budget_unpinned(map->pager) / 2 >> map->shift;

	return lg_max(pages, 2) - 1;
}

/* What is there already, or comes otherwise, is left out; the flight ends before a large hole. */
static void claim_range(struct lg_flight *flight, const struct lg_flight_range *range,
			uint64_t page)
{
	struct lg_map *map = flight->map;
	uint64_t block = map->block, most = pages_most(map);

	for (; page < range->end && flight->missing < most; page++) {
		if (flight->missing > 0 && (page - flight->first >= LG_FLIGHT_PAGES ||
					    page - flight->end > LG_FLIGHT_HOLE_MOST >> map->shift))
			return;
		if ((page - range->page) / block % range->step != 0 || !claim(map, page))
			continue;
		if (flight->missing == 0)
			flight->first = page;
		set_ours(flight, page);
		flight->end = page + 1;
	}
}

static void give_up(struct lg_flight *flight)
{
	for (uint64_t page = flight->first; flight->missing > 0; page++) {
		lg_word *word = &flight->map->words[page];

		if (!is_ours(flight, page))
			continue;
		clear_ours(flight, page, 1);
		lg_word_release(word, lg_load_relaxed(word));
	}
}

/* --- groups ------------------------------------------------------------------------------------- */

static uint64_t group_end(const struct lg_flight *flight)
{
	return lg_min(flight->group + lg_max(GROUP_BYTES >> flight->map->shift, 1), flight->end);
}

static void open_group(struct lg_flight *flight)
{
	flight->group = flight->next;
	flight->marker = LG_FLIGHT_NOBODY;
	flight->wanted = 0;
	for (uint64_t page = flight->group; page < group_end(flight); page++) {
		if (!is_ours(flight, page))
			continue;
		if (flight->backward || flight->marker == LG_FLIGHT_NOBODY)
			flight->marker = page;
		flight->wanted++;
	}
}

/* Those of its pages that came are a piece. */
static void close_group(struct lg_flight *flight)
{
	uint64_t signals;

	if (flight->demanded != LG_FLIGHT_NOBODY || flight->wanted < 2 ||
	    flight->next == flight->group)
		return;
	signals = lg_pager_lock(flight->map->pager);
	lg_piece_add(flight->map, flight->group, group_end(flight) - flight->group, flight->marker);
	lg_pager_unlock(flight->map->pager, signals);
	flight->wanted = 0;
}

/* --- bytes come --------------------------------------------------------------------------------- */

/* How they come into the map, and how many of `most` pages from `page` come in the same way. */
static enum lg_arrival arrival_of(const struct lg_flight *flight, uint64_t page, uint64_t most,
				  uint64_t *count)
{
	bool is_demand = flight->demanded != LG_FLIGHT_NOBODY;
	uint64_t single = is_demand ? flight->demanded : flight->marker;

	*count = 1;
	if (page == single)
		return is_demand ? LG_ARRIVAL_DEMANDED : LG_ARRIVAL_MARKER;
	while (*count < most && page + *count != single && is_ours(flight, page + *count))
		++*count;
	return is_demand ? LG_ARRIVAL_BESIDE : LG_ARRIVAL_PIECE;
}

/* At most `most` pages from `next`, which is ours; *count: how many they were. */
static int install(struct lg_flight *flight, const char *data, uint64_t most, uint64_t *count)
{
	uint64_t left = flight->demanded == LG_FLIGHT_NOBODY ? group_end(flight) - flight->next :
							       flight->end - flight->next;
	enum lg_arrival how =
		arrival_of(flight, flight->next, lg_min(lg_min(most, left), LG_BATCH), count);

	lg_recent_for(flight->thread);
	int error = lg_fill_arrived(flight->map, flight->next, *count, data, how, flight->wanted);
	lg_recent_for(0);
	if (error == 0)
		clear_ours(flight, flight->next, *count);
	flight->is_unreadable = error == 0;
	return error;
}

static void go_on(struct lg_flight *flight, uint64_t count)
{
	flight->next += count;
	flight->received = 0;
	if (flight->demanded == LG_FLIGHT_NOBODY && flight->next == group_end(flight)) {
		close_group(flight);
		if (flight->next < flight->end)
			open_group(flight);
	}
}

/* Of the page whose bytes come: the last one may have fewer than a page. */
static uint64_t page_length(const struct lg_flight *flight)
{
	const struct lg_map *map = flight->map;

	return lg_min(lg_map_page_bytes(map), map->bytes - (flight->next << map->shift));
}

/* Goes over, or keeps, what there is of a page; 0 or -errno, and *used of the bytes are done with. */
static int take_part(struct lg_flight *flight, const char *data, uint64_t bytes, uint64_t *used)
{
	uint64_t length = page_length(flight), page = lg_map_page_bytes(flight->map), count = 1;
	bool ours = is_ours(flight, flight->next);
	int error = 0;

	*used = lg_min(bytes, length - flight->received);
	if (ours)
		memcpy(flight->buffer + flight->received, data, *used);
	flight->received += *used;
	if (flight->received < length)
		return 0;
	if (ours) {
		memset(flight->buffer + length, 0, page - length);
		error = install(flight, flight->buffer, 1, &count);
	}
	if (error == 0)
		go_on(flight, count);
	return error;
}

static int take(struct lg_store_sink *sink, const char *data, uint64_t bytes)
{
	struct lg_flight *flight = (struct lg_flight *)sink;
	unsigned shift = flight->map->shift;
	uint64_t used, count;
	int error = 0;

	for (; error == 0 && bytes > 0; data += used, bytes -= used) {
		if (flight->next == flight->end)
			return -EIO; /* more than was asked for */
		if (flight->received == 0 && bytes >> shift > 0 && is_ours(flight, flight->next)) {
			error = install(flight, data, bytes >> shift, &count);
			used = count << shift;
			if (error == 0)
				go_on(flight, count);
		} else {
			error = take_part(flight, data, bytes, &used);
		}
	}
	return error;
}

/* --- the end ------------------------------------------------------------------------------------ */

static void count_end(const struct lg_flight *flight, uint64_t bytes, int error)
{
	struct lg_pager *pager = flight->map->pager;

	lg_sub_relaxed(&pager->reading, 1);
	lg_pager_count(pager, reads, 1);
	if (error == 0) {
		lg_times_note(&pager->read_ns, lg_os_now_ns() - flight->start_ns);
		lg_pager_count(pager, bytes_read, bytes);
	} else if (error != -ECANCELED) {
		lg_pager_count(pager, read_errors, 1);
	}
}

static uint64_t range_bytes(const struct lg_flight *flight)
{
	const struct lg_map *map = flight->map;

	return lg_min(flight->end << map->shift, map->bytes) - (flight->first << map->shift);
}

/* Its place is another's from here. */
static void leave(struct lg_flight *flight)
{
	struct lg_pager *pager = flight->map->pager;
	uint64_t ahead = flight->demanded == LG_FLIGHT_NOBODY ? range_bytes(flight) : 0;
	void *buffer = flight->buffer;

	uint64_t signals = lg_os_latch_hold(&pager->flights.lock);
	flight->is_open = false;
	lg_os_latch_let_go(&pager->flights.lock, signals);
	lg_staging_give(pager, buffer);
	if (ahead > 0) {
		lg_sub_relaxed(&pager->flights.ahead, ahead);
		lg_sub_relaxed(&pager->flights.ahead_count, 1);
		lg_prefetch_look(pager);
	}
}

static void end(struct lg_store_sink *sink, int error)
{
	struct lg_flight *flight = (struct lg_flight *)sink;
	struct lg_map *map = flight->map;
	uint64_t lost = flight->missing << map->shift;

	close_group(flight);
	if (error != 0 && flight->demanded != LG_FLIGHT_NOBODY)
		lg_add_relaxed(&map->demands_failed, 1);
	/* Before others are let at it: who waits for it is told why. */
	if (error != 0 && !lg_renew_note(map, error) && error != -ECANCELED &&
	    flight->is_unreadable && flight->demanded != LG_FLIGHT_NOBODY &&
	    is_ours(flight, flight->demanded)) {
		lg_poison_claimed(map, flight->demanded, error);
		clear_ours(flight, flight->demanded, 1);
	}
	give_up(flight);
	if (lost > 0)
		lg_budget_give(map->pager, lost);
	count_end(flight, range_bytes(flight), error);
	leave(flight);
	lg_sub_release(&map->requests, 1); /* the map may be gone */
}

/* --- the start ---------------------------------------------------------------------------------- */

/* -errno: nothing will come. */
static int take_off(struct lg_flight *flight)
{
	struct lg_map *map = flight->map;
	uint64_t length = range_bytes(flight), used;

	if (length == 0) { /* the page of zeros that an empty object has */
		int error = take_part(flight, "", 0, &used);

		flight->sink.end(&flight->sink, error);
		return 0;
	}
	return map->store->calls->fetch(map->store, flight->first << map->shift, length,
					flight->demanded == LG_FLIGHT_NOBODY, &flight->sink);
}

/*
 * Where pages cannot be moved only the writers evict, of those that may be in a signal handler, and they keep less free than
 * a flight wants. This is no handler.
 */
static void make_room(struct lg_pager *pager, uint64_t bytes)
{
	while (!pager->userfault.can_move && lg_budget_available(pager) < bytes &&
	       lg_budget_reclaim(pager, NULL))
		;
}

/* Takes off with the pages that the plan has. -errno: they are given up. */
static int start(struct lg_flight *plan)
{
	struct lg_map *map = plan->map;
	struct lg_pager *pager = map->pager;
	uint64_t page = lg_map_page_bytes(map);
	void *buffer;
	int error = lg_renew_is_due(map, plan->first, plan->end) ? -ESTALE : 0;

	if (error == 0) {
		make_room(pager, page + (plan->missing << map->shift));
		error = lg_staging_take(pager, page, plan->missing << map->shift,
					plan->demanded == LG_FLIGHT_NOBODY, &buffer);
	}
	if (error != 0) {
		give_up(plan);
		return error;
	}
	struct lg_flight *flight = &pager->flights.table[lg_staging_place(pager, buffer)];
	plan->sink = (struct lg_store_sink){ take, end };
	plan->buffer = buffer;
	plan->start_ns = lg_os_now_ns();
	plan->next = plan->first;
	plan->is_open = true;
	plan->is_unreadable = true;
	bool ahead = plan->demanded == LG_FLIGHT_NOBODY;
	if (ahead)
		open_group(plan);
	uint64_t signals = lg_os_latch_hold(&pager->flights.lock);
	*flight = *plan;
	lg_os_latch_let_go(&pager->flights.lock, signals);
	if (ahead) {
		lg_add_relaxed(&pager->flights.ahead, range_bytes(flight));
		lg_add_relaxed(&pager->flights.ahead_count, 1);
	}
	lg_add_relaxed(&map->requests, 1);
	lg_add_relaxed(&pager->reading, 1);
	uint64_t missing = plan->missing;
	error = take_off(flight);
	if (error == 0) {
		if (ahead)
			lg_map_count_ahead(map, missing);
		return 0;
	}
	flight->is_unreadable = false;
	end(&flight->sink, error);
	return error;
}

int lg_flight_demand(struct lg_map *map, uint64_t page)
{
	uint64_t block = map->block, first = lg_round_down(page, block), most = pages_most(map);
	struct lg_flight plan = { .map = map, .demanded = page, .first = page, .end = page + 1 };

	plan.thread = lg_recent_thread();
	/* Next to it only: a hole would be received before it, or behind it for nothing. */
	while (plan.end - plan.first < most && plan.first > first && claim(map, plan.first - 1))
		plan.first--;
	while (plan.end - plan.first < most && plan.end < lg_min(first + block, map->pages) &&
	       claim(map, plan.end))
		plan.end++;
	for (uint64_t one = plan.first; one < plan.end; one++)
		set_ours(&plan, one);
	uint64_t count = plan.missing;
	int error = start(&plan);
	/* There may be pins that were not there. */
	return error == -ENOMEM && count > pages_most(map) ? -EAGAIN : error;
}

void lg_flight_ahead(struct lg_map *map, const struct lg_flight_range *range)
{
	uint64_t page = range->page;

	while (page < range->end && !lg_load_relaxed(&map->closing)) {
		struct lg_flight plan = { .map = map,
					  .demanded = LG_FLIGHT_NOBODY,
					  .backward = range->backward,
					  .advised = range->advised };

		claim_range(&plan, range, page);
		if (plan.missing == 0)
			return;
		page = plan.end;
		if (start(&plan) != 0)
			return;
	}
}

/* --- those that nobody waits for any more ------------------------------------------------------- */

/* By the block before or behind it, too: that of the last touch may still be coming. Under the pager's lock. */
static bool is_awaited(const struct lg_flight *flight)
{
	const struct lg_map *map = flight->map;
	uint64_t first = flight->first / map->block, last = (flight->end - 1) / map->block;

	first -= first > 0;
	return lg_stream_awaits(&map->streams, first, last + 2 - first, flight->backward, PATIENCE);
}

void lg_flight_cancel_stale(struct lg_map *map)
{
	struct lg_pager *pager = map->pager;

	if (lg_load_relaxed(&pager->flights.ahead) == 0)
		return;
	uint64_t signals = lg_pager_lock(pager);
	lg_os_latch_take(&pager->flights.lock);
	for (unsigned i = 0; i < LG_FLIGHTS; i++) {
		struct lg_flight *flight = &pager->flights.table[i];

		if (!flight->is_open || flight->map != map || flight->cancelled ||
		    flight->advised || flight->demanded != LG_FLIGHT_NOBODY || is_awaited(flight))
			continue;
		flight->cancelled = true;
		map->store->calls->cancel(map->store, &flight->sink);
	}
	lg_os_latch_release(&pager->flights.lock);
	lg_pager_unlock(pager, signals);
}
