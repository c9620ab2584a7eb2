/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Which pages of a private file mapping were written since they were last asked about.
 *
 * Kernels from 6.7 on keep this themselves: userfaultfd in its asynchronous write-protect mode clears a
 * page's mark at the first write, without a fault that anybody waits for, and the ioctl PAGEMAP_SCAN
 * reports pages without the mark and sets it again in the same step, each page atomically. A page never
 * armed has no mark and is reported. Since only a page that became anonymous can differ from the file,
 * file pages are taken out of the answer; so it may name too many, never too few.
 *
 * Older kernels: every anonymous page is named, by /proc/thread-self/pagemap, whether or not it was written since
 * the last time. `exact` says which of the two it is.
 *
 * An armed page that is not there and not in the page cache either is never read in again where it is locked in memory: the
 * kernel (Linux 6.10 and later; seen in 6.18) tries for ever, in the touch or in mlock(2) itself. So what is to be locked must not
 * be armed: `plain`, or lg_os_written_disarm.
 *
 * Threads may write while a scan runs; a write then is in this answer or in the next. Callers scan one at a
 * time. Devices that write into pages past the processor's page table (a read with O_DIRECT, io_uring)
 * must have ended before.
 */
#ifndef LG_OS_WRITTEN_H
#define LG_OS_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lg_os_written {
	int userfault; /* -1: this kernel cannot */
	int pagemap;
	bool exact;
};

/* Starts watching. -errno: /proc/thread-self/pagemap cannot be read. `plain`: as on an old kernel. */
int lg_os_written_open(struct lg_os_written *written, void *base, size_t bytes, bool plain);
void lg_os_written_close(struct lg_os_written *written);

/* As on an old kernel from now on; no page is armed any more. */
void lg_os_written_disarm(struct lg_os_written *written);

/* Calls `each` for runs of pages, mostly in order, some perhaps twice, until it returns other than 0, which is returned. */
typedef int lg_os_written_each(void *argument, void *first, size_t bytes);
int lg_os_written_scan(struct lg_os_written *written, void *from, size_t bytes,
		       lg_os_written_each *each, void *argument);

/* Anonymous pages, written or not, in the same manner; nothing is marked. Armed pages that are not there too. */
int lg_os_written_private(struct lg_os_written *written, void *from, size_t bytes,
			  lg_os_written_each *each, void *argument);

#endif
