/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A run: neighbours of one map that are claimed and out of their policy. Here are the ways in which they leave the map where there is
 * no limbo for them, or stay in it; each ends the claim.
 *
 * What is dirty is written from where it is, by a store that may refuse, or not come back. So not everybody writes: a touch, which may
 * be in a signal handler and another map's, leaves some stores to the writers, and of these not all are in one store.
 */
#ifndef LG_PAGER_RUN_H
#define LG_PAGER_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;

struct lg_run {
	struct lg_map *map;
	uint64_t first;
	uint64_t count;
};

/* For whom pages are taken out: a call has chosen them itself. */
enum lg_taker { LG_TAKER_TOUCH, LG_TAKER_WRITER, LG_TAKER_CALL };

/* Whether pages leave the map by limbo. */
bool lg_run_has_limbo(const struct lg_map *map);

/* One leaves as it came, or as it was synced. */
void lg_run_note_clean(struct lg_map *map);

/* They stay. The kernel does not let them go, or their store does not take them: others are chosen before them. */
void lg_run_refuse(const struct lg_run *run);

/* The same of one, by the kernel. */
void lg_run_refuse_busy(struct lg_map *map, uint64_t page);

/* They are out of the map: bytes, to be given back. */
uint64_t lg_run_forget(const struct lg_run *run);

/* Clean pages are dropped, but what is locked stays: how many left. */
uint64_t lg_run_drop(const struct lg_run *run);

/* Whether dirty pages of the map may be written by the taker now. */
bool lg_run_may_write(struct lg_map *map, enum lg_taker taker);

/* Dirty pages are written and dropped: how many left. *error: of what could not be written, if there is none yet. */
uint64_t lg_run_write(const struct lg_run *run, enum lg_taker taker, int *error);

/* Dirty pages are not written now. */
void lg_run_stay(const struct lg_run *run, enum lg_taker taker);

#endif
