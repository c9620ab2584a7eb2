/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/prefetch.h"

#include "os/clock.h"
#include "pager/fill.h"
#include "pager/map.h"

/* A window is at most this part of the budget: what is read ahead must not drive itself out. */
enum { WINDOW_PART = 8, PIECE_PART = 32 };

/*
 * Of remote objects: the round trip of each piece has to be worth it, and many fly at once. What flies has a buffer
 * beside its pages: all together stays well below the budget.
 */
enum { PIECE_PART_REMOTE = 64, FLIGHT_PART_REMOTE = 5 };
#define WINDOW_REMOTE(budget) lg_min(LG_MIB(64), (budget) / 8 * 3)
#define PIECE_LEAST_REMOTE LG_MIB(1)

/* Readers that are left for those who wait: one in so many. */
enum { DEMAND_PART = 4 };

static uint64_t part_of(uint64_t budget, unsigned part)
{
	return (uint64_t)1 << lg_log2_floor(budget / part);
}

static uint64_t piece_bytes(const struct lg_pager *pager, bool is_remote)
{
	uint64_t budget = lg_load_relaxed(&pager->budget);
	uint64_t bytes = lg_min(LG_MIB(2), part_of(budget, PIECE_PART));

	if (is_remote)
		bytes = lg_min(bytes,
			       lg_max(PIECE_LEAST_REMOTE, part_of(budget, PIECE_PART_REMOTE)));
	return bytes;
}

/* Pages of one read. */
static uint64_t piece_of(const struct lg_map *map)
{
	return lg_max(piece_bytes(map->pager, map->store->is_remote) >> map->shift, 1);
}

uint64_t lg_prefetch_most(const struct lg_pager *pager)
{
	return lg_load_relaxed(&pager->budget) / WINDOW_PART;
}

static uint64_t window_most(const struct lg_map *map)
{
	uint64_t bytes = lg_prefetch_most(map->pager);

	if (map->store->is_remote)
		bytes = WINDOW_REMOTE(lg_load_relaxed(&map->pager->budget));
	return lg_max(bytes >> map->shift, 1);
}

static bool follows(const struct lg_map *map)
{
	return map->prefetch && lg_load_relaxed(&map->access) != LG_RANDOM;
}

/* Under the queue's lock. */
static bool push(struct lg_map *map, uint64_t page, uint64_t count, bool backward, bool advised)
{
	struct lg_requests *requests = &map->pager->requests;

	/* Half of the queue is for those who wait. */
	if (requests->count >= LG_REQUESTS / 2 || lg_load_relaxed(&map->closing))
		return false;
	requests->ring[(requests->head + requests->count++) % LG_REQUESTS] = (struct lg_request){
		.map = map,
		.page = page,
		.count = (uint32_t)count,
		.backward = backward,
		.advised = advised,
	};
	lg_add_relaxed(&map->requests, 1);
	return true;
}

static void post(struct lg_map *map, const struct lg_ahead *ahead, bool advised)
{
	struct lg_requests *requests = &map->pager->requests;
	bool near = ahead->step == 1 || ahead->step == -1;
	uint64_t piece = near ? piece_of(map) : 1, signals = lg_os_latch_hold(&requests->lock);

	for (uint64_t done = 0, count; done < ahead->count; done += count) {
		uint64_t from = ahead->first + done * (uint64_t)ahead->step;

		count = lg_min(piece, ahead->count - done);
		if (!push(map, ahead->step < 0 ? from - (count - 1) : from, count, ahead->step < 0,
			  advised))
			break;
	}
	lg_add_release(&requests->posted, 1);
	bool asleep = requests->asleep > 0;
	lg_os_latch_let_go(&requests->lock, signals);
	if (asleep)
		lg_os_wake_all(&requests->posted);
}

bool lg_prefetch_demand(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	struct lg_requests *requests = &map->pager->requests;
	uint64_t signals = lg_os_latch_hold(&requests->lock);
	bool room = requests->count < LG_REQUESTS;

	if (room) {
		requests->head = (requests->head + LG_REQUESTS - 1) % LG_REQUESTS;
		requests->count++;
		requests->ring[requests->head] = (struct lg_request){
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
	lg_os_wake_all(&requests->posted);
	return room;
}

void lg_prefetch_follow(struct lg_map *map, uint64_t page, bool stalled)
{
	struct lg_ahead ahead;

	if (!follows(map))
		return;
	uint64_t signals = lg_pager_lock(map->pager);
	bool wanted = lg_stream_step(&map->streams, page, map->pages, stalled,
				     lg_load_relaxed(&map->access) == LG_SEQUENTIAL, piece_of(map),
				     window_most(map), &ahead);
	lg_pager_unlock(map->pager, signals);
	if (wanted)
		post(map, &ahead, false);
}

uint64_t lg_prefetch_zeros(struct lg_map *map, uint64_t page)
{
	struct lg_ahead ahead;

	if (!follows(map))
		return 1;
	uint64_t piece = lg_min(piece_of(map), LG_BATCH), signals = lg_pager_lock(map->pager);
	bool wanted =
		lg_stream_step(&map->streams, page, map->pages, false, false, piece, piece, &ahead);
	lg_pager_unlock(map->pager, signals);
	return wanted && ahead.step == 1 && ahead.first == page + 1 ?
		       lg_min(ahead.count + 1, piece) :
		       1;
}

void lg_prefetch_range(struct lg_map *map, uint64_t first, uint64_t end)
{
	post(map, &(struct lg_ahead){ .first = first, .count = end - first, .step = 1 }, true);
}

/* --- the readers -------------------------------------------------------------------------------- */

/* The next stretch of pages that the store has and nobody brings in: claimed. */
static uint64_t claim_run(struct lg_map *map, uint64_t *page, uint64_t end)
{
	uint64_t count = 0;

	for (; *page + count < end;) {
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
	bool awaited =
		lg_stream_awaits(&map->streams, request->page, request->count, request->backward);
	lg_pager_unlock(map->pager, signals);
	return !awaited;
}

static void serve(const struct lg_request *request)
{
	struct lg_map *map = request->map;
	uint64_t end = lg_min(request->page + request->count, map->pages), count;

	if (request->demand) {
		lg_recent_for(request->thread);
		(void)lg_fill(map, request->page, 1, request->access);
		lg_recent_for(0);
		return;
	}
	if (is_late(request))
		return;
	for (uint64_t page = request->page;
	     !lg_load_relaxed(&map->closing) && (count = claim_run(map, &page, end)) > 0;
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
		most = lg_min(most, lg_max(lg_load_relaxed(&pager->budget) / FLIGHT_PART_REMOTE /
						   piece_bytes(pager, true),
					   1));
	return most;
}

/* Under the queue's lock. */
static bool take(struct lg_pager *pager, struct lg_request *request)
{
	struct lg_requests *requests = &pager->requests;
	const struct lg_request *first = &requests->ring[requests->head];

	/* Those who wait are in front. */
	if (requests->count == 0 || (!first->demand && requests->ahead >= most_ahead(pager)))
		return false;
	*request = *first;
	requests->head = (requests->head + 1) % LG_REQUESTS;
	requests->count--;
	requests->ahead += !request->demand;
	return true;
}

static void leave(struct lg_requests *requests, const struct lg_request *request)
{
	lg_os_latch_take(&requests->lock);
	requests->ahead -= !request->demand;
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
		if (!take(pager, &request))
			requests->asleep++;
		lg_os_latch_release(&requests->lock);
		if (request.map != NULL) {
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

void lg_prefetch_drain(struct lg_map *map)
{
	while (lg_load_acquire(&map->requests) > 0)
		lg_os_sleep_us(100);
}
