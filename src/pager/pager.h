/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The pager: one budget of memory, and what all its maps share.
 *
 * The life of a page: a fault finds it OUT, takes its bytes from the budget, reads it from the store and puts it
 * into the map, all in one step for other threads (fill.c). It is then resident: it has a handle, which
 * its policy sees. Eviction (evict.c) asks the policy for victims and moves them, in batches, into frames:
 * LIMBO. From there a fault brings them back without I/O (limbo.c); else the writer writes what is
 * UNWRITTEN (writer.c), and frames that are clean give their memory to whoever wants it.
 *
 * One lock, taken with signals blocked. BUSY of a page (word.h) may be held when it is taken, and is waited
 * for only without it; nothing that holds BUSY of a page waits for that of another.
 *
 * Budget: `charged` is the memory of mapped pages, frames and staging buffers. It is taken before memory
 * is, given back after memory is gone, and never beyond what the budget has room for (budget.h).
 */
#ifndef LG_PAGER_PAGER_H
#define LG_PAGER_PAGER_H

#include "base/bits.h"
#include "base/times.h"
#include "os/hangup.h"
#include "os/latch.h"
#include "os/userfault.h"
#include "pager/crew.h"
#include "pager/flight.h"
#include "pager/frame.h"
#include "pager/options.h"
#include "pager/piece.h"
#include "pager/prefetch.h"
#include "pager/resident.h"
#include "pager/roster.h"
#include "pager/server.h"
#include "pager/staging.h"
#include "pager/trace.h"

#include <lgalloc/pager.h>

#include <pthread.h>

struct lg_map;

enum {
	LG_MAPS = 4096,       /* of one pager */
	LG_BATCH = 128,       /* most pages one eviction takes out */
	LG_THREADS_MOST = 16, /* of each kind */
	LG_PAGES_LEAST = 8,   /* of the budget, or an instruction across two of them may not end */
};

#define LG_BATCH_BYTES LG_MIB(4)
#define LG_BATCH_DIRECT_BYTES LG_MIB(1) /* a fault waits, and others evict as well */
#define LG_WRITE_BYTES LG_MIB(4)        /* most one write to a store is */

enum lg_pager_counter {
#define LG_PAGER_COUNTER_NAME(name, what) LG_PAGER_##name,
	LG_PAGER_COUNTERS(LG_PAGER_COUNTER_NAME)
#undef LG_PAGER_COUNTER_NAME
		LG_PAGER_COUNTERS_END,
};

struct lg_pager {
	struct lg_os_userfault userfault; /* of the maps */
	/*
	 * That of the frames: a fault there, as mlockall causes, has no thread that could serve it, and has to
	 * be an error for who has it.
	 */
	struct lg_os_userfault frames_userfault;
	const struct lg_os_userfault *to_frames;
	struct lg_pager_options options;
	bool in_threads;
	int process;                /* that made it: in a child nothing of it works */
	struct lg_os_hangup hangup; /* of those that wait for faults */

	/* Of residents with their policies, pieces, frames and streams. */
	LG_LINE_ALIGNED struct lg_os_latch lock;
	struct lg_residents residents;
	struct lg_pieces pieces;
	struct lg_frames frames[LG_PAGE_SHIFTS];
	struct lg_crew writers;
	struct lg_crew helpers; /* who writes to make room, and is none of these */

	LG_LINE_ALIGNED _Atomic(uint64_t) budget;
	_Atomic(uint64_t) tables;     /* bytes of those of residents, frames and words */
	_Atomic(uint64_t) word_bytes; /* of the maps' words that were used */
	_Atomic(uint64_t) map_tables; /* the same, and the kernel's page tables of maps */
	_Atomic(uint64_t) charged;
	_Atomic(uint64_t)
		kept; /* bytes that only one who waits in front may have; 0: there is none */
	_Atomic(uint64_t) kept_until; /* ms */
	_Atomic(uint64_t) peak;
	_Atomic(uint64_t) pinned;
	_Atomic(uint32_t) freed; /* goes up when memory was given back */
	_Atomic(uint32_t) waiting;

	LG_LINE_ALIGNED _Atomic(uint32_t) work; /* goes up when the writers are wanted */
	_Atomic(uint32_t) writers_asleep;
	_Atomic(uint32_t) writers_begun;
	_Atomic(uint32_t) spare_work;  /* the same of those that are spare */
	_Atomic(uint64_t) spare_until; /* ms: so long they are wanted */
	_Atomic(uint64_t) flush_at;    /* ms; 0: nothing is dirty */
	_Atomic(bool) stop;
	_Atomic(int) write_failure; /* of the last that failed */
	_Atomic(uint32_t) refusing; /* maps that refuse */
	_Atomic(uint64_t) look_at;  /* ms: what is REFUSED is looked over again */
	_Atomic(uint32_t) asked;    /* goes up when somebody wants every map tried that refuses */
	_Atomic(uint32_t) answered; /* what `asked` was when all of them had been */
	_Atomic(uint32_t) retrying; /* who try some of it: of `writing`, if any */
	_Atomic(uint64_t)
		retry_until; /* ms: the last of them alone may, for he does not hang; 0: he is back */
	_Atomic(uint32_t) reading; /* calls of stores that are not back */
	_Atomic(uint32_t) writing;
	_Atomic(uint32_t) doubtful;   /* of `writing`: by stores that refused before */
	_Atomic(uint64_t) settled_at; /* ms: when some of limbo last became CLEAN by it */
	_Atomic(uint32_t) demands;    /* of those that read, what a fault waits for */

	struct lg_staging staging;
	struct lg_nursery nursery;
	struct lg_requests requests;
	struct lg_flights flights;

	pthread_mutex_t next_message; /* its holder alone waits for one */
	struct lg_servers servers;
	pthread_t threads[2 * (LG_THREADS_MOST + LG_CREW_SPARE) + LG_SERVERS_ALL];
	unsigned thread_count; /* under the lock, but at the pager's start and end */
	struct lg_os_latch threads_lock;
	_Atomic(uint32_t) readers;

	pthread_mutex_t resizing;     /* for as long as it takes */
	struct lg_os_latch maps_lock; /* also: budget, page_most and more pins fit each other */
	/* From before the atlas has them until their store is to be closed: a child of fork finds them here. */
	_Atomic(struct lg_map *) maps[LG_MAPS];
	_Atomic(uint32_t) map_count;
	_Atomic(uint64_t) map_bytes;
	_Atomic(uint64_t) page_most; /* the largest page a map ever had */
	uint32_t next_map;           /* place in the table to be tried first */
	uint64_t memory_most;        /* what the budget may be raised to */

	_Atomic(struct lg_trace *) trace;
	_Atomic(uint32_t)
		renewing; /* 1: a reader renews a map (renew.h); one at a time, for it waits for others */
	_Atomic(uint32_t) slow_stores; /* maps whose store cannot be called inside a signal handler */

	LG_LINE_ALIGNED _Atomic(uint64_t) counters[LG_PAGER_COUNTERS_END];
	struct lg_times fault_ns;
	struct lg_times read_ns;
	struct lg_times write_ns;

	char name[LG_PAGER_NAME_BYTES]; /* under the roster's lock, as what follows */
	struct lg_pager *older, *newer;
};

#define lg_pager_count(pager, name, n)                                                             \
	lg_add_relaxed(&(pager)->counters[LG_PAGER_##name], (uint64_t)(n))

static inline struct lg_frames *lg_pager_frames(struct lg_pager *pager, unsigned shift)
{
	return &pager->frames[shift - LG_PAGE_SHIFT_MIN];
}

/* The pager's lock. Between take and release no signal handler runs in this thread. */
static inline uint64_t lg_pager_lock(struct lg_pager *pager)
{
	return lg_os_latch_hold(&pager->lock);
}

static inline void lg_pager_unlock(struct lg_pager *pager, uint64_t signals)
{
	lg_os_latch_let_go(&pager->lock, signals);
}

/* What the frames of one list have, of all page sizes. */
static inline uint64_t lg_pager_frame_bytes(const struct lg_pager *pager, enum lg_frame_list list)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++)
		bytes += lg_frame_bytes(&pager->frames[i], list);
	return bytes;
}

static inline uint64_t lg_pager_unwritten_bytes(const struct lg_pager *pager)
{
	return lg_pager_frame_bytes(pager, LG_FRAME_UNWRITTEN) +
	       lg_pager_frame_bytes(pager, LG_FRAME_REFUSED);
}

/* `count` frames from `first` to the end of a list. */
static inline void lg_pager_put_frames(struct lg_pager *pager, struct lg_frames *frames,
				       uint32_t first, uint64_t count, enum lg_frame_list list)
{
	uint64_t signals = lg_pager_lock(pager);

	for (uint32_t i = 0; i < count; i++)
		lg_frame_put(frames, first + i, list);
	lg_pager_unlock(pager, signals);
}

/* The largest page of its maps, or that they would have by default. */
static inline uint64_t lg_pager_page_most(const struct lg_pager *pager)
{
	return lg_max(lg_load_relaxed(&pager->page_most), pager->options.page);
}

/* -errno in words. `name`: what those call it who watch, NULL: its number. */
int lg_pager_make(const struct lg_pager_options *options, const char *name,
		  struct lg_pager **pager);

/* Says what was wanted, the error's name, and RLIMIT_AS or RLIMIT_DATA where it may be why. Returns `error`. */
int lg_pager_refuse(const char *what, int error);

/* More readers, for stores whose reads are long and many: as many as there can be. -errno in words. */
int lg_pager_add_readers(struct lg_pager *pager);

/* The budget of a pager that nobody named one for. */
uint64_t lg_pager_memory_auto(void);

/* lg_pager_stats_read, of a pager that is there. */
void lg_pager_measure(struct lg_pager *pager, struct lg_pager_stats *stats);

/* NULL: the default one. In a child of fork: NULL, ECHILD. */
struct lg_pager *lg_pager_of_caller(struct lg_pager *pager);

/* In a child of fork: there are no pagers and no maps. */
void lg_pager_forget(void);

#endif
