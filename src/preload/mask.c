/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Masks of signals for programs nobody recompiles: where threads serve their own faults (backing:paged, faults:inline), SIGBUS
 * is how a fault comes, and the kernel kills a thread that blocks it. Threads of libraries block all signals as a matter of
 * course, so SIGBUS is left out of what they block. Masks of handlers (sigaction) and of waits (sigsuspend, ppoll) are the
 * program's.
 */
#include "preload/mask.h"
#include "base/option.h"
#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* glibc's own: for cancellation, and setuid in all threads. No mask may have them. */
#define INTERNAL ((uint64_t)3 << 31)
#define BUS ((uint64_t)1 << (SIGBUS - 1))

static bool must_come(void)
{
	return lg_option(backing) == LG_BACKING_PAGED && lg_option(faults) == LG_PAGED_INLINE;
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t mask;

	if (set != NULL) {
		memcpy(&mask, set, sizeof(mask)); /* as much of it as the kernel has */
		mask &= ~INTERNAL;
		if (how != SIG_UNBLOCK && must_come())
			mask &= ~BUS;
	}
	return -lg_os_signals_change(how, set != NULL ? &mask : NULL, old);
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int error = pthread_sigmask(how, set, old);

	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

void lg_mask_inherited(void)
{
	uint64_t bus = BUS;

	if (must_come())
		(void)lg_os_signals_change(SIG_UNBLOCK, &bus, NULL);
}
