/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A fault: a page was touched that is not in the map, or written to that is write-protected. The one
 * place where it is decided what to do; who serves it, the thread itself or one of the pager's, is the
 * same here.
 *
 * Inside a signal handler: everything below makes system calls only, takes the pager's lock with signals
 * blocked, and needs 4.2 KiB of stack, so that with the kernel's frame an alternate one of 8192 bytes is enough.
 */
#ifndef LG_PAGER_FAULT_H
#define LG_PAGER_FAULT_H

#include "os/bus.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_map;

/* A page of this word is mapped as `access` wants it. */
bool lg_fault_is_over(const struct lg_map *map, uint64_t word, enum lg_os_access access);

/*
 * Makes the page present, and writable if it is to be written. 0: the access may be tried again; -EIO: the
 * page cannot be read; -ENOMEM, or why others could not be written: no memory can be had.
 */
int lg_fault_serve(struct lg_map *map, uint64_t page, enum lg_os_access access);

/* The same for a thread that touched it and sleeps in the kernel. *starved: it failed, for want of memory. */
int lg_fault_serve_other(struct lg_map *map, uint64_t page, enum lg_os_access access,
			 bool *starved);

/*
 * The same for a call of the library's, which counts no fault, and leaves BUSY with the caller: *word is the
 * page's, mapped, and DIRTY if `access` is to write. As long the caller's signals are held: *signals is for
 * lg_os_signals_release, after the word is released. If it fails neither is.
 */
int lg_fault_claim(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t *word,
		   uint64_t *signals);

/* Of SIGBUS: true if the address lies in a map and was served. */
bool lg_fault_signal(void *address, enum lg_os_access access);

#endif
