/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a trace says of the use of pages, as the simulator wants it. A page is known by its map, number and size;
 * a use is a fault: pages that were read ahead or evicted were not used thereby.
 */
#ifndef LG_TOOL_HISTORY_H
#define LG_TOOL_HISTORY_H

#include "pager/simulator.h"
#include "tool/numbering.h"
#include "tool/recording.h"

/* Of one map with pages of one size. */
struct lg_history_map {
	uint32_t map;
	unsigned shift;
	uint64_t pages;
	uint64_t uses;
	uint64_t evictions;
};

struct lg_history {
	struct lg_recording recording;
	struct lg_access *accesses;
	size_t count;
	size_t room;
	struct lg_numbering pages;
	struct lg_numbering threads;
	struct lg_numbering map_numbers;
	struct lg_history_map *maps; /* map_numbers.count of them */
	uint64_t only;               /* this map; LG_HISTORY_ALL: every */
};

#define LG_HISTORY_ALL UINT64_MAX

/* Of the whole trace, or of one map of it; its maps are listed all the same. 0 or -errno, with lg_error(). */
int lg_history_read(const char *path, uint64_t only, struct lg_history *history);
void lg_history_end(struct lg_history *history);

#endif
