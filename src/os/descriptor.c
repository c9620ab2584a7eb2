/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/descriptor.h"

#include "os/kept.h"
#include "os/raw.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FD_HIGH = 4096, FD_LOW = 64 };

/*
 * Programs that close or dup2 onto low descriptors then rarely meet ours. Not higher still: the kernel's
 * table has a place for every number below, and each fork copies it.
 */
int lg_os_descriptor_move_high(int fd)
{
	struct rlimit limit;
	int high = FD_LOW;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		rlim_t most = limit.rlim_cur < FD_HIGH ? limit.rlim_cur : FD_HIGH;
		if (most > 4 * FD_LOW)
			high = (int)(most - FD_LOW);
	}
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, high);
	if (moved >= 0) {
		close(fd);
		fd = moved;
	}
	lg_os_kept_add(fd);
	return fd;
}

/* Not by close(2), which the malloc shim keeps from them. */
int lg_os_descriptor_shut(int fd)
{
	uint64_t kept = lg_os_kept_word(fd);
	int result = (int)lg_os_raw(SYS_close, fd, 0, 0, 0, 0, 0);

	/* Behind it: before, the program could close the number itself, and open another file there. */
	lg_os_kept_remove(fd, kept);
	return result;
}

void lg_os_descriptor_keep(struct lg_os_descriptor *descriptor, int fd)
{
	struct stat status = { .st_ino = 0 };

	descriptor->fd = lg_os_descriptor_move_high(fd);
	(void)fstat(descriptor->fd, &status);
	descriptor->device = status.st_dev;
	descriptor->inode = status.st_ino;
}

bool lg_os_descriptor_is_ours(const struct lg_os_descriptor *descriptor)
{
	int before = errno;
	struct stat status;
	bool ours = descriptor->fd >= 0 && fstat(descriptor->fd, &status) == 0 &&
		    status.st_dev == descriptor->device && status.st_ino == descriptor->inode;

	errno = before;
	return ours;
}

void lg_os_descriptor_close(struct lg_os_descriptor *descriptor)
{
	if (lg_os_descriptor_is_ours(descriptor))
		(void)lg_os_descriptor_shut(descriptor->fd);
	descriptor->fd = -1;
}

int lg_os_poll_now(struct pollfd *descriptors, unsigned count)
{
	int ready = poll(descriptors, count, 0);

	return ready < 0 ? -errno : ready;
}
