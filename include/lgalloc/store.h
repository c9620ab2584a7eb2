/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A store of the user's own: where the pages of a map come from and go to (lg_map_store).
 *
 * Know this first
 *   - The functions are called from the pager's threads and, inside calls, from the program's. With `signal_safe`, under
 *     `faults:inline`, also from whichever thread touches a map, inside a signal handler: then read, write and discard must
 *     be async-signal-safe. Without it a touch waits for the pager's threads, which call them.
 *   - The pager's threads have stacks of 256 KiB, of which its own calls take some 64.
 *   - They must not touch a map of the same pager.
 *   - In a thread of the program, as inside lg_map_sync or lg_map_read, read and write are called with signals blocked but
 *     for those that a thread raises itself (SIGBUS, SIGSEGV, SIGFPE, SIGILL): a handler that touched the page they
 *     work on would wait for its own thread. One that hangs keeps Ctrl-C waiting.
 *   - All are called with cancellation disabled (pthread_setcancelstate) and must leave it so: a thread that ended in one
 *     would leave a page for which others wait for ever. pthread_cancel acts once the call, or the touch, is over.
 *   - Several may run at once, for different pages. For one page never two at a time.
 *   - They may be called again for the same page after a failure: reads are retried a few times, writes
 *     whenever the page has to leave memory.
 *   - One that answers -EAGAIN or -EINTR is called again for about a second, and then has failed: -EIO. A read, which is
 *     tried four times, takes some five seconds so.
 */
#ifndef LG_STORE_H
#define LG_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lg_store_ops {
	/* sizeof(struct lg_store_ops): lets later versions add to the end. */
	size_t size;

	/*
	 * Reads up to `length` bytes at `offset` into `buffer`. How many there were; fewer than asked: the
	 * rest is asked for again; 0: the store ends here, the rest reads zero. -errno: it failed.
	 */
	ssize_t (*read)(void *context, void *buffer, size_t length, uint64_t offset);

	/*
	 * Writes up to `length` bytes at `offset`: how many were taken (0 counts as EIO), or -errno. NULL:
	 * the map is read-only.
	 */
	ssize_t (*write)(void *context, const void *buffer, size_t length, uint64_t offset);

	/* Makes all that was written durable: 0 or -errno. NULL: nothing to do. */
	int (*flush)(void *context);

	/*
	 * LG_DEAD was said of these pages: they need not be kept, and may read as anything. 0 or -errno, a hint. NULL: they
	 * read as they were written last.
	 */
	int (*discard)(void *context, uint64_t offset, uint64_t length);

	/* The map is closed, or was not made after all: the last call. NULL: nothing to do. */
	void (*close)(void *context);

	/* read, write and discard may be called inside a signal handler; false: they never are. */
	bool signal_safe;
};

#ifdef __cplusplus
}
#endif

#endif
