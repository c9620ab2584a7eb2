/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>

static int change(int fd, int command, short type, uint64_t offset, uint64_t bytes)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)offset,
			      .l_len = (off_t)bytes };
	int result;

	do
		result = fcntl(fd, command, &lock);
	while (result != 0 && errno == EINTR);
	if (result == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return -EBUSY;
	/* Kernels before 3.15; file systems of other machines. */
	return errno == EINVAL || errno == ENOLCK || errno == ENOSYS ? -EOPNOTSUPP : -errno;
}

int lg_os_lock(int fd, uint64_t offset, uint64_t bytes, bool shared)
{
	return change(fd, F_OFD_SETLK, shared ? F_RDLCK : F_WRLCK, offset, bytes);
}

int lg_os_lock_wait(int fd, uint64_t offset, uint64_t bytes)
{
	return change(fd, F_OFD_SETLKW, F_WRLCK, offset, bytes);
}

void lg_os_unlock(int fd, uint64_t offset, uint64_t bytes)
{
	(void)change(fd, F_OFD_SETLK, F_UNLCK, offset, bytes);
}
