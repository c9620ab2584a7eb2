/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/map.h"

#include "os/raw.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

size_t lg_os_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int map_at(void *at, size_t bytes, int protection, int flags, int fd, uint64_t offset)
{
	void *got = mmap(at, bytes, protection, flags, fd, (off_t)offset);

	return got == MAP_FAILED ? -errno : 0;
}

/* Terabytes, of which a debugger that writes a core finds only what is not said to be nothing. */
static void leave_out_of_dumps(void *at, size_t bytes)
{
	(void)madvise(at, bytes, MADV_DONTDUMP);
}

int lg_os_reserve(size_t bytes, size_t alignment, void **range)
{
	size_t page = lg_os_page_bytes();
	size_t more = alignment > page ? alignment - page : 0;
	char *start = mmap(NULL, bytes + more, PROT_NONE, RESERVED, -1, 0);

	if (start == MAP_FAILED)
		return -errno;
	size_t before = -(size_t)(uintptr_t)start & (alignment - 1);
	if (before > 0)
		munmap(start, before);
	if (more > before)
		munmap(start + before + bytes, more - before);
	*range = start + before;
	leave_out_of_dumps(*range, bytes);
	return 0;
}

void lg_os_unreserve(void *range, size_t bytes)
{
	munmap(range, bytes);
}

static int map_in_hole(void *at, size_t bytes, int protection)
{
	void *got = mmap(at, bytes, protection, RESERVED | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == MAP_FAILED)
		return -errno;
	if (got != at) { /* a kernel before 4.17 takes the address as a hint */
		munmap(got, bytes);
		return -EEXIST;
	}
	return 0;
}

int lg_os_reserve_at(void *range, size_t bytes)
{
	int error = map_in_hole(range, bytes, PROT_NONE);

	if (error == 0)
		leave_out_of_dumps(range, bytes);
	return error;
}

int lg_os_map_anon_in_hole(void *at, size_t bytes)
{
	return map_in_hole(at, bytes, PROT_READ | PROT_WRITE);
}

int lg_os_map_file(void *at, size_t bytes, int fd, uint64_t offset)
{
	return map_at(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset);
}

int lg_os_map_anon(void *at, size_t bytes)
{
	return map_at(at, bytes, PROT_READ | PROT_WRITE, RESERVED | MAP_FIXED, -1, 0);
}

/* Nothing is brought in where there is no access, and a lock can be taken off before there is. */
int lg_os_map_unlocked(void *at, size_t bytes)
{
	int error = lg_os_unmap(at, bytes);

	if (error == 0)
		error = lg_os_munlock(at, bytes);
	return error == 0 ? lg_os_make_writable(at, bytes) : error;
}

int lg_os_map_table(size_t bytes, void **table)
{
	int error = lg_os_reserve(bytes, lg_os_page_bytes(), table);

	if (error != 0)
		return error;
	error = lg_os_map_unlocked(*table, bytes);
	if (error != 0)
		lg_os_unreserve(*table, bytes);
	else
		(void)lg_os_advise(*table, bytes, LG_OS_NOHUGEPAGE);
	return error;
}

int lg_os_unmap(void *at, size_t bytes)
{
	int error = map_at(at, bytes, PROT_NONE, RESERVED | MAP_FIXED, -1, 0);

	if (error == 0)
		leave_out_of_dumps(at, bytes);
	return error;
}

int lg_os_map_zeros(void *at, size_t bytes)
{
	int error = map_at(at, bytes, PROT_READ, RESERVED | MAP_FIXED, -1, 0);

	if (error == 0)
		leave_out_of_dumps(at, bytes);
	return error;
}

int lg_os_make_writable(void *at, size_t bytes)
{
	return mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0 ? 0 : -errno;
}

int lg_os_make_readonly(void *at, size_t bytes)
{
	return mprotect(at, bytes, PROT_READ) == 0 ? 0 : -errno;
}

int lg_os_map_nothing(void *at, size_t bytes)
{
	int fd = memfd_create("lgalloc-nothing", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int error = map_at(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	(void)lg_os_raw(SYS_close, fd, 0, 0, 0, 0, 0); /* no cancellation point: the page is ours */
	return error;
}

int lg_os_map_record(size_t bytes, void **record)
{
	void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (got == MAP_FAILED)
		return -errno;
	*record = got;
	return 0;
}

/* No default: the compiler names an advice that is left out. */
static int number_of(enum lg_os_advice advice)
{
	switch (advice) {
	case LG_OS_FREE:
		return MADV_FREE;
	case LG_OS_DROP:
		return MADV_DONTNEED;
	case LG_OS_REMOVE:
		return MADV_REMOVE;
	case LG_OS_WILLNEED:
		return MADV_WILLNEED;
	case LG_OS_PAGEOUT:
		return MADV_PAGEOUT;
	case LG_OS_SEQUENTIAL:
		return MADV_SEQUENTIAL;
	case LG_OS_RANDOM:
		return MADV_RANDOM;
	case LG_OS_NORMAL:
		return MADV_NORMAL;
	case LG_OS_HUGEPAGE:
		return MADV_HUGEPAGE;
	case LG_OS_POPULATE:
		return MADV_POPULATE_WRITE;
	case LG_OS_NOHUGEPAGE:
		return MADV_NOHUGEPAGE;
	case LG_OS_DONTFORK:
		return MADV_DONTFORK;
	case LG_OS_DONTDUMP:
		return MADV_DONTDUMP;
	case LG_OS_UNMERGEABLE:
		return MADV_UNMERGEABLE;
	}
	return -1; /* which the kernel refuses */
}

int lg_os_advise(void *at, size_t bytes, enum lg_os_advice advice)
{
	int result;

	do
		result = madvise(at, bytes, number_of(advice));
	while (result != 0 && errno == EINTR);
	return result == 0 ? 0 : -errno;
}

int lg_os_keep_apart(void *at, size_t bytes)
{
	int error = lg_os_advise(at, bytes, LG_OS_DONTFORK);

	/* A kernel that knows neither does neither. */
	(void)lg_os_advise(at, bytes, LG_OS_DONTDUMP);
	(void)lg_os_advise(at, bytes, LG_OS_UNMERGEABLE);
	return error;
}

/* Advice that changes nothing but the order in which the kernel would swap, and is refused for what is locked. */
bool lg_os_is_locked(void *at, size_t bytes)
{
	return madvise(at, bytes, MADV_COLD) != 0 && errno == EINVAL;
}

/*
 * Asked by calls that find it out where a touch would be the end. The first is one for all (Linux 5.14); the other reads its new
 * mask before it finds that it is not told what to do with it.
 */
bool lg_os_is_readable(const void *at, size_t bytes)
{
	size_t page = lg_os_page_bytes();

	if (lg_os_raw(SYS_madvise, (long)at, (long)bytes, MADV_POPULATE_READ, 0, 0, 0) == 0)
		return true;
	for (size_t done = 0; done < bytes; done += page)
		if (lg_os_raw(SYS_rt_sigprocmask, -1, (long)at + (long)done, 0, sizeof(uint64_t), 0,
			      0) == -EFAULT)
			return false;
	return true;
}

int lg_os_copy_own(void *to, const void *from, size_t bytes)
{
	struct iovec here = { to, bytes }, there = { (void *)(uintptr_t)from, bytes };
	/* By the thread: the process's first may have ended. */
	long self = lg_os_raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
	long got = lg_os_raw(SYS_process_vm_readv, self, (long)&here, 1, (long)&there, 1, 0);

	return got < 0 ? (int)got : got == (long)bytes ? 0 : -EFAULT;
}

int lg_os_munlock(void *at, size_t bytes)
{
	return munlock(at, bytes) == 0 ? 0 : -errno;
}

int lg_os_mlock_absent(void *at, size_t bytes)
{
	return mlock2(at, bytes, MLOCK_ONFAULT) == 0 ? 0 : -errno;
}

/* Before Linux 5.18 what is locked has to be unlocked. */
int lg_os_drop(void *at, size_t bytes)
{
	int error = lg_os_advise(at, bytes, LG_OS_DROP);

	if (error != -EINVAL || madvise(at, bytes, MADV_DONTNEED_LOCKED) == 0)
		return error != -EINVAL ? error : 0;
	error = lg_os_munlock(at, bytes);
	return error == 0 ? lg_os_advise(at, bytes, LG_OS_DROP) : error;
}

unsigned lg_os_drop_some(const struct iovec *ranges, unsigned count)
{
	enum { SELF = -10000 }; /* PIDFD_SELF_THREAD, Linux 6.14; before that the kernel refuses */
	long got = count > 1 ? syscall(SYS_process_madvise, SELF, ranges, count, MADV_DONTNEED, 0) :
			       -1;
	size_t left = got > 0 ? (size_t)got : 0;
	unsigned dropped = 0;

	for (; dropped < count && ranges[dropped].iov_len <= left; dropped++)
		left -= ranges[dropped].iov_len;
	return dropped;
}

void lg_os_drop_many(const struct iovec *ranges, unsigned count)
{
	/* Once more where it began is no harm. */
	for (unsigned i = lg_os_drop_some(ranges, count); i < count; i++)
		(void)lg_os_drop(ranges[i].iov_base, ranges[i].iov_len);
}

int lg_os_move(void *from, void *to, size_t bytes)
{
	void *got =
		mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);

	return got == MAP_FAILED ? -errno : 0;
}

bool lg_os_is_in_memory(void *at)
{
	unsigned char there = 0;

	return mincore(at, lg_os_page_bytes(), &there) == 0 && (there & 1) != 0;
}

/* Adds up what is in memory, and counts the stretches that have a hole. */
static int look(char *from, size_t bytes, uint64_t *resident, unsigned *holes)
{
	enum { PAGES = 4096 };
	unsigned char in_memory[PAGES];
	size_t page = lg_os_page_bytes();

	for (size_t done = 0; done < bytes;) {
		size_t piece = bytes - done < PAGES * page ? bytes - done : PAGES * page;
		int result = mincore(from + done, piece, in_memory);

		if (result != 0 && errno != ENOMEM)
			return -errno;
		*holes += result != 0;
		for (size_t i = 0; result == 0 && i < piece / page; i++)
			*resident += (in_memory[i] & 1) != 0 ? page : 0;
		done += piece;
	}
	return 0;
}

int lg_os_resident(void *at, size_t bytes, uint64_t *resident)
{
	unsigned holes = 0;

	return look(at, bytes, resident, &holes);
}

bool lg_os_has_hole(void *at, size_t bytes)
{
	uint64_t resident = 0;
	unsigned holes = 0;

	(void)look(at, bytes, &resident, &holes);
	return holes > 0;
}
