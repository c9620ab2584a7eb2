/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/history.h"

#include <stdlib.h>
#include <string.h>

static struct lg_history_map *map_of(struct lg_history *history,
				     const struct lg_trace_record *record)
{
	uint32_t before = history->map_numbers.count, number;

	if (!lg_numbering_of(&history->map_numbers, record->map, record->shift, &number))
		return NULL;
	if (number == before) {
		struct lg_history_map *maps =
			realloc(history->maps, (before + (size_t)1) * sizeof(*maps));

		if (maps == NULL)
			return NULL;
		history->maps = maps;
		maps[number] =
			(struct lg_history_map){ .map = record->map, .shift = record->shift };
	}
	return &history->maps[number];
}

static bool add(struct lg_history *history, struct lg_access access)
{
	if (history->count == history->room) {
		size_t room = history->room > 0 ? 2 * history->room : 1 << 16;
		struct lg_access *accesses = realloc(history->accesses, room * sizeof(*accesses));

		if (accesses == NULL)
			return false;
		history->accesses = accesses;
		history->room = room;
	}
	history->accesses[history->count++] = access;
	return true;
}

static bool visit(void *context, const struct lg_trace_record *record)
{
	struct lg_history *history = context;
	struct lg_history_map *map = map_of(history, record);
	uint32_t before = history->pages.count, thread;
	struct lg_access access = { .write = false };

	if (map == NULL)
		return false;
	switch ((enum lg_trace_kind)record->kind) {
	case LG_TRACE_READ:
	case LG_TRACE_LIMBO_READ:
		break;
	case LG_TRACE_WRITE:
	case LG_TRACE_LIMBO_WRITE:
	case LG_TRACE_PROTECT:
		access.write = true;
		break;
	case LG_TRACE_EVICT:
	case LG_TRACE_EVICT_DIRTY:
		map->evictions++;
		return true;
	default:
		return true;
	}
	if (!lg_numbering_of(&history->pages, record->page,
			     (uint64_t)record->map << 8 | record->shift, &access.page) ||
	    !lg_numbering_of(&history->threads, record->thread, 0, &thread))
		return false;
	map->uses++;
	map->pages += history->pages.count > before;
	access.thread = (uint16_t)(thread < UINT16_MAX ? thread : UINT16_MAX);
	return (history->only != LG_HISTORY_ALL && history->only != record->map) ||
	       add(history, access);
}

int lg_history_read(const char *path, uint64_t only, struct lg_history *history)
{
	memset(history, 0, sizeof(*history));
	history->only = only;
	int error = lg_recording_read(path, &history->recording, visit, history);
	if (error != 0)
		lg_history_end(history);
	return error;
}

void lg_history_end(struct lg_history *history)
{
	lg_numbering_end(&history->pages);
	lg_numbering_end(&history->threads);
	lg_numbering_end(&history->map_numbers);
	free(history->accesses);
	free(history->maps);
	history->accesses = NULL;
	history->maps = NULL;
}
