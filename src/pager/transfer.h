/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Reads and writes of pages through their map's store, counted and timed; BUSY of all of them is the
 * caller's. 0 or -errno.
 */
#ifndef LG_PAGER_TRANSFER_H
#define LG_PAGER_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_os_io_queue;
struct lg_pager;

/* `count` pages to `buffer`, retried; what lies behind the map's end is zeroed. */
int lg_transfer_read(struct lg_map *map, uint64_t page, uint64_t count, void *buffer);

/* The same before they are touched. */
int lg_transfer_read_ahead(struct lg_map *map, uint64_t page, uint64_t count, void *buffer);

/* `count` pages from `page`, each at its place. */
struct lg_write {
	struct lg_map *map;
	uint64_t page;
	uint64_t count;
	const void *const *places;
	int error; /* of one of many */
};

/* A failure is noted in the map. */
int lg_transfer_write(const struct lg_write *write);

/* A write is under way, and for long no write has ended. */
bool lg_transfer_hangs(const struct lg_map *map);

/* The same for a moment only: who just helps out, or touches, stays away. */
bool lg_transfer_lags(const struct lg_map *map);

/* Writes of any map are under way, and a moment ago one brought memory. */
bool lg_transfer_goes_on(const struct lg_pager *pager);

/* The store refused, and was not tried since somebody asked: it may be, if it does not hang. */
bool lg_transfer_is_awaited(const struct lg_map *map);

/* The store refused, or hangs, and is not to be tried now. */
bool lg_transfer_rests(const struct lg_map *map);

/*
 * Stores that refuse are tried by one at a time, as that may take long; but he may not come back, and others' stores work: his time
 * is over when his counts as one that hangs. False: somebody is at it.
 */
bool lg_transfer_begin_try(struct lg_pager *pager, uint64_t *until);
void lg_transfer_end_try(struct lg_pager *pager, uint64_t until);

/* What the store has of these is of no use: a hint, and no write. */
void lg_transfer_discard(struct lg_map *map, uint64_t page, uint64_t count);

enum { LG_TRANSFER_PAGES = 512 };

/*
 * The same for several of one map, whose store writes many at once: at most LG_STORE_MANY, of LG_STORE_PARTS parts each, with
 * LG_TRANSFER_PAGES pages in all. Each has its error then. `queue`: the calling thread's, which is one of the library's: its stack is
 * large.
 */
void lg_transfer_write_many(struct lg_os_io_queue *queue, struct lg_write *writes, unsigned count);

#endif
