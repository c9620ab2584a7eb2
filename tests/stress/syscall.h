/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The library's raw system calls, which the linker's --wrap=syscall sends here: the test plays the kernel, by a function
 * `kernel_answers`, and asks the real one where it has nothing to say. Included once in a program.
 */
#ifndef STRESS_SYSCALL_H
#define STRESS_SYSCALL_H

#include <stdarg.h>
#include <sys/syscall.h>

/* The test's own. It may change its copy of the arguments; -1 with errno, as of syscall(2). */
static long kernel_answers(long number, long a[6]);

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list more;

	va_start(more, number);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(more, long);
	va_end(more);
	return kernel_answers(number, a);
}

static long syscall_really(long number, const long a[6])
{
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
