/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A store: where the pages of one map come from and go to. The spill (an unlinked file), a named file, a
 * remote object, the user's own.
 *
 * Contract
 *   - read and write move whole ranges or fail: short counts, EINTR and EAGAIN are dealt with inside. What
 *     lies behind the store's end reads zero; nothing is ever written behind it.
 *   - Offsets are the map's. They, the lengths and the buffers are multiples of `alignment` (a power of two, at
 *     most 4096), which a range that ends at or beyond `bytes` rounded up to it is too.
 *   - Callers never have two calls in flight for overlapping ranges; for others any number.
 *   - Where `signal_safe`, read, write and discard only make system calls, none of them a cancellation point,
 *     and touch no lock, no malloc, no thread-local error text.
 *   - A range written is durable when a flush that began afterwards returned 0. A flush that failed may have
 *     lost pages that the kernel calls clean: it fails from then on.
 */
#ifndef LG_STORE_STORE_H
#define LG_STORE_STORE_H

#include "os/io.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct lg_store;

/* Who gets what a fetch brings, in order, in any thread, one call at a time. Neither blocks for long. */
struct lg_store_sink {
	/* -errno: no more is wanted, and this is how it ends. */
	int (*take)(struct lg_store_sink *sink, const char *data, uint64_t bytes);
	/* All came, or -errno. The last call: the sink is the caller's again. */
	void (*end)(struct lg_store_sink *sink, int error);
};

struct lg_store_calls {
	const char *name;
	/* 0 or -errno, without words. At most LG_STORE_PARTS parts. */
	int (*read)(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset);
	/* The same for what nobody waits for yet, and may be given up earlier. NULL: as read. */
	int (*read_ahead)(struct lg_store *store, const struct iovec *parts, int count,
			  uint64_t offset);
	/*
	 * Reads without waiting: the sink gets the range, which lies before `bytes`, some calls perhaps before this
	 * returns. -errno: it never does. Of stores that say so (fetches), which are read only.
	 */
	int (*fetch)(struct lg_store *store, uint64_t offset, uint64_t length, bool ahead,
		     struct lg_store_sink *sink);
	/* A fetch that may not be over ends soon, but not before this returns: locks are held. */
	void (*cancel)(struct lg_store *store, const struct lg_store_sink *sink);
	int (*write)(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset);
	/*
	 * Several writes of different ranges at once, at most LG_STORE_MANY; each has its error then. Only in the library's own
	 * threads, and as long as the store says that it is faster than one by one. Both NULL: it never is.
	 */
	bool (*writes_many)(struct lg_store *store);
	void (*write_many)(struct lg_store *store, struct lg_os_io_queue *queue,
			   struct lg_os_io_request *requests, unsigned count);
	int (*flush)(struct lg_store *store);
	/* A hint: the range may read as anything from now. */
	int (*discard)(struct lg_store *store, uint64_t offset, uint64_t bytes);
	/* Reads in flight, and those to come, fail at once: the map is closed. NULL: they are soon done. */
	void (*abandon)(struct lg_store *store);
	/* The words of the last failure become lg_error(); returns `error`. NULL: there are none. */
	int (*explain)(struct lg_store *store, int error);
	/*
	 * After a read said -ESTALE: asks for the version there is now, of the same length; none of the store's reads is
	 * in flight. Until it is 0 all reads are -ESTALE. NULL: there is one version.
	 */
	int (*renew)(struct lg_store *store);
	/* Ends the store, which is freed. */
	void (*close)(struct lg_store *store);
	/*
	 * The same in the child of a fork, where nobody uses it: lets go of what the child inherited
	 * (descriptors keep disk space and locks) and takes nothing from the parent. Its range of
	 * a file goes with all others (lg_range_forget).
	 */
	void (*forget)(struct lg_store *store);
};

enum { LG_STORE_PARTS = LG_OS_IO_PARTS, LG_STORE_MANY = LG_OS_IO_MANY };

#define LG_STORE_BYTES_MAX ((uint64_t)INT64_MAX - 4095)

struct lg_store {
	const struct lg_store_calls *calls;
	uint64_t bytes; /* its length, exactly */
	uint32_t alignment;
	bool readonly;
	bool signal_safe;
	bool begins_zero; /* what was never written reads zero and need not be read */
	bool lasts;       /* it is read by others, or later: what is written has to get there */
	bool discards;    /* `discard` is of use */
	bool is_slow;     /* a read may take as long as a network's answer */
	bool fetches;     /* `fetch` is to be used */
	bool renews;      /* it may be renewed, and is to be */
	bool is_remote;   /* it always takes as long, whatever its length, and is retried inside */
};

#endif
