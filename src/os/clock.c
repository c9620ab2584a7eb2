/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/clock.h"

#include "os/raw.h"

#include <sys/syscall.h>
#include <time.h>

uint64_t lg_os_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

uint64_t lg_os_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t lg_os_unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void lg_os_sleep_us(unsigned us)
{
	struct timespec time = { .tv_nsec = (long)us * 1000 };

	/* Cut short by a signal: as well. Not the C library's call, at which a thread may be cancelled. */
	(void)lg_os_raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, 0, 0, 0);
}
