/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One open heap, and who may touch what.
 *
 * The image is mapped privately: what the program writes stays in this process until a commit puts it into
 * the journal. So everything in the image, bitmaps and roots as well as data, changes in the file by
 * whole commits, and the code that changes bitmaps needs to know nothing of crashes.
 *
 * Volatile beside it, rebuilt at open and at rollback: descriptors of chunks, a byte per slot ("live"),
 * threads' caches, depots. They are what makes a call fast; the bitmaps are what is true after a crash:
 *   a bit is 1  <=>  its slot is handed out, or lies in a thread's cache or a depot
 * and at a commit, with the gate closed, all caches go back to the bitmaps, so that in the file
 *   a bit is 1  <=>  its slot is handed out.
 *
 * Locks, in the order in which they may be taken:
 *   commit    one commit, rollback, snapshot or close at a time; held over I/O, never taken by alloc or free
 *   checkpoint  one checkpoint at a time; held over I/O
 *   gate      not a lock, but closed only under `commit`: gate.h
 *   class     a size class's depot, list of chunks, and their bitmaps: no I/O, no waiting
 *   space     the chunk table, units, the file's size; held over ftruncate and fallocate (microseconds)
 *   journal   what of the ring is in use, the records in it, `failed`
 * With the gate closed nobody is inside an operation: then nobody has `class` or `space`, and the thread that
 * closed it may touch everything they guard.
 */
#ifndef LG_HEAP_HEAP_H
#define LG_HEAP_HEAP_H

#include "base/atomic.h"
#include "heap/format.h"
#include "os/disk.h"
#include "os/written.h"

#include <lgalloc/heap.h>
#include <pthread.h>

enum { LG_HEAP_LABEL_BYTES = 64 };
enum { LG_MAGAZINE_SLOTS = 64, LG_TRANSFER = 32, LG_DEPOT_SLOTS = 1024 };

/* A free slot in a cache: its address, and the byte that says whether it is live. */
struct lg_slot {
	char *address;
	_Atomic(uint8_t) *live;
};

/* The free slots from floor to top, the last one the next to go. */
struct lg_heap_magazine {
	_Alignas(32) struct lg_slot *top;
	struct lg_slot *floor;
	struct lg_slot *ceiling;
};

static inline uint32_t lg_heap_magazine_count(const struct lg_heap_magazine *magazine)
{
	return (uint32_t)(magazine->top - magazine->floor);
}

enum lg_heap_thread_state { LG_THREAD_OWNED, LG_THREAD_ABANDONED };

/* What one thread has of one heap. Written by its owner; by others only with the gate closed. */
struct lg_heap_thread {
	LG_LINE_ALIGNED _Atomic(uint32_t) inside; /* depth of begins; G1, G2 in gate.h */
	_Atomic(uint64_t) allocations;
	_Atomic(uint64_t) frees;
	_Atomic(uint32_t) state;
	uintptr_t owner; /* an address of the owner's own */
	struct lg_heap_thread *next;
	struct lg_heap_magazine magazines[LG_HEAP_CLASSES];
	struct lg_slot slots[LG_HEAP_CLASSES][LG_MAGAZINE_SLOTS];
};

/*
 * Volatile, one for each chunk, at its number: one cache line, which is all but the live byte that a free looks at.
 *
 * A slot's number is found by a multiplication: g = (offset - first) / 16 is q * d + r, where d is the slot's size in
 * granules of 16 bytes, at most 2^12, and g is below 2^17. With c = 2^31 / d, rounded up,
 *     g * c >> 31 == q    and    (g * c) % 2^31 < c  <=>  r == 0:
 * c * d = 2^31 + e with e < d, so g * c = q * 2^31 + q * e + r * c, where q * e < 2^17 <= c / 4, and the last two terms
 * together are below 2^31.
 */
struct lg_chunk {
	_Atomic(uint32_t)
		granules;    /* that slots take; 0: the rest is not set, nor are the live bytes */
	uint32_t first;      /* offset of the first slot in the chunk */
	uint32_t reciprocal; /* c */
	uint32_t slots;
	_Atomic(uint8_t) *live;
	uint64_t freed; /* the epoch in which a unit was freed last */
	uint32_t free;  /* SLAB: bits that are 0 */
	uint32_t next;  /* SLAB: the next with free slots, 0: the last */
	union {
		uint32_t cursor;  /* SLAB: no bit is 0 in words of the bitmap before it */
		uint32_t newborn; /* EXTENT: units that were free at the last commit, for sure */
	};
	uint32_t backed; /* EXTENT, FREE: units known to have disk blocks */
	uint32_t fresh;  /* units never used: they read zero */
	uint32_t idle;   /* units that were free at the last checkpoint too */
	uint32_t busy;   /* units whose holes are being punched: not to be taken */
	uint16_t class;  /* LG_SLAB_CLASSES: its slots are units */
	bool listed;     /* SLAB: in its class's list */
};

_Static_assert(sizeof(struct lg_chunk) == 64, "a line each");

struct lg_heap_class {
	LG_LINE_ALIGNED pthread_mutex_t lock;
	uint32_t chunks;  /* head of the list */
	uint32_t emptied; /* chunks that became empty since the last sweep */
	uint32_t magazine_max;
	uint32_t depot_max;
	uint32_t depot_count;
	struct lg_slot *depot;
};

/* A record in the ring: what a checkpoint has to write home. */
struct lg_record {
	struct lg_record *next;
	uint64_t sequence;
	uint64_t epoch;
	uint64_t at; /* offset in the ring */
	uint64_t bytes;
	uint64_t count;
	uint64_t images; /* of the first entries; the others' pages are home (J8) */
	size_t mapped;   /* bytes of this record */
	struct lg_record_entry entries[];
};

/* An image of a record in the ring that is not what its sum says. */
struct lg_bad_image {
	uint64_t page;
	uint64_t sequence;
	uint32_t crc; /* that it should have */
};

/* What of the journal was found to have rotted: damage.h. Only a heap that is mended opens with it. */
enum { LG_BAD_IMAGES_MAX = 64 };
struct lg_heap_damage {
	uint64_t sequence; /* the first commit whose record does not count; 0: there is none */
	uint64_t later;    /* one that follows it */
	uint32_t count;
	bool back; /* to a commit before */
	struct lg_bad_image bad[LG_BAD_IMAGES_MAX];
};

struct lg_pages {
	uint64_t *list;
	uint64_t count;
	uint64_t capacity;
};

struct lg_heap_settings {
	bool create;
	bool readonly;
	bool lockable;
	uint64_t mode;    /* LG_AUTO: not said */
	uint64_t reserve; /* 0: not said */
	uint64_t journal; /* 0: none */
};

/* What recovery of a heap of mode:shared has put right. */
struct lg_marked {
	bool done;        /* it was not closed */
	uint64_t kept;    /* objects */
	uint64_t freed;   /* slots and extents that nothing leads to */
	uint64_t entries; /* of the chunk table, half written */
	uint64_t roots;   /* that lead nowhere */
};

/* What tests, and lg_heap_check, change of an open. */
struct lg_heap_setup {
	const struct lg_os_disk_ops *ops;
	void *context;
	bool foreground; /* no thread: checkpoints run in the commit that needs them */
	bool old_kernel; /* dirty pages as before Linux 6.7 */
	bool mend; /* a rotten journal is no refusal: lg_heap_check looks at it, and repairs */
	bool torn; /* SHARED: open it even after the machine went down */
};

/*
 * FENCED: opened, but without membarrier, so whoever enters needs a fence. REFUSED: read-only, or failed; DEAD: the
 * parent's, in a child of fork.
 */
enum { LG_GATE_OPENED, LG_GATE_FENCED, LG_GATE_CLOSED, LG_GATE_REFUSED, LG_GATE_DEAD };

struct lg_heap {
	/* The hit path's, one line. */
	uint64_t id; /* never another's */
	char *base;
	struct lg_chunk *chunks;
	uint64_t capacity; /* chunks there may be */
	_Atomic(uint32_t) gate;
	uint32_t place; /* in a thread's table, in bytes */

	uint64_t bytes;         /* of the mapping */
	_Atomic(uint8_t) *live; /* LG_SLOTS_MAX for each chunk */
	_Atomic(int) failed;    /* errno: nothing may be changed until it is reopened */
	bool fenced;            /* there is no membarrier */
	bool shared;            /* LG_HEAP_SHARED */
	bool readonly;
	bool foreground;
	bool unarmed; /* dirty pages as before Linux 6.7 */
	bool first;   /* nothing was committed since the open: the file is as it was */
	bool mend;
	struct lg_heap_damage damage;

	struct lg_heap_class classes[LG_HEAP_CLASSES];

	pthread_mutex_t threads_lock;
	_Atomic(struct lg_heap_thread *) threads; /* only grows */
	_Atomic(uint32_t) guests;                 /* operations of threads without a record */

	pthread_mutex_t space_lock;
	struct lg_heap_header *header;
	struct lg_chunk_entry *table;
	uint64_t file_bytes;
	uint64_t file_durable;
	uint32_t lowest;         /* no free unit in chunks before it */
	uint64_t space_failed;   /* growth that the disk refused */
	uint64_t fresh_from;     /* the file reads zero from here on, where it gets longer */
	struct lg_pages nursery; /* chunks with newborn units */

	pthread_mutex_t commit_lock;
	pthread_mutex_t checkpoint_lock;
	pthread_mutex_t journal_lock;
	pthread_cond_t journal_changed;
	struct lg_os_disk disk;
	struct lg_super super;
	unsigned super_place; /* the copy that is on the disk for sure: the other is written first */
	struct lg_record *oldest;
	struct lg_record *newest;
	uint64_t ring_bytes;
	uint64_t ring_head;
	uint64_t ring_used;
	uint64_t sequence;        /* of the last commit */
	uint64_t epoch;           /* attempts of commits, for `freed` */
	uint64_t committed_epoch; /* of the last that succeeded */
	uint64_t checkpointed;
	uint64_t checkpointed_epoch;
	_Atomic(uint64_t) *homes; /* [page]: sequence of its newest image in the ring, durable */
	bool worker_runs;
	bool worker_ends;
	bool worker_wanted;
	int checkpoint_error;

	struct lg_os_written written;
	bool watching;   /* `written` is open */
	bool everything; /* a scan failed: take all anonymous pages */
	struct lg_pages dirty;
	struct lg_pages homeward; /* those of `dirty` that need no image in the journal */
	struct lg_pages carried;  /* of a commit that failed */
	struct lg_pages droppable;
	char *staging;

	/* Each is added to under one lock, and read under none. */
	_Atomic(uint64_t) commits, pages_journaled, bytes_journaled, checkpoints, pages_home,
		punched_bytes, dropped;
	char name[LG_HEAP_LABEL_BYTES]; /* no other open heap's: the file's, and a number where that is taken */
	struct lg_marked marked;
	struct lg_heap *next_open;
};

/* stats.c: all that needs no closed gate; objects, their bytes and roots are 0. Waits for no I/O. */
void lg_heap_measure(struct lg_heap *heap, struct lg_heap_stats *stats);

/* open.c: as lg_heap_open, with what tests change. */
lg_heap *lg_heap_open_with(const char *path, const char *options,
			   const struct lg_heap_setup *setup);

/* Vectors of pages, in memory of the system. -ENOMEM. */
int lg_pages_add(struct lg_pages *pages, uint64_t first, uint64_t count);
void lg_pages_free(struct lg_pages *pages);

static inline uint64_t lg_heap_pages(const struct lg_heap *heap)
{
	return (uint64_t)heap->header->chunks * LG_CHUNK_PAGES;
}

static inline _Atomic(uint8_t) *lg_heap_live(const struct lg_heap *heap, uint64_t chunk)
{
	return heap->live + chunk * LG_SLOTS_MAX;
}

/* All that lg_chunk needs to find slots, but `granules`, which says that it is there. */
static inline void lg_chunk_describe(struct lg_heap *heap, uint64_t number, unsigned class,
				     uint32_t first, uint32_t slots)
{
	struct lg_chunk *chunk = &heap->chunks[number];
	uint32_t granules = lg_heap_class_bytes(class) / LG_GRANULE;

	chunk->class = (uint16_t) class;
	chunk->first = first;
	chunk->slots = slots;
	chunk->reciprocal = ((uint32_t)1 << 31) / granules + (((uint32_t)1 << 31) % granules != 0);
	chunk->live = lg_heap_live(heap, number);
}

static inline char *lg_heap_chunk(const struct lg_heap *heap, uint64_t chunk)
{
	return heap->base + (chunk << LG_CHUNK_SHIFT);
}

static inline uint64_t *lg_slab_bitmap(const struct lg_heap *heap, uint64_t chunk)
{
	return (uint64_t *)(void *)lg_heap_chunk(heap, chunk);
}

#endif
