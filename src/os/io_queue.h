/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What one thread has in flight to disks: writes that are waited for together. A disk that takes 100 us for one of 4 KiB
 * takes little more for 32 at a time.
 *
 * Zeroed memory is a queue. The kernel is asked for its part with the first use; where it has none for us (no such
 * call, a filter of system calls, fs.aio-max-nr) nothing is ever sent.
 */
#ifndef LG_OS_IO_QUEUE_H
#define LG_OS_IO_QUEUE_H

#include "os/io.h"

struct lg_os_io_queue {
	unsigned long context; /* the kernel's name for it; 0: none yet */
	bool refused;
};

/*
 * Writes to a descriptor that goes past the page cache; at most LG_OS_IO_MANY. Of those that were written in full the error is
 * 0 then; others are as they were, and some of them may be written.
 */
void lg_os_io_queue_write(struct lg_os_io_queue *queue, int fd,
			  struct lg_os_io_request *const *requests, unsigned count, uint64_t from);

/* Nothing is in flight, and nothing is sent from here on. */
void lg_os_io_queue_end(struct lg_os_io_queue *queue);

#endif
