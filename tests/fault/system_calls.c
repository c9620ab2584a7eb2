/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One list of the calls; CMakeLists.txt has the same names for the linker. Calls that cannot fail by
 * the manual (getpid, clock_gettime) or whose failure means nothing (close after which the descriptor
 * is gone all the same) are left alone. EINTR is not injected without end: a call that restarts would
 * be right to do so for ever; nor are EFAULT of mremap and ENOMEM of mincore, which say that a mapping is gone
 * when it is not.
 */
#include "fault/system_calls.h"

#include "stress/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The headers of the oldest system we build on do not have them. */
#define IOCTL_MOVE ((unsigned long)_IOWR(UFFDIO, 0x05, uint64_t[5]))
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define IOCTL_POISON ((unsigned long)_IOWR(UFFDIO, 0x08, uint64_t[4]))

/* X(name, three errors, result type, parameters, arguments): fails by -1 and errno */
#define POSIX_CALLS(X)                                                                             \
	X(munmap, ENOMEM, EINVAL, ENOMEM, int, (void *at, size_t bytes), (at, bytes))              \
	X(mprotect, ENOMEM, EACCES, ENOMEM, int, (void *at, size_t bytes, int how),                \
	  (at, bytes, how))                                                                        \
	X(mincore, EAGAIN, EINVAL, EAGAIN, int, (void *at, size_t bytes, unsigned char *to),       \
	  (at, bytes, to))                                                                         \
	X(ftruncate, ENOSPC, EFBIG, EIO, int, (int fd, off_t bytes), (fd, bytes))                  \
	X(fallocate, ENOSPC, EDQUOT, EOPNOTSUPP, int, (int fd, int how, off_t at, off_t bytes),    \
	  (fd, how, at, bytes))                                                                    \
	X(sync_file_range, EIO, ENOSPC, EINVAL, int,                                               \
	  (int fd, off_t at, off_t bytes, unsigned how), (fd, at, bytes, how))                     \
	X(mkostemp, EACCES, EROFS, ENFILE, int, (char *path, int flags), (path, flags))            \
	X(fstatfs, EIO, ENOSYS, EINTR, int, (int fd, struct statfs *to), (fd, to))                 \
	X(getrlimit, EINVAL, EPERM, EINVAL, int, (int what, struct rlimit *to), (what, to))        \
	X(lseek, EINVAL, EOVERFLOW, EINVAL, off_t, (int fd, off_t at, int from), (fd, at, from))   \
	X(fsync, EIO, EINVAL, ENOSPC, int, (int fd), (fd))                                         \
	X(syncfs, EIO, ENOSPC, EDQUOT, int, (int fd), (fd))                                        \
	X(read, EIO, EISDIR, EBADF, ssize_t, (int fd, void *to, size_t bytes), (fd, to, bytes))    \
	X(write, EIO, ENOSPC, EDQUOT, ssize_t, (int fd, const void *from, size_t bytes),           \
	  (fd, from, bytes))                                                                       \
	X(pread, EIO, EISDIR, EINVAL, ssize_t, (int fd, void *to, size_t bytes, off_t at),         \
	  (fd, to, bytes, at))                                                                     \
	X(pipe2, EMFILE, ENFILE, ENOMEM, int, (int ends[2], int flags), (ends, flags))             \
	X(flock, ENOLCK, EWOULDBLOCK, EINVAL, int, (int fd, int how), (fd, how))                   \
	X(munlock, ENOMEM, EPERM, EAGAIN, int, (const void *at, size_t bytes), (at, bytes))        \
	X(memfd_create, EMFILE, ENOMEM, ENOSYS, int, (const char *name, unsigned flags),           \
	  (name, flags))

/* The same for those that return the error itself. */
#define THREAD_CALLS(X)                                                                            \
	X(pthread_attr_init, ENOMEM, ENOMEM, ENOMEM, (pthread_attr_t * to), (to))                  \
	X(pthread_create, EAGAIN, EPERM, EINVAL,                                                   \
	  (pthread_t * to, const pthread_attr_t *how, void *(*run)(void *), void *argument),       \
	  (to, how, run, argument))                                                                \
	X(pthread_key_create, EAGAIN, ENOMEM, EAGAIN,                                              \
	  (pthread_key_t * to, void (*destroy)(void *)), (to, destroy))                            \
	X(pthread_setspecific, ENOMEM, EINVAL, ENOMEM, (pthread_key_t key, const void *value),     \
	  (key, value))                                                                            \
	X(pthread_atfork, ENOMEM, ENOMEM, ENOMEM,                                                  \
	  (void (*prepare)(void), void (*parent)(void), void (*child)(void)),                      \
	  (prepare, parent, child))

#define NAME_OF(name, ...) #name,
const char *const system_calls_names[] = {
	"mmap",        "fstat",           "mremap",
	"open",        "fcntl",           "ioctl",
	"syscall",     "openat",          "UFFDIO_REGISTER",
	"UFFDIO_COPY", "UFFDIO_ZEROPAGE", "UFFDIO_WRITEPROTECT",
	"UFFDIO_MOVE", "UFFDIO_POISON",   POSIX_CALLS(NAME_OF) THREAD_CALLS(NAME_OF) NULL
};

static atomic_bool armed, held, drops_succeed;
static atomic_uint counted;
static atomic_uint failed;
static unsigned plan_first, plan_count, plan_variant;
static const char *plan_only;
static char first_failed[128];

void system_calls_fail(unsigned first, unsigned count, unsigned variant, const char *only)
{
	plan_first = first;
	plan_count = count;
	plan_variant = variant;
	plan_only = only;
	first_failed[0] = '\0';
	atomic_store(&counted, 0);
	atomic_store(&failed, 0);
	atomic_store(&armed, true);
}

unsigned system_calls_heal(void)
{
	atomic_store(&armed, false);
	return atomic_load(&failed);
}

void system_calls_hold(bool hold)
{
	atomic_store(&held, hold);
}

void system_calls_let_drops_succeed(void)
{
	atomic_store(&drops_succeed, true);
}

const char *system_calls_first_failed(void)
{
	return first_failed;
}

/* The error this call must fail with now, or 0 to let it pass. */
static int failure(const char *name, int error0, int error1, int error2)
{
	const int errors[] = { error0, error1, error2 };
	unsigned number;
	int error;

	if (!atomic_load(&armed) || atomic_load(&held) ||
	    (plan_only && strcmp(plan_only, name) != 0))
		return 0;
	number = atomic_fetch_add(&counted, 1) + 1;
	if (number < plan_first || number - plan_first >= plan_count)
		return 0;
	error = errors[plan_variant % 3];
	if (atomic_fetch_add(&failed, 1) == 0)
		snprintf(first_failed, sizeof(first_failed), "%s %s", name, strerror(error));
	return error;
}

#define WRAP_POSIX(name, error0, error1, error2, type, parameters, arguments)                      \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		int error = failure(#name, error0, error1, error2);                                \
		if (error == 0)                                                                    \
			return __real_##name arguments;                                            \
		errno = error;                                                                     \
		return -1;                                                                         \
	}
POSIX_CALLS(WRAP_POSIX)

#define WRAP_THREAD(name, error0, error1, error2, parameters, arguments)                           \
	int __real_##name parameters;                                                              \
	int __wrap_##name parameters;                                                              \
	int __wrap_##name parameters                                                               \
	{                                                                                          \
		int error = failure(#name, error0, error1, error2);                                \
		return error == 0 ? __real_##name arguments : error;                               \
	}
THREAD_CALLS(WRAP_THREAD)

void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	int error = failure("mmap", ENOMEM, EAGAIN, EPERM);

	if (error == 0)
		return __real_mmap(at, bytes, protection, flags, fd, offset);
	errno = error;
	return MAP_FAILED;
}

int __real_madvise(void *at, size_t bytes, int how);
int __wrap_madvise(void *at, size_t bytes, int how);
int __wrap_madvise(void *at, size_t bytes, int how)
{
	bool drops = atomic_load(&drops_succeed) &&
		     (how == MADV_DONTNEED || how == MADV_DONTNEED_LOCKED);
	int error = drops ? 0 : failure("madvise", EINVAL, EAGAIN, EIO);

	if (error == 0)
		return __real_madvise(at, bytes, how);
	errno = error;
	return -1;
}

/* Of what has no file, a pipe or a userfaultfd, the kernel has all it tells of. */
int __real_fstat(int fd, struct stat *to);
int __wrap_fstat(int fd, struct stat *to);
int __wrap_fstat(int fd, struct stat *to)
{
	struct stat status = { .st_mode = 0 };
	bool has_file = __real_fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) != 0 &&
			!S_ISFIFO(status.st_mode);
	int error = has_file ? failure("fstat", EIO, EBADF, ENOMEM) : 0;

	if (error == 0)
		return __real_fstat(fd, to);
	errno = error;
	return -1;
}

/* The rest take what their flags say: enough arguments are passed on for any of their uses. */

void *__real_mremap(void *from, size_t old, size_t bytes, int flags, ...);
void *__wrap_mremap(void *from, size_t old, size_t bytes, int flags, ...);
void *__wrap_mremap(void *from, size_t old, size_t bytes, int flags, ...)
{
	int error = failure("mremap", ENOMEM, EINVAL, EAGAIN);
	void *to = NULL;
	va_list more;

	va_start(more, flags);
	if (flags & MREMAP_FIXED)
		to = va_arg(more, void *);
	va_end(more);
	if (error == 0)
		return __real_mremap(from, old, bytes, flags, to);
	errno = error;
	return MAP_FAILED;
}

static mode_t mode_of(int flags, va_list more)
{
	return __OPEN_NEEDS_MODE(flags) ? va_arg(more, mode_t) : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	int error = failure("open", EMFILE, EACCES, EOPNOTSUPP);
	va_list more;

	va_start(more, flags);
	mode_t mode = mode_of(flags, more);
	va_end(more);
	if (error == 0)
		return __real_open(path, flags, mode);
	errno = error;
	return -1;
}

int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...)
{
	int error = failure("openat", EMFILE, EACCES, ENOENT);
	va_list more;

	va_start(more, flags);
	mode_t mode = mode_of(flags, more);
	va_end(more);
	if (error == 0)
		return __real_openat(directory, path, flags, mode);
	errno = error;
	return -1;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	int error = failure("fcntl", EMFILE, EINVAL, EBADF);
	va_list more;
	long argument;

	va_start(more, command);
	argument = va_arg(more, long);
	va_end(more);
	if (error == 0)
		return __real_fcntl(fd, command, argument);
	errno = error;
	return -1;
}

int __real_ioctl(int fd, unsigned long command, ...);
int __wrap_ioctl(int fd, unsigned long command, ...);
int __wrap_ioctl(int fd, unsigned long command, ...)
{
	int error = failure("ioctl", ENOTTY, EPERM, EOPNOTSUPP);
	va_list more;
	void *argument;

	va_start(more, command);
	argument = va_arg(more, void *);
	va_end(more);
	if (error == 0)
		return __real_ioctl(fd, command, argument);
	errno = error;
	return -1;
}

/*
 * A pager's, by the names of what they ask for. That a range is not its own any more they do not say, for it is; nor does fail what
 * allocates nothing: waking, and taking a protection away, which may only have to be asked for again.
 */
static int failure_of_userfault(unsigned long request, const struct uffdio_writeprotect *range)
{
	switch (request) {
	case UFFDIO_REGISTER:
		return failure("UFFDIO_REGISTER", ENOMEM, EINVAL, EBUSY);
	case UFFDIO_COPY:
		return failure("UFFDIO_COPY", ENOMEM, EAGAIN, ENOMEM);
	case UFFDIO_ZEROPAGE:
		return failure("UFFDIO_ZEROPAGE", ENOMEM, EAGAIN, ENOMEM);
	case UFFDIO_WRITEPROTECT:
		if ((range->mode & UFFDIO_WRITEPROTECT_MODE_WP) == 0)
			return failure("UFFDIO_WRITEPROTECT", EAGAIN, EAGAIN, EAGAIN);
		return failure("UFFDIO_WRITEPROTECT", ENOMEM, EAGAIN, ENOMEM);
	case IOCTL_MOVE:
		return failure("UFFDIO_MOVE", ENOMEM, EBUSY, EAGAIN);
	case IOCTL_POISON:
		return failure("UFFDIO_POISON", ENOMEM, EAGAIN, EOPNOTSUPP);
	default:
		return 0;
	}
}

/* What moves bytes fails as a disk does. */
static int failure_of(long number, const long arguments[6])
{
	switch (number) {
	case SYS_futex: /* one that does not wait is a wake-up without a reason: allowed, and no
			 * failure to test for ever */
	case SYS_close:
	case SYS_rt_sigprocmask:
	case SYS_clock_nanosleep:
	case SYS_gettid:
	case SYS_ppoll:
		return 0;
	case SYS_ioctl:
		return failure_of_userfault((unsigned long)arguments[1],
					    (const struct uffdio_writeprotect *)arguments[2]);
	case SYS_mincore:
		return failure("syscall", EAGAIN, EAGAIN, EAGAIN);
	case SYS_madvise:
		return failure("syscall", EINVAL, EAGAIN, ENOMEM);
	case SYS_read: /* of a descriptor that has nothing now */
		return failure("syscall", EAGAIN, EAGAIN, EAGAIN);
	case SYS_userfaultfd:
		return failure("syscall", EMFILE, EPERM, ENOMEM);
	case SYS_io_submit:
		return failure("syscall", EAGAIN, ENOMEM, EINVAL);
	case SYS_io_getevents: /* by a filter; and nobody but the next can tell that the disk is done */
		return failure("syscall", ENOSYS, EPERM, EACCES);
	case SYS_io_destroy:
		return 0;
	case SYS_preadv:
		return failure("syscall", EIO, EINVAL, ENOMEM);
	case SYS_pwritev:
	case SYS_fdatasync:
		return failure("syscall", EIO, ENOSPC, EINVAL);
	default:
		return failure("syscall", ENOSYS, EPERM, EINVAL);
	}
}

static long kernel_answers(long number, long arguments[6])
{
	int error = failure_of(number, arguments);

	if (error == 0)
		return syscall_really(number, arguments);
	errno = error;
	return -1;
}
