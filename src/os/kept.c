/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/kept.h"

#include "base/bits.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

_Atomic(unsigned) lg_os_kept_lowest = UINT_MAX;

static _Atomic(unsigned) highest;
/* 0: none. Else which file, and above it which adding. */
static _Atomic(uint64_t) words[LG_OS_KEPT_MOST];
static _Atomic(uint32_t) added;

enum { FILE_BITS = 40 };
#define FILE_MASK ((UINT64_C(1) << FILE_BITS) - 1)

/* Odd; 0: the number is nobody's. */
static uint64_t file_of(int fd)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	int before = errno;
	struct stat status;
	uint64_t file = 0;

	if (fstat(fd, &status) == 0)
		file = ((lg_rotate_right((uint64_t)status.st_dev * odd, 32) ^
			 (uint64_t)status.st_ino * odd) &
			FILE_MASK) |
		       1;
	errno = before;
	return file;
}

void lg_os_kept_add(int fd)
{
	unsigned number = (unsigned)fd, lowest = lg_load_relaxed(&lg_os_kept_lowest),
		 high = lg_load_relaxed(&highest);

	if (number >= LG_OS_KEPT_MOST)
		return;
	uint64_t file = file_of(fd), adding = lg_add_relaxed(&added, 1u);
	lg_store_relaxed(&words[number], file != 0 ? adding << FILE_BITS | file : 0);
	while (number < lowest && !lg_cas_relaxed(&lg_os_kept_lowest, &lowest, number))
		;
	while (number > high && !lg_cas_relaxed(&highest, &high, number))
		;
}

uint64_t lg_os_kept_word(int fd)
{
	return (unsigned)fd < LG_OS_KEPT_MOST ? lg_load_relaxed(&words[fd]) : 0;
}

void lg_os_kept_remove(int fd, uint64_t word)
{
	if (word != 0)
		(void)lg_cas_relaxed(&words[fd], &word, 0);
}

bool lg_os_kept_look(unsigned fd)
{
	uint64_t word = fd < LG_OS_KEPT_MOST ? lg_load_relaxed(&words[fd]) : 0;

	return word != 0 && (word & FILE_MASK) == file_of((int)fd);
}

bool lg_os_kept_find(unsigned first, unsigned last, unsigned *fd)
{
	unsigned from = (unsigned)lg_max(first, lg_load_relaxed(&lg_os_kept_lowest));
	unsigned to = (unsigned)lg_min(last, lg_load_relaxed(&highest));

	for (unsigned number = from; number <= to; number++)
		if (lg_os_kept_look(number)) {
			*fd = number;
			return true;
		}
	return false;
}
