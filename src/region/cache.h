/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A thread's cache: per class a private magazine before a stealable deque, within one budget of bytes.
 *
 * Invariants
 *   For each class, magazine count <= capacity and deque count <= deque limit.
 *   Sum over classes of (capacity + deque limit) * size = borrowed <= the option cache_bytes, except
 *   between a lowering of the option and the owner's next miss or the worker's visit.
 * The hit compares count with capacity and does no other accounting; a miss borrows capacity.
 *
 * Only the owner touches its magazines, but for a *revocation*: the worker takes what an idle thread
 * holds. The owner brackets each use with busy = 1 … busy = 0 and looks at `open` inside; the revoker
 * closes, passes a barrier through all threads, and takes only if the owner is not busy:
 *
 *      owner                          revoker
 *      busy = 1                       gate: OPEN -> CLOSED, compare-and-swap
 *      load gate                      membarrier
 *      OPEN: use the cache            load busy
 *      else: go round the cache       0: the cache is mine; 1: leave it alone
 *      busy = 0                       gate: CLOSED -> OPEN, compare-and-swap
 *
 * The barrier stands for a full fence in the owner between its store and its load, so the owner sees
 * CLOSED or the revoker sees busy = 1: never do both use the cache. tests/model/revoke.pml checks it.
 * A closed cache makes nobody wait: its owner serves itself from the pools.
 *
 * A record is type-stable: never freed, reused by later threads, counters and deque indices going on.
 * An exiting owner swaps ENDED into the gate. If it was OPEN, the exit is alone with the cache and
 * empties it; if it was CLOSED, the revoker finds ENDED when it wants to open, and empties it. One word
 * decides, so the record cannot meanwhile have become another thread's.
 *
 * Ordering edges
 *   C1  owner's leave: magazine before busy = 0, release    pairs with the revoker's acquire of busy
 *   C2  revoker's opening: magazine before OPEN, release     pairs with enter's acquire of the gate
 *   C3  exit: the owner's writes before ENDED; revoker: its writes before OPEN or its finding ENDED:
 *       both are read-modify-writes of the gate, acquire and release
 */
#ifndef LG_REGION_CACHE_H
#define LG_REGION_CACHE_H

#include "base/option.h"
#include "region/region.h"
#include "region/span.h"
#include "sync/deque.h"
#include "sync/registry.h"

enum { LG_MAGAZINE_SLOTS = 60 }; /* so that a magazine is 512 bytes */

struct lg_magazine {
	LG_LINE_ALIGNED _Atomic(uint32_t) count;
	_Atomic(uint32_t) capacity;
	_Atomic(uint64_t) allocations; /* of the class by this thread, hit or miss */
	_Atomic(uint64_t) frees;
	struct lg_region *slots[LG_MAGAZINE_SLOTS]; /* the newest last */
};

/* Counters of the cold paths, per thread and class. */
#define LG_TALLIES(X)                                                                              \
	X(from_deque)                                                                              \
	X(from_dirty)                                                                              \
	X(from_lazy)                                                                               \
	X(from_clean)                                                                              \
	X(steals)                                                                                  \
	X(zeroed) X(moved) X(copied) X(refused) X(dirty_in) X(dirty_out) X(lazy_in) X(lazy_out)

struct lg_tally {
	LG_LINE_ALIGNED
#define LG_TALLY_FIELD(name) _Atomic(uint64_t) name;
	LG_TALLIES(LG_TALLY_FIELD)
#undef LG_TALLY_FIELD
};

enum lg_gate { LG_GATE_CLOSED, LG_GATE_OPEN, LG_GATE_ENDED };

struct lg_cache {
	struct lg_record record;
	_Atomic(uint32_t) used; /* bit per class this record ever served */
	LG_LINE_ALIGNED _Atomic(uint32_t) busy;
	_Atomic(uint32_t) gate;     /* enum lg_gate */
	_Atomic(uint64_t) borrowed; /* bytes */
	_Atomic(uint64_t)
		credit;  /* bytes that the pools count as dirty and this thread took; pool.h */
	uint32_t denied; /* borrowings since one succeeded */
	uint32_t random;
	struct lg_magazine magazines[LG_CLASSES];
	_Atomic(uint32_t) deque_limits[LG_CLASSES];
	struct lg_deque deques[LG_CLASSES];
	struct lg_tally tallies[LG_CLASSES];
	uint64_t operations_seen[LG_CLASSES]; /* the worker's: to tell an idle magazine */
	uint64_t credit_seen;                 /* the worker's */
	_Atomic(uintptr_t) closer;            /* who closed it; the rest is the closer's alone */
	uint32_t closed_for;                  /* bit per class it was closed for */
};

static inline struct lg_cache *lg_cache_of(struct lg_record *record)
{
	return (struct lg_cache *)(void *)record;
}

/*
 * The calling thread's cache. Before its first miss it is `unattached` and after its exit hook `homeless`,
 * two caches whose gate is always closed.
 */
extern _Thread_local struct lg_cache *lg_self __attribute__((tls_model("initial-exec")));
extern struct lg_cache lg_unattached, lg_homeless;

/* The compiler must not take the address apart again: as one it costs a hit five instructions less. */
static inline struct lg_magazine *lg_cache_magazine(struct lg_cache *cache, unsigned class)
{
	struct lg_magazine *magazine = &cache->magazines[class];

	__asm__("" : "+r"(magazine));
	return magazine;
}

static inline void lg_cache_leave(struct lg_cache *cache)
{
	lg_store_release(&cache->busy, 0); /* C1 */
}

static inline bool lg_cache_enter(struct lg_cache *cache)
{
	lg_store_relaxed(&cache->busy, 1);
	lg_compiler_barrier();
	if (LG_LIKELY(lg_load_acquire(&cache->gate) == LG_GATE_OPEN)) /* C2 */
		return true;
	lg_cache_leave(cache);
	return false;
}

/* Inside the bracket: the newest region of the magazine; false if it is empty. */
static inline bool lg_magazine_pop(struct lg_magazine *magazine, struct lg_region **region)
{
	uint32_t count = lg_load_relaxed(&magazine->count);

	if (LG_UNLIKELY(count == 0))
		return false;
	lg_store_relaxed(&magazine->count, count - 1);
	*region = magazine->slots[count - 1];
	return true;
}

/* Inside the bracket: false if the magazine is full. */
static inline bool lg_magazine_push(struct lg_magazine *magazine, struct lg_region *region)
{
	uint32_t count = lg_load_relaxed(&magazine->count);

	if (LG_UNLIKELY(count >= lg_load_relaxed(&magazine->capacity)))
		return false;
	magazine->slots[count] = region;
	lg_store_relaxed(&magazine->count, count + 1);
	return true;
}

/* The homeless cache is shared by all threads without one. */
#define lg_count(cache, class, name, n)                                                            \
	lg_cache_add((cache), &(cache)->tallies[class].name, (uint64_t)(n))

static inline void lg_cache_add(struct lg_cache *cache, _Atomic(uint64_t) *counter, uint64_t n)
{
	if (cache == &lg_homeless)
		lg_add_relaxed(counter, n);
	else
		lg_own_add(counter, n);
}

/* A class larger than the whole budget goes straight to the pools. */
static inline bool lg_cache_serves(unsigned class)
{
	return lg_class_bytes(class) <= lg_option(cache_bytes);
}

/* Before the first miss of a class does anything: from then on all who walk the records look at it. */
static inline void lg_cache_note_use(struct lg_cache *cache, unsigned class)
{
	uint32_t used = lg_load_relaxed(&cache->used);

	if (LG_UNLIKELY((used & 1u << class) == 0) && cache != &lg_homeless)
		lg_store_release(&cache->used, used | 1u << class);
}

/*
 * All of these are the owner's; they open the bracket themselves and do nothing if it is closed. Inside it
 * there is no system call and no other bracket: regions leave through arrays, and go to the pool after.
 */

/* A free region from the magazine, or from the deque, whose newest then fill the magazine; or NULL. */
struct lg_region *lg_cache_pop(struct lg_cache *cache, unsigned class);

/* Keeps what fits of `regions` (newest last) in magazine and deque; the count that did not fit, which
 * are the first ones. */
unsigned lg_cache_stock(struct lg_cache *cache, unsigned class, struct lg_region **regions,
			unsigned count);

/*
 * Keeps one freed region: in the magazine, whose older half moves to the deque when it is full. What has
 * no room there is written to `spilled` (room for LG_SPILL), for the pool; how many.
 */
enum { LG_SPILL = LG_MAGAZINE_SLOTS };
unsigned lg_cache_push(struct lg_cache *cache, unsigned class, struct lg_region *region,
		       struct lg_region **spilled);

/* How many regions of the class one visit to the pools may bring. */
unsigned lg_cache_appetite(struct lg_cache *cache, unsigned class);

/* Moves everything to the pools. */
void lg_cache_flush(struct lg_cache *cache);

/* At each miss: the same if the budget was lowered below what is borrowed, or a class denied too often. */
enum { LG_DENIED_MAX = 16 };
static inline void lg_cache_rebalance(struct lg_cache *cache)
{
	if (LG_UNLIKELY(cache->denied >= LG_DENIED_MAX ||
			lg_load_relaxed(&cache->borrowed) > lg_option(cache_bytes)))
		lg_cache_flush(cache);
}

/* Whoever is alone with the cache, a revoker: one class's to the pool; how many. */
unsigned lg_cache_drain_class(struct lg_cache *cache, unsigned class);

/* The same for the credit: how much it was. */
uint64_t lg_cache_drain_credit(struct lg_cache *cache);

/* Tests, when the owner rests: the invariants hold. */
void lg_cache_check(struct lg_cache *cache);

#endif
