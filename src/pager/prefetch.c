/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/prefetch.h"

#include "os/clock.h"
#include "pager/budget.h"
#include "pager/fill.h"
#include "pager/flight.h"
#include "pager/map.h"
#include "pager/renew.h"

#include <errno.h>

/* A window is at most this part of what is not pinned: what is read ahead must not drive itself out. */
enum { WINDOW_PART = 8, PIECE_PART = 32 };

/*
 * Of maps that have flights, with one round trip for each request: the window is what a round trip can bring, in as
 * many requests as there are connections for reading ahead, or nearly.
 */
enum { WINDOW_PART_FLIGHTS = 2, REQUESTS_OF_WINDOW = 8, REQUESTS_LEAST = 2 };
#define WINDOW_MOST_FLIGHTS LG_MIB(64)
#define REQUEST_LEAST LG_MIB(1)
#define REQUEST_MOST LG_MIB(8)

/* The same of those that have none: what is read has a buffer of its length beside its pages. */
enum { PIECE_PART_REMOTE = 64, READING_PART_REMOTE = 5 };
#define WINDOW_REMOTE(bytes) lg_min(WINDOW_MOST_FLIGHTS, (bytes) / 8 * 3)

/* Readers that are left for those who wait: one in so many; and that read on beside one who waits for the disk. */
enum { DEMAND_PART = 4, BESIDE_PART = 4 };

static bool has_flights(const struct lg_map *map)
{
	return map->store->fetches;
}

static uint64_t part_of(uint64_t bytes, unsigned part)
{
	return (uint64_t)1 << lg_log2_floor(lg_max(bytes / part, 1));
}

static uint64_t flights_most(const struct lg_pager *pager)
{
	return lg_min(WINDOW_MOST_FLIGHTS, lg_budget_unpinned(pager) / WINDOW_PART_FLIGHTS);
}

uint64_t lg_prefetch_most(const struct lg_pager *pager)
{
	return lg_budget_unpinned(pager) / WINDOW_PART;
}

uint64_t lg_prefetch_window(const struct lg_map *map)
{
	if (has_flights(map))
		return flights_most(map->pager);
	return map->store->is_remote ? WINDOW_REMOTE(lg_budget_unpinned(map->pager)) :
				       lg_prefetch_most(map->pager);
}

static uint64_t piece_bytes_remote(const struct lg_pager *pager)
{
	uint64_t unpinned = lg_budget_unpinned(pager);

	return lg_min(lg_max(REQUEST_LEAST, part_of(unpinned, PIECE_PART_REMOTE)),
		      lg_min(LG_MIB(2), part_of(unpinned, PIECE_PART)));
}

/* Of one read. */
static uint64_t piece_bytes(const struct lg_map *map)
{
	uint64_t window = lg_prefetch_window(map), unpinned = lg_budget_unpinned(map->pager);

	if (!has_flights(map))
		return map->store->is_remote ? piece_bytes_remote(map->pager) :
					       lg_min(LG_MIB(2), part_of(unpinned, PIECE_PART));
	return lg_min(lg_min(lg_max(part_of(window, REQUESTS_OF_WINDOW), REQUEST_LEAST),
			     part_of(window, REQUESTS_LEAST)),
		      REQUEST_MOST);
}

/* In blocks, which are pages where there are no flights. */
static uint64_t piece_of(const struct lg_map *map)
{
	return lg_max((piece_bytes(map) >> map->shift) / map->block, 1);
}

static uint64_t window_most(const struct lg_map *map)
{
	return lg_max((lg_prefetch_window(map) >> map->shift) / map->block, 1);
}

static bool follows(const struct lg_map *map)
{
	return map->prefetch && lg_load_relaxed(&map->access) != LG_RANDOM;
}

/* Under the queue's lock. */
static bool push(const struct lg_request *request)
{
	struct lg_requests *requests = &request->map->pager->requests;

	/* Half of the queue is for those who wait. */
	if (requests->count >= LG_REQUESTS / 2 || lg_load_relaxed(&request->map->closing))
		return false;
	requests->ring[(requests->head + requests->count++) % LG_REQUESTS] = *request;
	lg_add_relaxed(&request->map->requests, 1);
	return true;
}

/* The queue's lock; who sleeps looks at what was posted. */
static void let_go(struct lg_requests *requests, uint64_t signals)
{
	lg_add_release(&requests->posted, 1);
	uint32_t wanted = requests->asleep > 0 ? requests->crew.most : 0;
	lg_os_latch_let_go(&requests->lock, signals);
	if (wanted > 0)
		lg_os_wake_some(&requests->posted, wanted);
}

/* Requests of `piece` blocks each. */
static void post(struct lg_map *map, const struct lg_ahead *ahead, uint64_t piece)
{
	struct lg_requests *requests = &map->pager->requests;
	uint64_t step = (uint64_t)(ahead->step < 0 ? -ahead->step : ahead->step);
	uint64_t signals = lg_os_latch_hold(&requests->lock);

	for (uint64_t done = 0, count; done < ahead->count; done += count) {
		uint64_t from = ahead->first + done * (uint64_t)ahead->step;

		count = lg_min(piece, ahead->count - done);
		if (ahead->step < 0)
			from -= (count - 1) * step;
		if (!push(&(struct lg_request){
			    .map = map,
			    .page = from * map->block,
			    .count = (uint32_t)(((count - 1) * step + 1) * map->block),
			    .step = (uint32_t)step,
			    .backward = ahead->step < 0,
		    }))
			break;
	}
	let_go(requests, signals);
}

/* Requests of those who wait, who are all in front; *of_map: of the map's pages. Under the queue's lock. */
static uint32_t count_demands(const struct lg_requests *requests, const struct lg_map *map,
			      uint32_t *of_map)
{
	uint32_t count = 0;

	*of_map = 0;
	for (; count < requests->count; count++) {
		const struct lg_request *next =
			&requests->ring[(requests->head + count) % LG_REQUESTS];

		if (!next->demand)
			break;
		*of_map += next->map == map;
	}
	return count;
}

bool lg_prefetch_demand(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	enum { MAP_PART = 4 };
	struct lg_requests *requests = &map->pager->requests;
	uint64_t signals = lg_os_latch_hold(&requests->lock);
	uint32_t of_map, demands = count_demands(requests, map, &of_map);
	bool room = requests->count < LG_REQUESTS && of_map < LG_REQUESTS / MAP_PART;

	if (room) {
		uint32_t at = requests->head = (requests->head + LG_REQUESTS - 1) % LG_REQUESTS;

		for (uint32_t i = 0; i < demands; i++) { /* behind those who wait longer */
			uint32_t next = (at + 1) % LG_REQUESTS;

			requests->ring[at] = requests->ring[next];
			at = next;
		}
		requests->count++;
		requests->ring[at] = (struct lg_request){
			.map = map,
			.page = page,
			.count = 1,
			.demand = true,
			.access = access,
			.thread = lg_recent_thread(),
		};
		lg_add_relaxed(&map->requests, 1);
		lg_add_release(&requests->posted, 1);
	}
	lg_os_latch_let_go(&requests->lock, signals);
	if (room)
		lg_os_wake(&requests->posted);
	return room;
}

void lg_prefetch_follow(struct lg_map *map, uint64_t page, bool stalled)
{
	struct lg_ahead ahead;

	if (!follows(map))
		return;
	uint64_t signals = lg_pager_lock(map->pager);
	bool wanted = lg_stream_step(&map->streams, page / map->block,
				     (map->pages + map->block - 1) / map->block,
				     stalled ? LG_STREAM_STALLED : LG_STREAM_AHEAD,
				     lg_load_relaxed(&map->access) == LG_SEQUENTIAL, piece_of(map),
				     window_most(map), &ahead);
	lg_pager_unlock(map->pager, signals);
	if (stalled && has_flights(map))
		lg_flight_cancel_stale(map);
	if (wanted)
		post(map, &ahead, lg_stream_spans(&map->streams, ahead.step) ? piece_of(map) : 1);
}

uint64_t lg_prefetch_zeros(struct lg_map *map, uint64_t page)
{
	struct lg_ahead ahead;

	if (!follows(map))
		return 1;
	uint64_t piece = lg_min(piece_of(map), LG_BATCH), signals = lg_pager_lock(map->pager);
	bool wanted = lg_stream_step(&map->streams, page, map->pages, LG_STREAM_ZEROS, false, piece,
				     piece, &ahead);
	lg_pager_unlock(map->pager, signals);
	return wanted && ahead.step == 1 && ahead.first == page + 1 ?
		       lg_min(ahead.count + 1, piece) :
		       1;
}

void lg_prefetch_range(struct lg_map *map, uint64_t first, uint64_t end)
{
	struct lg_requests *requests = &map->pager->requests;
	uint64_t piece = lg_max(piece_bytes(map) >> map->shift, 1),
		 signals = lg_os_latch_hold(&requests->lock);

	for (uint64_t page = first; page < end; page += piece)
		if (!push(&(struct lg_request){ .map = map,
						.page = page,
						.count = (uint32_t)lg_min(piece, end - page),
						.step = 1,
						.advised = true }))
			break;
	let_go(requests, signals);
}

/* --- the readers -------------------------------------------------------------------------------- */

/* The next stretch of pages that the store has and nobody brings in: claimed, `most` of them. */
static uint64_t claim_run(struct lg_map *map, uint64_t *page, uint64_t end, uint64_t most)
{
	uint64_t count = 0;

	while (count < most && *page + count < end) {
		lg_word *word = &map->words[*page + count];
		uint64_t seen = lg_load_relaxed(word);

		if (lg_word_state(seen) == LG_PAGE_OUT && !lg_map_is_zero(map, seen) &&
		    lg_word_claim(word, &seen))
			count++;
		else if (count > 0)
			break;
		else
			++*page;
	}
	return count;
}

/* A stream that overtook its request has read the pages by itself, and left them. */
static bool is_late(const struct lg_request *request)
{
	struct lg_map *map = request->map;

	if (request->advised)
		return false;
	uint64_t signals = lg_pager_lock(map->pager);
	bool awaited = lg_stream_awaits(&map->streams, request->page / map->block,
					request->count / map->block, request->backward, UINT64_MAX);
	lg_pager_unlock(map->pager, signals);
	return !awaited;
}

static void serve_demand(const struct lg_request *request)
{
	struct lg_map *map = request->map;
	bool poisoned;
	int error;

	lg_recent_for(request->thread);
	if (has_flights(map))
		error = lg_flight_demand(map, request->page);
	else
		error = lg_fill(map, request->page, 1, request->access, &poisoned);
	lg_add_relaxed(&map->demands_failed,
		       error != 0 && error != -EAGAIN); /* which is asked for again */
	lg_recent_for(0);
	(void)lg_renew_after(map, request->page, error);
}

static void serve(const struct lg_request *request)
{
	struct lg_map *map = request->map;
	uint64_t end = lg_min(request->page + request->count, map->pages), count;

	if (request->demand) {
		serve_demand(request);
		return;
	}
	if (is_late(request))
		return;
	if (has_flights(map)) {
		lg_flight_ahead(map, &(struct lg_flight_range){ .page = request->page,
								.end = end,
								.step = request->step,
								.backward = request->backward,
								.advised = request->advised });
		return;
	}
	/* In pieces of the budget, and the pins, there are now. */
	for (uint64_t page = request->page; !lg_load_relaxed(&map->closing) &&
					    (count = claim_run(map, &page, end, piece_of(map))) > 0;
	     page += count)
		(void)lg_fill_ahead(map, page, count, request->backward ? page + count - 1 : page);
}

/* How many may read ahead. The others are for those whose page only a reader can bring. */
static uint64_t most_ahead(const struct lg_pager *pager)
{
	uint64_t readers = lg_load_relaxed(&pager->readers), most = readers;

	if (lg_load_relaxed(&pager->slow_stores) > 0)
		most -= readers / DEMAND_PART;
	if (readers > pager->options.readers) /* there are remote objects */
		most = lg_min(most, lg_max(lg_budget_unpinned(pager) / READING_PART_REMOTE /
						   piece_bytes_remote(pager),
					   1));
	/* A disk serves in turn: who waits for a page would wait for all that is read ahead. */
	return lg_load_relaxed(&pager->demands) > 0 ?
		       lg_min(most, lg_max(readers / BESIDE_PART, 1)) :
		       most;
}

/* What flies ahead is charged, and cannot be evicted: all of it together has the room of one window. */
static bool may_fly(const struct lg_pager *pager, const struct lg_request *request)
{
	uint64_t ahead = lg_load_relaxed(&pager->flights.ahead),
		 bytes = (uint64_t)request->count << request->map->shift;
	/* What a stream leaves out flies, too, where it is received. */
	uint64_t holes = request->count > request->map->block ? request->step : 1;

	if (!has_flights(request->map))
		return true;
	if (lg_load_relaxed(&pager->flights.ahead_count) >= LG_FLIGHTS / 2)
		return false; /* the others are for who waits */
	/* One reader at a time, which is soon done: what is wanted first takes off first. */
	return !pager->requests.launching &&
	       (ahead == 0 || ahead + bytes <= flights_most(pager) * holes);
}

/* A reader is at work then, if this says so. Under the queue's lock. */
static bool begin(struct lg_pager *pager, const struct lg_request *request)
{
	struct lg_requests *requests = &pager->requests;

	if (request->demand)
		return lg_crew_enter(&requests->crew, &request->map->readers);
	/* Those that are spare are for who waits. */
	if (requests->crew.busy >= requests->crew.most || requests->ahead >= most_ahead(pager) ||
	    !may_fly(pager, request))
		return false;
	requests->crew.busy++;
	requests->ahead++;
	requests->launching |= has_flights(request->map);
	return true;
}

/*
 * One of those who wait whose map has a reader to spare: `first`, of a map that has none at work, or else there might be two who can
 * begin, and one reader would have to be woken. Or what is read ahead next. Under the queue's lock.
 */
static bool take_one(struct lg_pager *pager, struct lg_request *request, bool first)
{
	struct lg_requests *requests = &pager->requests;
	bool goes_on = true;

	for (uint32_t i = 0; goes_on && i < requests->count; i++) {
		*request = requests->ring[(requests->head + i) % LG_REQUESTS];
		if (first && (!request->demand || request->map->readers > 0)) {
			goes_on = request->demand;
			continue;
		}
		if (begin(pager, request)) {
			for (; i > 0; i--)
				requests->ring[(requests->head + i) % LG_REQUESTS] =
					requests->ring[(requests->head + i - 1) % LG_REQUESTS];
			requests->head = (requests->head + 1) % LG_REQUESTS;
			requests->count--;
			return true;
		}
		goes_on = request->demand;
	}
	return false;
}

static bool take(struct lg_pager *pager, struct lg_request *request)
{
	return take_one(pager, request, true) || take_one(pager, request, false);
}

void lg_prefetch_look(struct lg_pager *pager)
{
	struct lg_requests *requests = &pager->requests;
	uint64_t signals = lg_os_latch_hold(&requests->lock);
	bool look = requests->count > 0 && requests->asleep > 0;

	lg_add_release(&requests->posted, 1);
	lg_os_latch_let_go(&requests->lock, signals);
	if (look)
		lg_os_wake(&requests->posted);
}

static void leave(struct lg_requests *requests, const struct lg_request *request)
{
	lg_os_latch_take(&requests->lock);
	if (request->demand) {
		lg_crew_leave(&requests->crew, &request->map->readers);
	} else {
		requests->crew.busy--;
		requests->ahead--;
		if (has_flights(request->map))
			requests->launching = false;
	}
	lg_os_latch_release(&requests->lock);
	lg_sub_release(&request->map->requests, 1);
}

void *lg_prefetch_run(void *argument)
{
	struct lg_pager *pager = argument;
	struct lg_requests *requests = &pager->requests;

	lg_os_thread_name("lgalloc-read");
	lg_os_signals_never();
	while (!lg_load_acquire(&pager->stop)) {
		struct lg_request request = { .map = NULL };

		lg_os_latch_take(&requests->lock);
		uint32_t posted = lg_load_acquire(&requests->posted); /* P1 */
		bool taken = take(pager, &request);
		requests->asleep += !taken;
		lg_os_latch_release(&requests->lock);
		if (taken) {
			serve(&request);
			leave(requests, &request);
			continue;
		}
		/* After the count was read, or the last wake might be missed. */
		if (!lg_load_acquire(&pager->stop))
			lg_os_sleep_while(&requests->posted, posted, 0);
		lg_os_latch_take(&requests->lock);
		requests->asleep--;
		lg_os_latch_release(&requests->lock);
	}
	return NULL;
}

/* What is to be read ahead of this map is left: it may be behind others' that take long. */
static void forget_ahead(struct lg_map *map)
{
	struct lg_requests *requests = &map->pager->requests;
	uint32_t left = 0;
	uint64_t signals = lg_os_latch_hold(&requests->lock);

	for (uint32_t i = 0; i < requests->count; i++) {
		const struct lg_request *request =
			&requests->ring[(requests->head + i) % LG_REQUESTS];

		if (request->map == map && !request->demand)
			lg_sub_release(&map->requests, 1);
		else
			requests->ring[(requests->head + left++) % LG_REQUESTS] = *request;
	}
	requests->count = left;
	let_go(requests, signals); /* what is in front now may be taken */
}

void lg_prefetch_drain(struct lg_map *map)
{
	forget_ahead(map);
	while (lg_load_acquire(&map->requests) > 0)
		lg_os_sleep_us(100);
}
