/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Which numbers are descriptors that the library keeps: for the malloc shim, whose programs close what they do not know. Those
 * that go by lg_os_descriptor_move_high are, until lg_os_descriptor_shut.
 *
 * By the number each has a word, made of what tells
 *   - the file, by its device and inode: another that came to the number by dup2(2), or after a system call that nobody sees, is
 *     not taken for ours;
 *   - the adding: a number that one thread shuts may be another's before it is forgotten, and of the same file, as maps of two
 *     ranges of one have. What that one added stays.
 *
 * Nothing waits, and all may be asked inside a signal handler or a child of vfork.
 */
#ifndef LG_OS_KEPT_H
#define LG_OS_KEPT_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* Two for each map of a pager, above where they are moved. Beyond, a descriptor is not known. */
enum { LG_OS_KEPT_MOST = 1 << 14 };

/* No number below was ever one of them: what programs close costs a compare. */
extern _Atomic(unsigned) lg_os_kept_lowest;

void lg_os_kept_add(int fd);

/* Forgets what the word was before the number was closed, and nothing if it was added again since, of whatever file. */
uint64_t lg_os_kept_word(int fd);
void lg_os_kept_remove(int fd, uint64_t word);

/* This number, and it still is what was added. */
bool lg_os_kept_look(unsigned fd);
static inline bool lg_os_kept_has(unsigned fd)
{
	return fd >= lg_load_relaxed(&lg_os_kept_lowest) && lg_os_kept_look(fd);
}

/* The first of them from `first` to `last`. False: there is none. */
bool lg_os_kept_find(unsigned first, unsigned last, unsigned *fd);

#endif
