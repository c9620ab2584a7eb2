/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Closing for programs nobody recompiles: daemons, and who starts programs, close descriptors they do not know. With the userfaultfd
 * of backing:paged go the pages that are not in memory, which would read zero; so what the library keeps is left out, of
 * close, close_range and closefrom. A child that does it and then executes a program loses nothing by it, for none of them
 * survives that.
 *
 * To close one of them is EBADF, as it would be without the library, and as Valgrind has it: programs that close what
 * they find in /proc/self/fd take it for a number that was closed since.
 *
 * What comes past it are system calls made by hand, dup2 onto a number of the library's, and the C library's own calls.
 */
#include "base/bits.h"
#include "base/require.h"
#include "os/directory.h"
#include "os/kept.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

typedef int close_function(int fd);
typedef int close_range_function(unsigned first, unsigned last, int flags);

static _Atomic(close_function *) next_close;
static _Atomic(close_range_function *) next_close_range;

/* Older C libraries declare neither. */
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int lowest);

static int no_close(int fd)
{
	(void)fd;
	errno = ENOSYS;
	return -1;
}

static int no_close_range(unsigned first, unsigned last, int flags)
{
	(void)first;
	(void)last;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

/* At load: children of vfork, and signal handlers, may close and not ask the dynamic linker. */
__attribute__((constructor)) static void find(void)
{
	close_function *found = no_close;
	close_range_function *found_range = no_close_range;
	void *symbol = dlsym(RTLD_NEXT, "close");

	if (symbol != NULL)
		memcpy(&found, &symbol, sizeof(symbol));
	symbol = dlsym(RTLD_NEXT, "close_range");
	if (symbol != NULL)
		memcpy(&found_range, &symbol, sizeof(symbol));
	lg_store_relaxed(&next_close_range, found_range);
	lg_store_relaxed(&next_close, found);
}

EXPORT int close(int fd)
{
	if (LG_UNLIKELY(lg_os_kept_has((unsigned)fd))) {
		errno = EBADF;
		return -1;
	}
	if (LG_UNLIKELY(lg_load_relaxed(&next_close) == NULL)) /* from another's constructor */
		find();
	return lg_load_relaxed(&next_close)(fd);
}

static int close_between(unsigned first, unsigned last, int flags)
{
	if (LG_UNLIKELY(lg_load_relaxed(&next_close_range) == NULL))
		find();
	return lg_load_relaxed(&next_close_range)(first, last, flags);
}

/* The stretches between those that are kept, of which there is one at least. */
static int close_around(unsigned first, unsigned last)
{
	unsigned kept;

	for (; lg_os_kept_find(first, last, &kept); first = kept + 1) {
		if (kept > first && close_between(first, kept - 1, 0) != 0)
			return -1;
		if (kept == last)
			return 0;
	}
	return close_between(first, last, 0);
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	unsigned kept;

	/* To mark them CLOEXEC changes nothing, and what else there is or comes to be the kernel judges. */
	if ((flags & ~(int)CLOSE_RANGE_UNSHARE) != 0 || !lg_os_kept_find(first, last, &kept))
		return close_between(first, last, flags);
	/* The caller's own table first, by the range that nobody has. */
	if (flags != 0 && close_between(UINT_MAX, UINT_MAX, flags) != 0)
		return -1;
	return close_around(first, last);
}

static void close_listed(int directory, const char *name, void *lowest)
{
	char *end;
	long fd = strtol(name, &end, 10);

	if (end != name && fd >= *(const int *)lowest && fd != directory)
		(void)close((int)fd);
}

/* Before Linux 5.9, or where a filter knows no close_range. As the C library's, it closes all or there is no program. */
EXPORT void closefrom(int lowest)
{
	int from = lowest > 0 ? lowest : 0;

	if (close_range((unsigned)from, UINT_MAX, 0) == 0)
		return;
	LG_REQUIRE(lg_os_directory_each("/proc/thread-self/fd", close_listed, &from) == 0);
}
