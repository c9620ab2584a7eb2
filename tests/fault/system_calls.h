/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The library's calls to the system, each of which a test can make fail: the linker's --wrap sends
 * those of the static library here. Between system_calls_fail() and system_calls_heal() they are
 * counted, and from the `first`-th on `count` of them fail with an error such a call may give, without
 * having done anything.
 */
#ifndef FAULT_SYSTEM_CALLS_H
#define FAULT_SYSTEM_CALLS_H

#include <stdbool.h>

/*
 * `variant` chooses among the errors of a call. `only`: count and fail calls of this name alone; NULL:
 * of all.
 */
void system_calls_fail(unsigned first, unsigned count, unsigned variant, const char *only);

/* Ends it; how many calls were made to fail. */
unsigned system_calls_heal(void);

/* As long as it is held none fails, and none is counted: what the test does meanwhile works. */
void system_calls_hold(bool hold);

/* From now on memory is dropped whenever that is asked for, as the kernel does with what is private and not locked. */
void system_calls_let_drops_succeed(void);

/* "mmap Cannot allocate memory": the first that failed since system_calls_fail(), "" if none did. */
const char *system_calls_first_failed(void);

/* The names for `only`, ended by NULL. */
extern const char *const system_calls_names[];

#endif
