/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The pager: memory larger than memory, in user space.
 *
 * A pager holds a budget in bytes. Maps attach to it: memory that spills to a file, a named file, an
 * object on S3 or the web, a store of the user's own. Touching a map just works; what is resident never exceeds the budget, over all
 * maps of the pager. No swap is needed, and no privilege unless a thread of the process blocks SIGBUS (`faults`, lg_pager_new).
 *
 * Know this first
 *   - By default a page is brought in by the thread that touches it, inside a SIGBUS handler
 *     (`faults:inline`). A system call that is given an address in a map then fails with EFAULT (or a short
 *     count) where a page is absent or not yet writable: lg_map_pin() the range first, use lg_map_read()
 *     and lg_map_write(), or ask for `faults:threads`, which needs a privilege (lg_pager_new).
 *     posix_spawn() with arguments in a map is such a system call.
 *   - A thread that blocks SIGBUS and touches an absent page dies of it. So does one whose stack lies in a
 *     map. A handler for SIGBUS that the program installs later has to call the one that was there. An alternate
 *     stack (sigaltstack) of 8192 bytes is enough.
 *   - A page that cannot be read after retries raises SIGBUS at that address (lg_map_error() says why,
 *     lg_map_retry() heals). Calls return -EIO instead. A page that cannot be written stays in memory,
 *     and the error stays until lg_map_sync() or lg_map_close() returned it.
 *   - What was written to a map of a file or store is its own when lg_map_sync() or lg_map_close() (lg_file_sync(),
 *     lg_file_free()) returned 0. A program that ends before, by exit() or otherwise, loses what was not written back
 *     by then: the kernel has none of it, as it has of mmap().
 *   - A file that somebody makes shorter while it is mapped: SIGBUS from the map's page on in which it ends now
 *     (lg_map_error(): -ENODATA). Pages behind that which were dirty are written there again, which makes it longer.
 *   - Where the disk failed in a flush (fsync), what the kernel had taken may be gone: from then on each lg_map_sync() of
 *     that map says so. Map the file anew, and write again what matters.
 *   - madvise(2), mlock(2) and mprotect(2) may be called on any part of a map. What is locked, or protected, stays
 *     in memory (Linux 6.8) and counts: lock and protect at most a third of the budget that is not pinned, else a touch
 *     elsewhere waits ten seconds or more for room, and is SIGBUS.
 *   - Advice that discards is not for maps, but LG_DEAD (lg_map_advise). After MADV_DONTNEED, MADV_FREE or MADV_REMOVE bytes
 *     are zeros, or what the store has; if it comes amid lg_map_sync(), or before Linux 6.8 any writing, of the same page,
 *     that may never end. MADV_DOFORK is not to be called.
 *   - A part that is PROT_NONE is SIGSEGV, also inside lg_map_read() and lg_map_write(); so is lg_map_write() to one that is
 *     PROT_READ. lg_map_sync() is -EFAULT for pages that are PROT_NONE and dirty, or may be as they came writable, and
 *     writes the others; lg_map_close() makes them writable and writes them.
 *   - After fork() the child has no maps: touching one is SIGSEGV, never zeros. The addresses stay
 *     reserved: nothing else comes to lie there.
 *   - What the budget counts is pages, mapped or held back, buffers, and what the tables take beyond 1 MiB (32 to 82 bytes for
 *     each page in memory, and 8 for each page of a map that was ever touched), up to a sixteenth of it. The kernel's page
 *     tables come on top.
 *   - mlock(2) on a map keeps its pages from leaving: they count all the same. mlockall(2) does not: what a pager maps
 *     afterwards is not locked. What it has already is brought in once by MCL_CURRENT, buffers and tables as well:
 *     call it before lg_pager_new. Under `faults:inline` mlock(2) of pages that are out, or not yet writable, returns
 *     ENOMEM, though they stay once they come: lg_map_pin() them first, or use mlock2(MLOCK_ONFAULT).
 *   - A program that closes all descriptors (closefrom) closes the pager's: pages that are out read zero
 *     then, or are SIGBUS, and calls fail (-EBADF, or -EIO). lg_map_sync() of memory has nothing to do and is 0. The pager
 *     touches no descriptor that took its place.
 *
 * Options are `key:value,key:value`; NULL means defaults. Calls that return int give 0 (or a count) or
 * -errno; those that return a pointer give NULL and set errno; lg_error() has the failure in words.
 *
 * Threads: every call may be made from any thread. A map must not be touched any more when lg_map_close is
 * called, nor a pager used when lg_pager_free is.
 */
#ifndef LG_PAGER_H
#define LG_PAGER_H

#include <lgalloc/lgalloc.h>
#include <lgalloc/store.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct lg_pager lg_pager;
typedef struct lg_map lg_map;

/* --- pagers ------------------------------------------------------------------------------------- */

/*
 * A pager, with options:
 *
 *   memory    the budget, 1M to 64T; default 256M: for pages, buffers, and what the tables take beyond 1 MiB
 *   page      default page size of its maps, a power of two from 4K to 2M; default 64K
 *   policy    default of its maps: which page leaves memory first. clock (default), s3fifo, fifo, lifo,
 *             plru, prnd, wiro_f, wiro_l, or one registered before (lg_policy_register); see lgalloc-pager(7)
 *   faults    auto (default), inline: in the thread that touches, no privilege; threads: by the pager's
 *             own, which also serves the kernel's accesses and needs root (CAP_SYS_PTRACE),
 *             vm.unprivileged_userfaultfd=1 or access to /dev/userfaultfd. auto is inline; where any
 *             thread of the process blocks SIGBUS when the pager is made it is threads, or EPERM
 *   prefetch  on (default) or off: read ahead of streams of faults
 *   writers   threads that write back in the background, at a time and map: 1 (default) to 16
 *   readers   threads that read ahead, 1 to 16; default 4
 *   flush     write dirty pages back this long after they were written, in ms or s; 0 (default): only when
 *             memory is wanted; those of memory maps come last
 *   dir       where memory maps spill, tried at the first of them; default as lgalloc(7)'s dir
 *   trace     a file that each fault is written to, %p is the process id; lgalloc-pager(7)
 *   without   features of the kernel not to be used, for tests: move, poison, wp joined by +
 *
 * NULL and errno: EINVAL an option; ENOMEM; EMFILE, ENFILE no descriptor; EAGAIN no thread; ENOSYS, EPERM, EACCES: no userfaultfd
 * here, or not for this process. Of `trace` EEXIST: the file is there and is no trace; EBUSY: another process is writing it; and
 * what open(2) and write(2) say.
 */
lg_pager *lg_pager_new(const char *options);

/*
 * Changes the budget, live. Down, it returns when no more than `bytes` are resident. Threads that resize at once take turns.
 * -EBUSY: more is pinned than may be of that (lg_map_pin); -EINVAL: less than eight of the largest pages that it, or a map of it,
 * ever had, or more than its tables are for, which is twice the machine's memory, or twice what it had first if that is more,
 * under RLIMIT_AS or RLIMIT_DATA a quarter of that if it had no more first, or under
 * vm.overcommit_memory=2 what it had first; -EIO …: pages could not be written. The
 * budget is then what it was.
 */
int lg_pager_resize(lg_pager *pager, size_t bytes);

/* -EBUSY: maps are open. NULL does nothing. */
int lg_pager_free(lg_pager *pager);

/* --- maps --------------------------------------------------------------------------------------- */

/*
 * Maps have options of their own, over those of the pager: page, policy, prefetch, and
 *
 *   reserve   memory only. on (default): the spill's disk space is taken now (ENOSPC here); lazy: when a
 *             page goes there, and a full disk is then -ENOSPC from calls and SIGBUS for plain access
 *   offset    file only: where the map begins, a multiple of 4096; default 0
 *   readonly  file and store: on or off (default). Writing raises SIGSEGV
 *   create    file only: on (default): a file that is not there is made
 *
 * A pager of NULL is the default one: 64K pages, a quarter of the machine's memory (or of the cgroup's
 * limit, of RLIMIT_AS or RLIMIT_DATA), made at first use. LGALLOC_PAGER in the environment has other options for it.
 */

/*
 * `bytes` of memory that reads zero. EINVAL: 0 bytes; ENOMEM; ENOSPC: no disk for the spill; EFBIG: more than a file may
 * have, anywhere or there.
 */
lg_map *lg_map_memory(lg_pager *pager, size_t bytes, const char *options);

/*
 * The file as memory: `bytes` of it, or with 0 as many as it has. A shorter file is extended, but never past
 * `bytes`, and only its length: disk space is taken as pages are written, and a full disk is then
 * -ENOSPC from lg_map_sync and lg_map_close. What lies in the file outside the map is not touched.
 *
 * One writer: a range of a file that a map has for writing can be in no other map, of this or another
 * process that uses lgalloc (EBUSY). Read-only maps may be many. Other programs see what was synced.
 * What they write to a mapped range, or this one by write(2), a page that is in memory does not see, and overwrites it when
 * it is written back. Nor does a page behind the end that the file had when it was mapped, until the map has written it: what a
 * map extends is filled through the map alone.
 *
 * Mapping a file, and closing such a map, drops the locks that the program itself has of that file by fcntl(F_SETLK), as any
 * close(2) of it does.
 *
 * What opens for writing and takes no writes is refused: EPERM: it is sealed (memfd_create); EOPNOTSUPP: it is on hugetlbfs;
 * EROFS: it is a block device that is write-protected.
 */
lg_map *lg_map_file(lg_pager *pager, const char *path, size_t bytes, const char *options);

/*
 * An object of S3 or the web as memory, read only: "s3://bucket/key", "https://host/path", "http://…". Touched
 * pages are fetched, and no others but those a scan is about to reach. The call asks the server for the object's
 * length and version, with its first bytes.
 *
 * One version: what is read is of the version found here, or an error: -ESTALE where the object has changed since,
 * -ENOENT where it is gone. Pages that are here already stay. What fails in passing is tried again, for at
 * most `deadline`; then the page cannot be read, as of any map: SIGBUS, lg_map_error(), lg_map_retry(). Closing
 * does not wait for the network.
 *
 * With on_change:refetch the map goes on with the object's next version, if it is as long: before the first page of that
 * comes in all pages of the old one are dropped, so that a map never has pages of two. What the program read before stays
 * with it: a loop over many pages can see the old version up to a page and then the new one. lg_map_changes(),
 * asked before and after, tells; lg_map_read() by itself returns bytes of one version. While pages are pinned
 * the map keeps its version, and other pages are -ESTALE.
 *
 * Options: page (default 64K, less for budgets under 4M; a touch reads 256K), policy, prefetch, and
 *
 *   on_change   fail (default) or refetch
 *   cache_dir   a directory, ours alone, where blocks are kept for other processes and later; default: none
 *   cache_bytes what it may have; default 1G
 *   deadline    how long a read may take in all, retries included; default 60s
 *   unpinned    on: an object without ETag and Last-Modified, whose changes go unseen, is not refused
 *   ca_file     certificates to trust, instead of the system's
 *   access_key, secret_key, session_token, profile, region, endpoint, style, anonymous
 *               S3: who asks, and where; lg_map_url(3)
 *
 * An empty object has size 0, and reads as zeros. A pager with `faults:threads` serves four faults at a time.
 *
 * NULL and errno: EINVAL the URL or an option; ENOSYS no libcurl; EACCES no or wrong credentials; ENOENT;
 * EOPNOTSUPP the server tells no length, no version, or has no ranges; EPROTO its certificate; EHOSTUNREACH,
 * ECONNREFUSED, ECONNRESET, ETIMEDOUT, EIO; and as lg_map_file. Writing to it raises SIGSEGV: nothing is ever
 * written back.
 */
lg_map *lg_map_url(lg_pager *pager, const char *url, const char *options);

/* A store of the user's own; see store.h. `context` is passed to its functions. */
lg_map *lg_map_store(lg_pager *pager, const struct lg_store_ops *ops, void *context, size_t bytes,
		     const char *options);

/*
 * Of a map that is NULL, as where making one failed, lg_map_data is NULL, lg_map_size and lg_map_changes are 0, and the
 * calls below that return int or ssize_t are -EINVAL.
 */

/* The first byte, aligned to 2 MiB. */
void *lg_map_data(const lg_map *map);

/* As asked for; the bytes from there to the end of the last page read zero and are written nowhere. */
size_t lg_map_size(const lg_map *map);

/* How often the object of lg_map_url with on_change:refetch became another since; 0 for other maps. */
uint64_t lg_map_changes(const lg_map *map);

/*
 * Ranges are `length` bytes from `offset`; length 0: to the end. -EINVAL: outside the map.
 *
 * lg_map_sync: writes back what is dirty in the range and makes it durable. When it returns 0 everything
 * written before the call is on disk. A write error since the last sync is returned once, even if it was of
 * other pages.
 */
int lg_map_sync(lg_map *map, size_t offset, size_t length);

/*
 * WILLNEED: starts reading. COLD: leaves memory now, written back first. DEAD: the bytes are not needed and
 * read zero from now (memory maps), or as the store last had them or its `discard` leaves them; no I/O; whole pages
 * inside the range.
 * SEQUENTIAL, RANDOM, NORMAL: how far faults read ahead, for the whole map.
 */
int lg_map_advise(lg_map *map, size_t offset, size_t length, enum lg_advice advice);

/*
 * Brings the range into memory, from its beginning as far as three quarters of the budget go. -EIO: a page could not be
 * read; no room: as lg_map_pin.
 */
int lg_map_populate(lg_map *map, size_t offset, size_t length);

/*
 * A pinned page is present and writable (read-only maps: readable) and stays so: system calls may be given
 * it, and mlock-like latencies hold. Pins nest, up to 4095. -ENOMEM: that would leave less of the budget than
 * an eighth, or than four of the largest pages any map of the pager ever had, or no room can be had for ten seconds;
 * -ENOSPC and others: nor can it, for what is in memory cannot be written; -EOVERFLOW: a page has 4095 pins; -EIO. Nothing is
 * pinned then.
 *
 * Unpin the ranges that were pinned. -EINVAL: a page is not pinned; those before it in the range are unpinned by then, those
 * behind it are not.
 *
 * What a device writes to by itself (reads with O_DIRECT, io_uring, RDMA) is to be pinned as long as it may, also with
 * faults:threads: to a sync or a writer the page looks unchanged meanwhile, and what arrives behind it may be lost.
 */
int lg_map_pin(lg_map *map, size_t offset, size_t length);
int lg_map_unpin(lg_map *map, size_t offset, size_t length);

/*
 * Copies without faulting, for buffers that lie in no map of this pager. How many bytes, which is less than `length` only
 * where the map ends before: reading from the end on or behind it is 0, writing there -EINVAL. -EIO: a page could not be
 * read or is poisoned; -ENOSPC and others, -ENOMEM: no room, as lg_map_pin; -EROFS; -EINVAL: `buffer` is NULL. A length
 * of 0 is 0. What the program made PROT_NONE, or for writing PROT_READ, is SIGSEGV as a touch of it.
 */
ssize_t lg_map_read(lg_map *map, void *buffer, size_t length, size_t offset);
ssize_t lg_map_write(lg_map *map, const void *buffer, size_t length, size_t offset);

/* Why the page of this address could not be read, as -errno; 0: it can be. */
int lg_map_error(lg_map *map, const void *address);

/* Heals: pages that could not be read are read again when they are touched. How many those are. */
int lg_map_retry(lg_map *map);

/*
 * Writes back, makes durable, frees the memory. The first error since the last sync, and the map is gone
 * either way. NULL does nothing.
 */
int lg_map_close(lg_map *map);

/* --- statistics --------------------------------------------------------------------------------- */

/*
 * LG_PAGER_COUNTERS(X): X(name, what it counts) in the order of the struct. All count up from the pager's
 * start.
 */
#define LG_PAGER_COUNTERS(X)                                                                       \
	X(faults, "faults served: pages brought in, made writable or found there")                 \
	X(read_faults, "faults that were not for writing")                                         \
	X(protect_faults, "faults of pages that were in memory, read-only")                        \
	X(limbo_hits, "faults of pages that had left but were still held back: no I/O")            \
	X(zero_fills, "pages that began as zeros: no I/O")                                         \
	X(waits, "faults that waited for another thread's work on the same page")                  \
	X(reads, "read calls to stores")                                                           \
	X(writes, "write calls to stores")                                                         \
	X(bytes_read, "bytes read from stores")                                                    \
	X(bytes_written, "bytes written to stores")                                                \
	X(bytes_wanted, "bytes of pages read that were touched, then or later, or came with one")  \
	X(bytes_dirtied, "bytes of pages that writing made differ from their store")               \
	X(evictions, "pages taken out of maps")                                                    \
	X(evictions_direct, "pages taken out by a thread that waited for memory")                  \
	X(evictions_clean, "pages that left without a write: the store had them")                  \
	X(evictions_zero, "pages that left without a write: all zero")                             \
	X(evictions_busy, "pages passed over because the kernel held them (DMA)")                  \
	X(prefetched, "pages read before they were touched")                                       \
	X(prefetch_useful, "pages read ahead that were touched later")                             \
	X(prefetch_useless, "pages read ahead that were evicted untouched")                        \
	X(discarded, "pages whose bytes were given up by LG_DEAD")                                 \
	X(syncs, "calls of lg_map_sync and lg_file_sync")                                          \
	X(read_errors, "reads that failed, retries included")                                      \
	X(write_errors, "writes that failed")                                                      \
	X(poisoned, "pages given up as unreadable")

struct lg_pager_stats {
	uint64_t budget;   /* bytes */
	uint64_t resident; /* bytes the budget counts now */
	uint64_t peak;     /* the most it ever was */
	uint64_t pinned;   /* bytes */
	uint64_t limbo;    /* bytes held back */
	uint64_t maps;
	uint64_t map_bytes;
#define LG_PAGER_COUNTER_FIELD(name, what) uint64_t name;
	LG_PAGER_COUNTERS(LG_PAGER_COUNTER_FIELD)
#undef LG_PAGER_COUNTER_FIELD
	/* Powers of two of a nanosecond: [i] counts what took 2^i to 2^(i+1) - 1. */
	uint64_t fault_ns[40];
	uint64_t read_ns[40];
	uint64_t write_ns[40];
	uint64_t errors; /* read_errors + write_errors */
	uint64_t fault_ns_sum;
	uint64_t read_ns_sum;
	uint64_t write_ns_sum;
	uint64_t tables; /* bytes of maps': 8 for each page, and the kernel's page tables, where any was ever touched */
	uint64_t reserved[28];
};

/* Waits for no I/O. -EINVAL: `stats` is NULL. */
int lg_pager_stats_read(lg_pager *pager, struct lg_pager_stats *stats);

/*
 * Of all objects that lg_map_url maps in this process, since it began; 0 where there were none. bytes_used may be
 * more than bytes_fetched: pages that are fetched again count each time, and the last of an object counts whole.
 */
struct lg_remote_stats {
	uint64_t gets;          /* requests sent, those of retries and hedges too */
	uint64_t bytes_fetched; /* that came in answers */
	uint64_t bytes_used;    /* of pages that were touched, or came with one that was */
	uint64_t retries;       /* requests made again after one that failed in passing */
	uint64_t hedges;        /* requests made beside one that was not answered for long */
	uint64_t failures;      /* reads that were given up */
	uint64_t prefetched;    /* pages read before they were touched */
	uint64_t prefetch_hits; /* pages read ahead that were touched later */
	uint64_t first_byte_ns_sum;
	uint64_t fault_ns_sum;
	/* Powers of two of a nanosecond: [i] counts what took 2^i to 2^(i+1) - 1. */
	uint64_t first_byte_ns[40]; /* from a request to the first byte of its answer */
	uint64_t fault_ns[40]; /* faults of the objects' maps, those of pages that were here too */
	uint64_t reserved[22];
};

/* Waits for nothing. -EINVAL: NULL. */
int lg_remote_stats_read(struct lg_remote_stats *stats);

/* --- policies of the user's own ----------------------------------------------------------------- */

/*
 * Which page leaves first. A policy sees pages as handles, 0 to capacity - 1, each in use from `fill` to
 * `remove` or `victim`; a handle is used again for other pages afterwards. `key` is the page's identity: the
 * same page has the same key each time it comes back. All calls of one pager's policy come one at a time,
 * maybe inside a signal handler: no locks, no malloc, no I/O; memory is taken in `create`, and is no map's. None of them calls
 * a pager.
 */
enum lg_reference {
	LG_REFERENCE_READ,     /* touched by reading */
	LG_REFERENCE_WRITE,    /* touched by writing */
	LG_REFERENCE_PREFETCH, /* not touched: read ahead */
};

struct lg_policy_ops {
	size_t size; /* sizeof(struct lg_policy_ops) */
	const char *name;

	/*
	 * State for up to `capacity` pages at once, of which about `target` fit into the budget. A capacity may
	 * be far more than the target: take memory that costs nothing until it is used. NULL: no memory.
	 */
	void *(*create)(uint32_t capacity, uint32_t target, void *argument);
	void (*destroy)(void *state); /* the pager ends; one without maps keeps it */

	/* The budget changed, or the size of most pages that are in memory. NULL: ignored. */
	void (*retarget)(void *state, uint32_t target);

	/*
	 * A page came into memory. PREFETCH: it was read ahead, and its first use will be a touch. A page
	 * that is used again while it is held back, after `victim` gave it up and before it left, comes
	 * as a fill and a touch; the fill is a WRITE if the page is dirty.
	 */
	void (*fill)(void *state, uint32_t handle, uint64_t key, enum lg_reference how);

	/*
	 * A page that is in memory was seen to be used. Few uses are: the first write to a page that was
	 * read, the first use of one that was read ahead, the use of one that was held back.
	 */
	void (*touch)(void *state, uint32_t handle, enum lg_reference how);

	/*
	 * The page to evict, which is no longer the policy's then; UINT32_MAX: there is none. What cannot
	 * be evicted now (just filled, in use by a call) comes back by `put_back`, once enough others were
	 * found, the last taken first: the next victims are then these again, in the order they were taken
	 * in before. `handle` was not used for another page meanwhile.
	 *
	 * A handle that the policy does not have now (out of range, never filled, given up or removed already)
	 * stops the program with one line. A policy that has pages and gives none up holds up who wants memory
	 * for some 10 s: then a call is -ENOMEM, a touch SIGBUS.
	 */
	uint32_t (*victim)(void *state);
	void (*put_back)(void *state, uint32_t handle, uint64_t key);

	/* A page left by other ways: discarded, pinned, its map closed. */
	void (*remove)(void *state, uint32_t handle);
};

/*
 * Adds a policy under its name, for lg_pager_new and maps from then on; `ops` must stay. `argument` goes to
 * create. -EEXIST: the name is taken; -EINVAL: a function is missing; -ENOSPC: there are 16.
 */
int lg_policy_register(const struct lg_policy_ops *ops, void *argument);

/* --- the simple face ---------------------------------------------------------------------------- */

/*
 * A file as memory on the default pager, in three calls. lg_file_alloc makes or extends the file to `bytes` and
 * returns its first byte, or NULL; the others return 0, or -1; errno says why (EINVAL: it did not return `address`;
 * ECHILD: that is not this child's of fork; EPERM: there is no default pager, as lg_pager_new). lg_file_sync returns when
 * everything is on disk. lg_file_free writes back and unmaps; the file stays.
 */
void *lg_file_alloc(const char *path, size_t bytes);
int lg_file_sync(void *address);
int lg_file_free(void *address);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
