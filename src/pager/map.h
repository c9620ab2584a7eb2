/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A map: an address range whose pages come from one store.
 *
 * `words` has one for each page, in memory that is taken as it is touched; behind them `tracts` says which of them to look
 * at (tract.h).
 */
#ifndef LG_PAGER_MAP_H
#define LG_PAGER_MAP_H

#include "pager/around.h"
#include "pager/forecast.h"
#include "pager/pager.h"
#include "pager/share.h"
#include "pager/stream.h"
#include "pager/transfer.h"
#include "pager/word.h"
#include "remote/tally.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lg_map {
	struct lg_pager *pager;
	struct lg_store *store;
	struct lg_policy_use *use;
	char *base;
	uint64_t bytes;
	uint64_t pages;
	lg_word *words;
	_Atomic(uint64_t) *tracts;
	uint32_t index;
	unsigned shift;
	bool huge;     /* pages are moved in, whole, and arrive writable */
	bool readonly; /* PROT_READ */
	bool protects; /* CLEAN pages can be mapped: writes to them are seen */
	bool prefetch;
	bool lent;                  /* the addresses are somebody else's */
	bool simple;                /* of lg_file_alloc: its address ends it */
	lg_forecast forecast;       /* of what its reads bring in */
	_Atomic(uint32_t) access;   /* enum lg_advice: SEQUENTIAL, RANDOM or NORMAL */
	_Atomic(int) write_error;   /* -errno since the last sync; 0: none */
	_Atomic(bool) refuses;      /* the store failed to write, the last time */
	_Atomic(uint64_t) retry_at; /* ms: it is tried again, if it refuses */
	_Atomic(uint32_t) tried; /* what the pager's `asked` was, before the last try that is over */
	_Atomic(uint32_t) writes;   /* that it is not back from */
	_Atomic(uint64_t) wrote_at; /* ms: when it was back last, or began while there were none */
	uint32_t writers;           /* at work for it, of their crew; under the pager's lock */
	uint32_t helpers;           /* the same of who helps them */
	uint32_t servers;           /* the same as of writers, under the servers' latch */
	uint32_t readers;           /* the same, under the queue's lock */
	_Atomic(uint32_t) poisoned;
	_Atomic(uint64_t) word_bytes;     /* of those that were used */
	_Atomic(uint64_t) tables;         /* bytes, as in struct lg_pager_stats */
	_Atomic(uint32_t) requests;       /* of reading ahead, not done yet */
	_Atomic(uint32_t) demands_failed; /* of those for whom others read */
	_Atomic(bool) closing;
	_Atomic(bool) stale;       /* the store has another version (renew.h) */
	_Atomic(uint64_t) changes; /* how often it was done */
	uint64_t block; /* pages that are read for one that is touched, where the store fetches */
	struct lg_share share;     /* of reads under way */
	struct lg_streams streams; /* of blocks; under the pager's lock */
	struct lg_around around;   /* under the pager's lock */
};

static inline uint64_t lg_map_page_bytes(const struct lg_map *map)
{
	return (uint64_t)1 << map->shift;
}

static inline char *lg_map_page_at(const struct lg_map *map, uint64_t page)
{
	return map->base + (page << map->shift);
}

/* Of the map's page size. */
static inline struct lg_frames *lg_map_frames(const struct lg_map *map)
{
	return lg_pager_frames(map->pager, map->shift);
}

/* The resident, and the hash, of the page that has this word. */
static inline struct lg_resident *lg_map_resident(const struct lg_map *map, uint64_t word)
{
	return lg_resident_at(&map->pager->residents, lg_word_handle(word));
}

static inline uint64_t lg_map_hash(const struct lg_map *map, uint64_t word)
{
	return lg_resident_hash(&map->pager->residents, lg_word_handle(word));
}

static inline void lg_map_set_hash(const struct lg_map *map, uint64_t word, uint64_t hash)
{
	lg_resident_set_hash(&map->pager->residents, lg_word_handle(word), hash);
}

/*
 * What is read comes writable, with its hash: only what leaves by limbo is compared with it. Not from a store that refuses writes,
 * or hangs: what is only read is to leave whatever fills limbo.
 */
static inline bool lg_map_expects_writes(const struct lg_map *map)
{
	return map->pager->userfault.can_move && lg_load_relaxed(&map->forecast) > 0 &&
	       !lg_load_relaxed(&map->refuses) && !lg_transfer_hangs(map);
}

/* The page is about to be written, whatever becomes of that; one that has a hash differs from it, which nobody knew before. */
static inline void lg_map_forget_hash(struct lg_map *map, uint64_t word)
{
	if (lg_map_hash(map, word) >= LG_HASHES) {
		lg_forecast_note(&map->forecast, true);
		lg_pager_count(map->pager, bytes_dirtied, lg_map_page_bytes(map));
	}
	lg_map_set_hash(map, word, LG_HASH_NONE);
}

/* The store has nothing for this page: it is zeros. */
static inline bool lg_map_is_zero(const struct lg_map *map, uint64_t word)
{
	return map->store->begins_zero && (word & LG_WORD_STORED) == 0;
}

/* What it holds of pages; of the last one perhaps less. In whole units of the store's alignment. */
static inline uint64_t lg_map_stored_bytes(const struct lg_map *map, uint64_t page, uint64_t count)
{
	uint64_t from = page << map->shift, to = (page + count) << map->shift;

	return lg_min(to, lg_round_up(map->bytes, map->store->alignment)) - from;
}

/* Pages that came from the store are touched: now, or (useful) some time after they were read ahead. */
static inline void lg_map_count_wanted(struct lg_map *map, uint64_t count)
{
	lg_pager_count(map->pager, bytes_wanted, count << map->shift);
	if (map->store->is_remote)
		lg_remote_count(bytes_used, lg_min(count << map->shift, map->bytes));
}

static inline void lg_map_count_useful(struct lg_map *map, uint64_t count)
{
	lg_pager_count(map->pager, prefetch_useful, count);
	if (map->store->is_remote)
		lg_remote_count(prefetch_hits, count);
	lg_map_count_wanted(map, count);
}

/* Pages were read ahead. */
static inline void lg_map_count_ahead(struct lg_map *map, uint64_t count)
{
	lg_pager_count(map->pager, prefetched, count);
	if (map->store->is_remote)
		lg_remote_count(prefetched, count);
}

/*
 * A map over addresses that are reserved already, and are so again after lg_map_close. The store is taken
 * over, also where it fails. -errno in words.
 */
int lg_map_make_at(struct lg_pager *pager, void *at, struct lg_store *store, unsigned shift,
		   struct lg_map **map);

/* The same anywhere. NULL and errno. */
struct lg_map *lg_map_make(struct lg_pager *pager, struct lg_store *store,
			   const struct lg_map_options *options);

/* The map at this place of the pager's table. */
static inline struct lg_map *lg_map_of(struct lg_pager *pager, uint32_t index)
{
	return lg_load_acquire(&pager->maps[index]);
}

/* Of a call of the program. In words, -EINVAL: it is NULL; -ECHILD: this is a child of the process that has it. */
int lg_map_check(const struct lg_map *map);

/* The same, and pages that a range of bytes touches; -EINVAL too: it is not inside the map. */
int lg_map_range(const struct lg_map *map, size_t offset, size_t length, uint64_t *first,
		 uint64_t *end);

/* The first error since the last sync is kept. */
void lg_map_note_error(struct lg_map *map, int error);
int lg_map_take_error(struct lg_map *map);

/* Its store did, or did not, fail to write: one of those that the pager counts. */
void lg_map_set_refuses(struct lg_map *map, bool refuses);

#endif
