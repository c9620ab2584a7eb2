/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Locks on ranges of files, of the open file and not of the process (F_OFD_SETLK): they hold between two
 * opens in one process too, a fork's child shares them, and the last close ends them.
 */
#ifndef LG_OS_LOCK_H
#define LG_OS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* -EBUSY: somebody has some of it; -EOPNOTSUPP: there are no such locks here. Many may share. */
int lg_os_lock(int fd, uint64_t offset, uint64_t bytes, bool shared);

/* The same alone, and waits. */
int lg_os_lock_wait(int fd, uint64_t offset, uint64_t bytes);

void lg_os_unlock(int fd, uint64_t offset, uint64_t bytes);

#endif
