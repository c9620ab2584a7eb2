/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * userfaultfd: page faults of registered ranges, and the calls that answer them. Thin: 0 or -errno, only
 * system calls that are no cancellation points, errno untouched: all but lg_os_userfault_open may be used
 * inside a signal handler.
 *
 * Features that this kernel lacks, or that `without` names, are false in the record; the caller has
 * another way then.
 */
#ifndef LG_OS_USERFAULT_H
#define LG_OS_USERFAULT_H

#include "os/descriptor.h"
#include "os/hangup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lg_os_without { LG_OS_WITHOUT_MOVE = 1, LG_OS_WITHOUT_POISON = 2, LG_OS_WITHOUT_WP = 4 };

struct lg_os_userfault {
	struct lg_os_descriptor descriptor;
	bool can_move;
	bool can_poison;
	bool can_protect;
};

/* One message of the kernel: somebody waits for this page. */
struct lg_os_fault {
	uint64_t address;
	uint32_t thread;
	bool write;
	bool protect; /* the page is there, write-protected */
};

/*
 * signals: faults become SIGBUS in the thread that has them. Else they are messages, of the kernel's own
 * accesses as well, which needs a privilege: -EPERM. -ENOSYS: the kernel has none. In words.
 */
int lg_os_userfault_open(bool signals, unsigned without, struct lg_os_userfault *userfault);
/* The program did not close it. */
bool lg_os_userfault_is_ours(const struct lg_os_userfault *userfault);
/* May be called again; closes what is ours. */
void lg_os_userfault_close(struct lg_os_userfault *userfault);

/* Faults of the range are ours from now; private anonymous memory. */
int lg_os_userfault_register(const struct lg_os_userfault *userfault, void *at, size_t bytes);

/*
 * Puts a copy of `from` where no page is, write-protected or not, and wakes who waits. *done: how many
 * bytes are there, also after an error. -EEXIST: the next page is there.
 */
int lg_os_userfault_copy(const struct lg_os_userfault *userfault, void *to, const void *from,
			 size_t bytes, bool protected, size_t *done);

/*
 * Takes pages from one range to another, atomically for all other threads. `to` is registered, and empty. `private` is the
 * one of both that is registered, too, and that nobody but the caller touches: it may be looked into.
 * *done: how many bytes moved, also after an error. -EBUSY: the kernel holds the next page (DMA). -EINVAL: one side is locked,
 * the other is not. -EOPNOTSUPP: no move.
 */
struct lg_os_move {
	void *to;
	void *from;
	void *private;
	size_t bytes;
};
int lg_os_userfault_move(const struct lg_os_userfault *userfault, const struct lg_os_move *move,
			 size_t *done);

/* Zeros where nothing is. True: somewhere nothing was. Of what is missing for good, or not known, false. */
bool lg_os_userfault_fill_holes(const struct lg_os_userfault *userfault, void *at, size_t bytes);

int lg_os_userfault_protect(const struct lg_os_userfault *userfault, void *at, size_t bytes);
int lg_os_userfault_unprotect(const struct lg_os_userfault *userfault, void *at, size_t bytes);

/* Accesses raise SIGBUS. -EOPNOTSUPP before Linux 6.6. */
int lg_os_userfault_poison(const struct lg_os_userfault *userfault, void *at, size_t bytes);

int lg_os_userfault_wake(const struct lg_os_userfault *userfault, void *at, size_t bytes);

/* A message, if there is one within so many tries; false also where the descriptor is no longer ours. */
bool lg_os_userfault_read(const struct lg_os_userfault *userfault, struct lg_os_fault *fault,
			  unsigned tries);

/* Sleeps until there are messages. False: there will be none, for it was hung up, or the program closed descriptors. */
bool lg_os_userfault_wait(const struct lg_os_userfault *userfault,
			  const struct lg_os_hangup *hangup);

#endif
