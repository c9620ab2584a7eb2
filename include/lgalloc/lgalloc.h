/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * lgalloc: large memory whose bytes live in a file, or can, when memory is short.
 *
 * A region is a power-of-two piece of memory, 4 KiB to 64 GiB. New and free cost a few nanoseconds
 * whatever the size, from any thread, without a lock. By default a region's bytes live in an unlinked
 * file: the kernel pages them out when memory is short, without swap.
 *
 * Know this first
 *   - `backing:file` beyond the kernel's dirty limit is written to disk again and again by the
 *     kernel's write-back. Where memory suffices, or swap exists, `backing:anon` is faster.
 *   - The capacity is the next power of two. Pages never touched take no memory, but the file
 *     backing reserves disk blocks for the whole capacity when a region is handed out, so that a full
 *     disk is ENOSPC here and never SIGBUS later. `reserve:off` gives that up.
 *   - fork: regions of `backing:file` are absent in a child (SIGSEGV, never the parent's bytes);
 *     regions of `backing:anon` are copied on write as any memory. New regions in the child work.
 *   - A double free, a free of a foreign or interior pointer stops the program with one line. Two
 *     threads freeing the same region at the same instant, or a second free after the region was
 *     handed out again, cannot be seen.
 *   - Nothing here is async-signal-safe, as malloc is not.
 *
 * Options are `key:value,key:value`, read once from the environment variable LGALLOC_CONF before the
 * first region, pager or heap, or given to lg_configure(). lgalloc(7) lists them.
 *
 * Threads: every call may be made from any thread at any time, thread exit and its destructors included.
 */
#ifndef LG_LGALLOC_H
#define LG_LGALLOC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define LG_VERSION_MAJOR 0
#define LG_VERSION_MINOR 1
#define LG_VERSION_PATCH 0

/* --- regions ------------------------------------------------------------------------------------ */

/* A handle. It stays valid memory for ever, so lg_region_free can tell a second free from a first. */
typedef struct lg_region lg_region;

/*
 * A region of at least `bytes` bytes; its capacity is the next power of two, at least a page.
 *
 * The contents are undefined: they may be an older region's. The caller owns it and gives it back with
 * lg_region_free, from any thread. NULL and errno:
 *   EINVAL  bytes is 0
 *   ENOMEM  larger than the largest class, or no memory or address space
 *   ENOSPC  no disk space left in `dir` (or EDQUOT, EFBIG: a quota, RLIMIT_FSIZE)
 *   EACCES, EROFS, ENOENT, EMFILE, EOPNOTSUPP …  the backing file could not be made in `dir`
 * and lg_error() has it in words.
 */
lg_region *lg_region_new(size_t bytes);

/* As lg_region_new, and the whole capacity reads zero. No byte is touched where the memory is new. */
lg_region *lg_region_new_zeroed(size_t bytes);

/*
 * Gives a region back. NULL does nothing. errno is kept. A double free or a pointer that is no region
 * of this process stops the program.
 */
void lg_region_free(lg_region *region);

/*
 * A region of capacity for `bytes` with the first min(old, new) bytes kept; `region` is then gone.
 * Where that is the same capacity, or a smaller one cannot be had, it is `region` itself. Anonymous
 * pages move without a copy where that pays. A NULL region allocates; one that is not live stops the
 * program. On failure NULL, errno as for lg_region_new (EINVAL: bytes is 0), and the old region is
 * intact.
 */
lg_region *lg_region_resize(lg_region *region, size_t bytes);

/* The live region that contains this address, or NULL. Never faults, whatever the address. */
lg_region *lg_region_of(const void *address);

/* What a handle shows. Read it by lg_region_data and lg_region_size. */
struct lg_region_view {
	void *data;
	size_t bytes;
};

/* The first byte, aligned to min(size, 2 MiB) at least. Valid until the region is freed. */
static inline void *lg_region_data(const lg_region *region)
{
	return ((const struct lg_region_view *)(const void *)region)->data;
}

/* The capacity in bytes, a power of two; all of it may be used. */
static inline size_t lg_region_size(const lg_region *region)
{
	return ((const struct lg_region_view *)(const void *)region)->bytes;
}

enum lg_advice {
	LG_WILLNEED, /* will be used soon: read it in */
	LG_COLD,     /* will not be used for a while: page it out now, the bytes stay */
	LG_DEAD, /* the bytes are not needed: they are undefined from now, the memory goes back */
	LG_SEQUENTIAL, /* will be read in order; forgotten at the free */
	LG_RANDOM,     /* will be read in no order; forgotten at the free */
	LG_NORMAL,     /* neither */
};

/*
 * Advice for `length` bytes from `offset` (length 0: to the end). Whole pages inside the range are
 * affected; those of backing:paged have paged_page, or the region's size where that is less. LG_SEQUENTIAL,
 * LG_RANDOM and LG_NORMAL go to the whole region, and nowhere under 2 MiB or where it is paged. 0; -EINVAL: no
 * live region, a range outside it, or an unknown advice; -ENOMEM: no mapping left for access advice
 * (lgalloc(7)); or the kernel's answer as -errno. After a failed LG_DEAD the bytes are unchanged or zero.
 */
int lg_region_advise(lg_region *region, size_t offset, size_t length, enum lg_advice advice);

/* --- the same regions by address ---------------------------------------------------------------- */

/*
 * As their namesakes of the C library, for large objects: each is a region of its own, a page at least.
 * Addresses are aligned to min(capacity, 2 MiB) at least. lg_malloc(0) is a region of the smallest class;
 * lg_realloc(p, 0) frees and returns NULL. lg_usable_size is the capacity, 0 for NULL. A pointer that
 * no lg_malloc, … or region returned stops the program in lg_free and lg_realloc, and has size 0.
 * lg_aligned_alloc: EINVAL unless the alignment is a power of two.
 */
void *lg_malloc(size_t bytes);
void *lg_calloc(size_t count, size_t bytes);
void *lg_realloc(void *address, size_t bytes);
void *lg_aligned_alloc(size_t alignment, size_t bytes);
void lg_free(void *address);
size_t lg_usable_size(const void *address);

/* --- control ------------------------------------------------------------------------------------ */

/*
 * Sets options, all or none. 0; -EINVAL: an unknown key or a bad value; -EBUSY: an option that counts
 * only before the first region, or (dir, reserve) only while there is none. lg_error() says which and
 * what is allowed.
 *
 *     lg_configure("backing:anon,cache_bytes:128M,interval:500ms");
 */
int lg_configure(const char *options);

/*
 * Gives back everything that is free now: the caller's cache, other threads' where they rest, the
 * pools, whole areas. In the calling thread; 1 GiB takes some 100 ms. Waits, a second at most, for what
 * others, as the worker, are giving back just then. 0, or -EIO if the kernel refused to take some of it
 * (mlockall), which stays usable.
 */
int lg_trim(void);

/* Moves what this thread's cache holds to the pools, where other threads find it. Its exit does too. */
void lg_thread_flush(void);

/* The calling thread's last failure in words, valid until its next; "" if there was none. */
const char *lg_error(void);

/* "0.1.0" */
const char *lg_version(void);

/* --- statistics --------------------------------------------------------------------------------- */

/*
 * X(name, kind, help): one value per size class. Gauges and counters of regions unless the name ends
 * in _bytes. This list makes the struct, the sums and every format of lg_metrics_write.
 */
#define LG_CLASS_FIELDS(X)                                                                         \
	X(in_use, gauge, "Regions handed out and not freed.")                                      \
	X(in_magazines, gauge, "Free regions in threads' private magazines.")                      \
	X(in_deques, gauge, "Free regions in threads' stealable deques.")                          \
	X(cached, gauge, "Free regions in caches: in magazines and deques.")                       \
	X(dirty, gauge, "Free regions in the dirty pool, still in memory.")                        \
	X(lazy, gauge, "Free regions whose pages the kernel may take (MADV_FREE).")                \
	X(clean, gauge, "Free regions given back to the system or never used.")                    \
	X(areas, gauge, "Areas mapped.")                                                           \
	X(area_bytes, gauge, "Address space of the areas mapped.")                                 \
	X(backing_bytes, gauge, "Bytes of backing that regions not clean may occupy.")             \
	X(allocations, counter, "Regions handed out.")                                             \
	X(frees, counter, "Regions freed.")                                                        \
	X(from_magazine, counter, "Allocations served by the thread's magazine.")                  \
	X(from_deque, counter, "Allocations served by the thread's own deque.")                    \
	X(from_dirty, counter, "Allocations served by the dirty pool.")                            \
	X(from_lazy, counter, "Allocations served by lazily given back regions.")                  \
	X(from_clean, counter, "Allocations served by clean regions.")                             \
	X(steals, counter, "Allocations served by another thread's deque.")                        \
	X(refills, counter, "Areas mapped so far.")                                                \
	X(reclaimed, counter, "Regions given back to the system.")                                 \
	X(reclaimed_bytes, counter, "Bytes given back to the system.")                             \
	X(retired, counter, "Areas unmapped.")                                                     \
	X(revoked, counter, "Regions taken from idle threads' magazines.")                         \
	X(zeroed, counter, "Regions zeroed by writing.")                                           \
	X(moved, counter, "Resizes that moved pages instead of copying.")                          \
	X(copied, counter, "Resizes that copied.")                                                 \
	X(refused, counter, "Allocations that failed: ENOMEM, ENOSPC or another error.")           \
	X(stuck, counter, "Regions the kernel refused to take back.")

enum { LG_CLASSES = 25 }; /* 4 KiB, 8 KiB, … 64 GiB */

#define LG_ONE(name, kind, help) +1
enum { LG_CLASS_FIELDS_MAX = 48, LG_CLASS_FIELDS_NOW = LG_CLASS_FIELDS(LG_ONE) };
#undef LG_ONE

/* Fields to come are appended and take the place of `reserved`: sizes stay. */
struct lg_class_stats {
	uint64_t size; /* bytes of a region; 0 in totals */
#define LG_FIELD(name, kind, help) uint64_t name;
	LG_CLASS_FIELDS(LG_FIELD)
#undef LG_FIELD
	uint64_t reserved[LG_CLASS_FIELDS_MAX - LG_CLASS_FIELDS_NOW]; /* 0 */
};

struct lg_stats {
	uint64_t threads; /* that have a cache now */
	uint64_t in_use_bytes;
	uint64_t cached_bytes;
	uint64_t dirty_bytes;
	uint64_t lazy_bytes;
	uint64_t clean_bytes;
	uint64_t area_bytes;
	uint64_t reserved_bytes;   /* address space reserved, tables included */
	uint64_t metrics_writes;   /* of metrics_file, that succeeded */
	uint64_t metrics_failures; /* of metrics_file, that failed */
	uint64_t metrics_error;    /* errno of the last of them; 0: it succeeded */
	uint64_t reserved[5];      /* 0 */
	struct lg_class_stats totals;
	struct lg_class_stats classes[LG_CLASSES];
};

/*
 * A snapshot, summed over all threads without stopping them: each value is one that the counter had
 * during the call; values of different counters may be some operations apart. No system call, no lock.
 * 0, or -EINVAL for NULL.
 */
int lg_stats_read(struct lg_stats *stats);

/* What the kernel says, in system calls: one for each 4096 pages mapped, one for each file. */
struct lg_usage {
	uint64_t resident_bytes; /* of area memory in RAM: mapped pages (anon) or page cache (file) */
	uint64_t disk_bytes;     /* blocks of the backing files */
	uint64_t reserved[6];    /* 0 */
};

/* 0 or -errno. lg_metrics_write shows the last result, with its time, until there is a newer one. */
int lg_usage_read(struct lg_usage *usage);

/*
 * LG_OPENMETRICS and LG_PROMETHEUS have the same samples. They differ in the comment lines of counters,
 * which OpenMetrics 1.0 names without _total and the Prometheus text format 0.0.4 with it: neither is
 * valid as the other. node_exporter's textfile collector and promtool read the second.
 */
enum lg_format { LG_OPENMETRICS, LG_JSON, LG_TABLE, LG_PROMETHEUS };

/*
 * Writes the statistics to a descriptor: OpenMetrics text, one JSON object, a table to look at, or
 * Prometheus text. 0 or -errno of the write; -EINVAL for an unknown format.
 */
int lg_metrics_write(int fd, enum lg_format format);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
