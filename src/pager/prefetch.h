/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Reading ahead: requests that faults and advice leave, and the readers, threads that serve them.
 *
 * The queue is bounded; what finds it full is forgotten, for a page that is not read ahead is read when it
 * is touched. Under the queue's own lock, which is taken last.
 *
 * Those who wait are served before all that is read ahead, in their turn, but for those of a map that has enough readers (crew.h): its
 * store may not come back.
 *
 * Ordering edge P1 stop and post to the count of posts: a reader that has seen the last count sees the stop.
 */
#ifndef LG_PAGER_PREFETCH_H
#define LG_PAGER_PREFETCH_H

#include "base/bits.h"
#include "os/bus.h"
#include "os/latch.h"
#include "pager/crew.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_map;
struct lg_pager;

enum { LG_REQUESTS = 256 };

struct lg_request {
	struct lg_map *map;
	uint64_t page;
	uint32_t count;
	uint32_t step; /* blocks, of which the first is wanted: of a map that has flights */
	bool backward; /* its last page will be touched first */
	bool advised;  /* by the user, not by a stream */
	bool demand;   /* somebody waits; the page's BUSY comes with it */
	enum lg_os_access access;
	uint32_t thread; /* who waits */
};

struct lg_requests {
	LG_LINE_ALIGNED struct lg_os_latch lock;
	_Atomic(uint32_t) posted; /* goes up with each request */
	uint32_t asleep;
	struct lg_crew crew; /* of the readers; at work for a map are those that somebody waits for */
	uint32_t ahead;      /* readers that are reading ahead */
	bool launching;      /* one of them starts a flight */
	uint32_t head;
	uint32_t count;
	struct lg_request ring[LG_REQUESTS];
};

/* The calling thread faulted at `page`. Signals are blocked; no lock is held. */
void lg_prefetch_follow(struct lg_map *map, uint64_t page, bool stalled);

/*
 * A page of zeros is to be written: how many, with it, to bring in at once, because writes follow each other.
 * The same conditions.
 */
uint64_t lg_prefetch_zeros(struct lg_map *map, uint64_t page);

/* Bytes that are read ahead at most, and not touched yet. */
uint64_t lg_prefetch_most(const struct lg_pager *pager);

/* The same for one map. */
uint64_t lg_prefetch_window(const struct lg_map *map);

/* Asks for a range, as far as the queue has room. */
void lg_prefetch_range(struct lg_map *map, uint64_t first, uint64_t end);

/*
 * A page is touched whose store cannot be called here: a reader fills it before all else. BUSY of the page,
 * which is OUT, goes to it. False: the queue is full of others, and BUSY stays with the caller.
 */
bool lg_prefetch_demand(struct lg_map *map, uint64_t page, enum lg_os_access access);

/* A request that had to wait may be served now. */
void lg_prefetch_look(struct lg_pager *pager);

/* A reader's life. */
void *lg_prefetch_run(void *pager);

/* Until no request of the map is open. */
void lg_prefetch_drain(struct lg_map *map);

#endif
