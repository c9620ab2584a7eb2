/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/frame.h"

#include "base/bits.h"
#include "base/require.h"
#include "os/map.h"

enum { USED_STEP = 1024 };

static bool is_linked(uint32_t list)
{
	return list >= LG_FRAME_FREE;
}

static uint32_t count_of(const struct lg_frames *frames, uint32_t list)
{
	return lg_load_relaxed(&frames->lists[list].count);
}

static void set_count(struct lg_frames *frames, uint32_t list, uint32_t count)
{
	lg_store_release(&frames->lists[list].count, count); /* F1 */
}

int lg_frames_make(struct lg_frames *frames, void *base, uint32_t count, unsigned shift, bool huge)
{
	void *table;

	LG_ASSERT(count <= LG_FRAMES_MOST);
	int error = lg_os_map_table((size_t)count * sizeof(struct lg_frame), &table);

	if (error != 0)
		return error;
	frames->base = base;
	frames->shift = shift;
	frames->huge = huge;
	frames->count = count;
	frames->used = frames->hand = 0;
	frames->table = table;
	for (unsigned list = 0; list < LG_FRAME_LISTS; list++) {
		frames->lists[list].first = frames->lists[list].last = LG_FRAME_NONE;
		set_count(frames, list, 0);
	}
	set_count(frames, LG_FRAME_EMPTY, count); /* EMPTY is 0: the table is as it should be */
	lg_store_release(&frames->is_made, true); /* F1 */
	return 0;
}

void lg_frames_end(struct lg_frames *frames)
{
	lg_os_unreserve(frames->table, (size_t)frames->count * sizeof(struct lg_frame));
	frames->table = NULL;
	lg_store_relaxed(&frames->is_made, false);
}

static void unlink_frame(struct lg_frames *frames, struct lg_frame *frame)
{
	if (frame->previous != LG_FRAME_NONE)
		frames->table[frame->previous].next = frame->next;
	else
		frames->lists[frame->list].first = frame->next;
	if (frame->next != LG_FRAME_NONE)
		frames->table[frame->next].previous = frame->previous;
	else
		frames->lists[frame->list].last = frame->previous;
}

static void append(struct lg_frames *frames, uint32_t index)
{
	struct lg_frame *frame = &frames->table[index];

	frame->next = LG_FRAME_NONE;
	frame->previous = frames->lists[frame->list].last;
	if (frame->previous != LG_FRAME_NONE)
		frames->table[frame->previous].next = index;
	else
		frames->lists[frame->list].first = index;
	frames->lists[frame->list].last = index;
}

void lg_frame_put(struct lg_frames *frames, uint32_t index, enum lg_frame_list list)
{
	struct lg_frame *frame = &frames->table[index];

	LG_ASSERT(index < frames->count);
	if (is_linked(frame->list))
		unlink_frame(frames, frame);
	set_count(frames, frame->list, count_of(frames, frame->list) - 1);
	frame->list = list;
	set_count(frames, list, count_of(frames, list) + 1);
	if (is_linked(list))
		append(frames, index);
}

/* As few as let half of them be EMPTY, so that there are runs: tables grow with what is used. */
static void use_more(struct lg_frames *frames, uint32_t want)
{
	uint32_t taken = frames->count - count_of(frames, LG_FRAME_EMPTY);
	uint64_t wanted = 2 * ((uint64_t)taken + want);

	if (frames->used < wanted)
		frames->used = (uint32_t)lg_min(lg_round_up(wanted, USED_STEP), frames->count);
}

uint32_t lg_frame_take(struct lg_frames *frames, uint32_t want, uint32_t *first)
{
	uint32_t got = 0;

	if (count_of(frames, LG_FRAME_EMPTY) == 0 || want == 0)
		return 0;
	use_more(frames, want);
	while (frames->hand == frames->used || frames->table[frames->hand].list != LG_FRAME_EMPTY)
		frames->hand = frames->hand < frames->used ? frames->hand + 1 : 0;
	*first = frames->hand;
	while (got < want && frames->hand < frames->used &&
	       frames->table[frames->hand].list == LG_FRAME_EMPTY) {
		lg_frame_put(frames, frames->hand++, LG_FRAME_HELD);
		got++;
	}
	return got;
}

void lg_frames_note(struct lg_frames *frames, uint32_t entered, uint32_t returned)
{
	enum { LATELY = 4096 };

	frames->entered += entered;
	frames->returned += returned;
	if (frames->entered >= LATELY) {
		frames->entered /= 2;
		frames->returned /= 2;
	}
}

static bool list_is_sound(const struct lg_frames *frames, uint32_t list)
{
	uint32_t count = 0, previous = LG_FRAME_NONE;

	for (uint32_t i = frames->lists[list].first; i != LG_FRAME_NONE;
	     i = frames->table[i].next) {
		if (frames->table[i].list != list || frames->table[i].previous != previous)
			return false;
		previous = i;
		count++;
	}
	return previous == frames->lists[list].last && count == count_of(frames, list);
}

bool lg_frames_check(const struct lg_frames *frames)
{
	uint32_t total = 0;

	for (uint32_t list = 0; list < LG_FRAME_LISTS; list++) {
		total += count_of(frames, list);
		if (is_linked(list) && !list_is_sound(frames, list))
			return false;
	}
	return total == frames->count;
}
