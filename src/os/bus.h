/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * SIGBUS: one handler for the process. What is not ours goes to whoever had the signal before.
 *
 * The handler runs with every signal blocked, on the thread's alternate stack if it has one, and leaves
 * errno as it was. Who had the signal before is called as the kernel would have: with the signals blocked that were,
 * those of its sa_mask and, without SA_NODEFER, SIGBUS; with SA_RESETHAND once in the process. The stack is that of
 * our handler, SA_ONSTACK or not.
 */
#ifndef LG_OS_BUS_H
#define LG_OS_BUS_H

#include <stdbool.h>

/* The access that raised it. */
enum lg_os_access { LG_OS_ACCESS_UNKNOWN, LG_OS_ACCESS_READ, LG_OS_ACCESS_WRITE };

/*
 * Installs the handler; later calls do nothing. `serve` returns true if the address was its to serve and
 * the access can be tried again. -errno.
 */
int lg_os_bus_claim(bool (*serve)(void *address, enum lg_os_access access));

/* In the child of a fork, where another thread may have been in the middle of it. */
void lg_os_bus_forget(void);

/* Some thread of the process that has not ended blocks SIGBUS: it would die at a fault. */
bool lg_os_bus_is_blocked(void);

#endif
