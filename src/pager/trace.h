/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The fault trace: what a pager's policy could see, written to a file, for `lgalloc trace`.
 *
 * lg_trace_note puts a record into a ring (trace_ring.h); a thread of the trace's own, lgalloc-trace, writes the
 * file: 100 ms after the first record, or when half of the ring is full. It sleeps without a timer while
 * nothing happens. Records that find the ring full are lost, and the file says how many and where.
 *
 * The file: one header, then records of 32 bytes, all little-endian, in about the order of their times.
 *
 *   header   magic, version, sizes, what is known of the pager, and a checksum of the bytes before it
 *   record   struct lg_trace_record, with a check of its own
 *   LOST     `page` records that belong here are missing
 *   END      the last record, `page` the number of those before. A file without one was cut off: its process
 *            was killed, its disk was full, or RLIMIT_FSIZE allows no longer file
 *
 * A record's thread is the number by which the pager keeps a thread's last pages (lg_recent_thread): of who touched the
 * page, also where a thread of the pager's serves the fault. There it is the kernel's, and the library's calls in
 * the same thread have another.
 *
 * What is not there: accesses to pages that are mapped, as no pager sees those. A trace is best recorded with a
 * small budget, under which more of them are faults.
 */
#ifndef LG_PAGER_TRACE_H
#define LG_PAGER_TRACE_H

#include "base/atomic.h"
#include "pager/trace_ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, number on disk, name, what it is) */
#define LG_TRACE_KINDS(X)                                                                          \
	X(READ, 1, "read", "a page came into memory, to be read")                                  \
	X(WRITE, 2, "write", "a page came into memory, to be written")                             \
	X(PROTECT, 3, "protect", "the first write to a page that was read")                        \
	X(LIMBO_READ, 4, "limbo-read", "a page in memory and not mapped was read")                 \
	X(LIMBO_WRITE, 5, "limbo-write", "a page in memory and not mapped was written")            \
	X(PREFETCH, 6, "prefetch", "a page came into memory ahead of its use")                     \
	X(EVICT, 7, "evict", "a page left its map, clean")                                         \
	X(EVICT_DIRTY, 8, "evict-dirty", "a page left its map, dirty")                             \
	X(LOST, 9, "lost", "records that found the ring full")                                     \
	X(END, 10, "end", "the end of the trace")

enum lg_trace_kind {
#define LG_TRACE_KIND(NAME, number, name, what) LG_TRACE_##NAME = (number),
	LG_TRACE_KINDS(LG_TRACE_KIND)
#undef LG_TRACE_KIND
};

#define LG_TRACE_MAGIC "lgtrace\n"
#define LG_TRACE_ENVIRONMENT "LGALLOC_PAGER_TRACE"

enum {
	LG_TRACE_VERSION = 1,
	LG_TRACE_SLOTS = 1 << 16,   /* 2.5 MiB, beside the budget */
	LG_TRACE_POLICY_BYTES = 32, /* with its end */
};

struct lg_trace_header {
	char magic[8]; /* LG_TRACE_MAGIC without its end */
	uint32_t version;
	uint32_t header_bytes;
	uint32_t record_bytes;
	uint32_t process;
	uint64_t began_unix_ms;
	uint64_t budget;     /* bytes, as the pager was made */
	uint64_t page_bytes; /* its default */
	char policy[LG_TRACE_POLICY_BYTES];
	uint64_t zero[5];
	uint64_t check; /* lg_trace_check of the bytes before */
};
_Static_assert(sizeof(struct lg_trace_header) == 128, "it is a format");

/* What the header says of the pager. */
struct lg_trace_about {
	uint64_t budget;
	uint64_t page_bytes;
	const char *policy;
	uint64_t slots; /* of the ring, a power of two; 0: LG_TRACE_SLOTS */
	bool says; /* on stderr at its end that it was cut off, for who cannot ask lg_trace_close */
};

struct lg_trace;

/*
 * Begins a trace in the file `path`, in which %p is the process id. The second trace of a process with the same
 * path has ".2" behind it, and so on; after 64 paths the others share one count. A file that exists is replaced if it is a
 * trace that nobody writes. -errno, with words: -EINVAL the path is empty or too long, or names no regular file; -EEXIST a
 * file that is no trace; -EBUSY one that is being written.
 */
int lg_trace_open(const char *path, const struct lg_trace_about *about, struct lg_trace **trace);

/* Writes what is left, and ends it. The first error of a write, with words. NULL, or a child of fork: nothing. */
int lg_trace_close(struct lg_trace *trace);

/* In a child of fork: there are none any more, and their files are only the parent's. */
void lg_trace_forget(void);

/* The file, as it is called after all. */
const char *lg_trace_path(const struct lg_trace *trace);

/* Async-signal-safe. */
void lg_trace_put(struct lg_trace *trace, enum lg_trace_kind kind, uint32_t map, uint64_t page,
		  unsigned shift);

/* The same where there may be no trace: then it is a load and a branch. */
static inline void lg_trace_note(_Atomic(struct lg_trace *) *trace, enum lg_trace_kind kind,
				 uint32_t map, uint64_t page, unsigned shift)
{
	struct lg_trace *there = lg_load_relaxed(trace);

	if (LG_UNLIKELY(there != NULL))
		lg_trace_put(there, kind, map, page, shift);
}

/* FNV-1a, its halves folded. */
static inline uint64_t lg_trace_check(const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static inline uint32_t lg_trace_record_check(const struct lg_trace_record *record)
{
	return (uint32_t)lg_trace_check(record, offsetof(struct lg_trace_record, check));
}

#endif
