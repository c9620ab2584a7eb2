/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/stream.h"

#include "base/bits.h"

enum { STEP_MOST = 64, LATE_MOST = 16, WINDOW_PIECES = 2, WINDOW_OPEN = INT32_MAX };

static uint64_t distance(int64_t step)
{
	return (uint64_t)(step < 0 ? -step : step);
}

/* How many steps of the stream the page lies behind its last; negative: before. 0: not on it. */
static int64_t steps_to(const struct lg_stream *stream, uint64_t page)
{
	int64_t way = (int64_t)(page - stream->last);

	return way % stream->step == 0 ? way / stream->step : 0;
}

/* Pages requested are not touched one by one: the next fault may be anywhere up to their end. */
static bool is_on(const struct lg_stream *stream, uint64_t page)
{
	if (stream->step == 0)
		return false;
	int64_t steps = steps_to(stream, page), most = 1;

	if (stream->believed)
		most += (int64_t)(stream->ahead - stream->last) / stream->step;
	return steps >= 1 && steps <= most;
}

/* A second touch near the first makes a step of it. */
static bool may_begin(const struct lg_stream *stream, uint64_t page)
{
	int64_t way = (int64_t)(page - stream->last);

	return stream->used > 0 && !stream->believed && way != 0 && distance(way) <= STEP_MOST;
}

/* Of those that the page is on, the one with the shortest step; NULL: it is on none. */
static struct lg_stream *densest(struct lg_streams *streams, uint64_t page)
{
	struct lg_stream *densest = NULL;

	for (unsigned i = 0; i < LG_STREAMS; i++) {
		struct lg_stream *stream = &streams->table[i];

		if (is_on(stream, page) &&
		    (densest == NULL || distance(stream->step) < distance(densest->step)))
			densest = stream;
	}
	return densest;
}

/* Who served it was overtaken by who served the next of a stream: nothing is new. */
static bool is_late(const struct lg_streams *streams, uint64_t page)
{
	for (unsigned i = 0; i < LG_STREAMS; i++) {
		const struct lg_stream *stream = &streams->table[i];
		uint64_t behind = stream->step > 0 ? stream->last - page : page - stream->last;

		if (stream->believed && behind <= LATE_MOST)
			return true;
	}
	return false;
}

static struct lg_stream *oldest(struct lg_streams *streams)
{
	struct lg_stream *oldest = &streams->table[0];

	for (unsigned i = 1; i < LG_STREAMS; i++)
		if (streams->table[i].used < oldest->used)
			oldest = &streams->table[i];
	return oldest;
}

/* The way to this fault is as the one before, and both lead from one that may begin a stream: pages apart; 0: it is not. */
static int64_t steady_way(struct lg_streams *streams, uint64_t page, bool begins)
{
	int64_t way = (int64_t)(page - streams->before), before = streams->way;

	streams->before = page;
	streams->way = begins ? way : 0;
	return way == before && distance(way) <= STEP_MOST ? way : 0;
}

static struct lg_stream *find(struct lg_streams *streams, uint64_t page, bool begins)
{
	int64_t way = steady_way(streams, page, begins);
	struct lg_stream *stream = densest(streams, page);

	if (!begins || (stream == NULL && is_late(streams, page)))
		return stream;
	if (way != 0 && (stream == NULL || distance(way) < distance(stream->step))) {
		stream = stream != NULL ? stream : oldest(streams);
		*stream = (struct lg_stream){ .step = way };
		return stream;
	}
	if (stream != NULL)
		return stream;
	for (unsigned i = 0; i < LG_STREAMS; i++) {
		stream = &streams->table[i];
		if (may_begin(stream, page)) {
			stream->step = (int64_t)(page - stream->last);
			stream->last = page;
			stream->used = streams->faults;
			return streams->eager && distance(stream->step) == 1 ? stream : NULL;
		}
	}
	*oldest(streams) = (struct lg_stream){ .last = page, .used = streams->faults };
	return NULL;
}

static struct lg_stream *follow(struct lg_streams *streams, uint64_t page,
				enum lg_stream_fault fault, bool sequential, uint64_t piece)
{
	struct lg_stream *stream = find(streams, page, sequential || fault != LG_STREAM_AHEAD);

	if (stream == NULL && sequential)
		for (unsigned i = 0; i < LG_STREAMS && stream == NULL; i++)
			if (streams->table[i].last == page) {
				stream = &streams->table[i];
				stream->step = 1;
			}
	if (stream == NULL)
		return NULL;
	if (!stream->believed) {
		stream->believed = true;
		stream->window = streams->eager ? WINDOW_OPEN : piece * WINDOW_PIECES;
		stream->ahead = page + (uint64_t)stream->step;
	}
	stream->last = page;
	stream->used = streams->faults;
	if (steps_to(&(struct lg_stream){ .last = page, .step = stream->step }, stream->ahead) < 1)
		stream->ahead = page + (uint64_t)stream->step;
	return stream;
}

/* How many steps there are from `page` to the map's end. */
static uint64_t steps_left(uint64_t page, int64_t step, uint64_t pages)
{
	if (page >= pages)
		return 0;
	return step > 0 ? (pages - 1 - page) / distance(step) + 1 : page / distance(step) + 1;
}

bool lg_stream_spans(const struct lg_streams *streams, int64_t step)
{
	return distance(step) <= lg_max(streams->span, 1);
}

bool lg_stream_step(struct lg_streams *streams, uint64_t page, uint64_t pages,
		    enum lg_stream_fault fault, bool sequential, uint64_t piece, uint64_t most,
		    struct lg_ahead *ahead)
{
	streams->faults++;
	struct lg_stream *stream = follow(streams, page, fault, sequential, piece);
	if (stream == NULL)
		return false;
	if (fault == LG_STREAM_STALLED)
		stream->window *= 2;
	stream->window = lg_max(lg_min(stream->window, most), 1);
	uint64_t out = (uint64_t)((int64_t)(stream->ahead - page) / stream->step) - 1;
	uint64_t batch = lg_stream_spans(streams, stream->step) ? piece : 1;

	if (out >= stream->window || stream->window - out < lg_min(batch, stream->window))
		return false;
	ahead->first = stream->ahead;
	ahead->step = stream->step;
	ahead->count = lg_min(lg_max(lg_round_down(stream->window - out, batch), 1),
			      steps_left(stream->ahead, stream->step, pages));
	if (ahead->count == 0)
		return false;
	stream->ahead += ahead->count * (uint64_t)stream->step;
	return true;
}

bool lg_stream_awaits(const struct lg_streams *streams, uint64_t first, uint64_t count,
		      bool backward, uint64_t patience)
{
	for (unsigned i = 0; i < LG_STREAMS; i++) {
		const struct lg_stream *stream = &streams->table[i];

		if (!stream->believed || (stream->step < 0) != backward ||
		    streams->faults - stream->used > patience)
			continue;
		/* Backward, `ahead` may be the page before the first: none. */
		if (backward ? first < stream->last &&
				       (int64_t)(first + count) > (int64_t)stream->ahead :
			       first + count > stream->last + 1 && first < stream->ahead)
			return true;
	}
	return false;
}

void lg_stream_waste(struct lg_streams *streams, uint64_t page)
{
	for (unsigned i = 0; i < LG_STREAMS; i++) {
		struct lg_stream *stream = &streams->table[i];

		if (stream->believed && is_on(stream, page))
			stream->window = lg_max(stream->window / 2, 1);
	}
}
