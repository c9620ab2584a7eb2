/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A system call as it is: no cancellation point, and errno stays what it was. For what runs inside a
 * signal handler, which the program's code must not notice.
 */
#ifndef LG_OS_RAW_H
#define LG_OS_RAW_H

#include <errno.h>
#include <unistd.h>

/* The result, or -errno. */
static inline long lg_os_raw(long number, long a, long b, long c, long d, long e, long f)
{
	int before = errno;
	long result = syscall(number, a, b, c, d, e, f);

	if (result == -1)
		result = -errno;
	errno = before;
	return result;
}

#endif
