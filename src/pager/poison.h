/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Poison: a page that could not be read, or, where others serve a thread's faults, for which no memory was to be had. Touching it is SIGBUS: where threads serve their own faults the
 * handler passes that signal on; else the kernel is told to raise it, or, before Linux 6.6, finds a file
 * there that has no bytes.
 */
#ifndef LG_PAGER_POISON_H
#define LG_PAGER_POISON_H

#include <stdint.h>

struct lg_map;

/* A page that is OUT and whose BUSY is the caller's, where it ends: it is POISONED. */
void lg_poison_claimed(struct lg_map *map, uint64_t page, int error);

/* The same of one that nobody's BUSY keeps; who is at it finds out by himself. Never waits, as a reader must not. */
void lg_poison_idle(struct lg_map *map, uint64_t page, int error);

/*
 * The same for want of memory, when who is at it is done, unless he brought it in: nothing is known against the page, and who
 * calls, rather than touches it, tries again.
 */
void lg_poison_starved(struct lg_map *map, uint64_t page, int error);

/* What calls say who met it first: a remote object's own error, else -EIO; the store's is lg_map_error's to tell. */
int lg_poison_answer(const struct lg_map *map, int error);

/*
 * Its addresses fault again; BUSY is the caller's, who says what it is then. Where the kernel cannot poison, a touch in that
 * moment may be SIGSEGV.
 */
void lg_poison_heal(struct lg_map *map, uint64_t page);

#endif
