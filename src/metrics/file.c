/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What could stand at the temporary's name: the leftover of a process that was killed, which is taken
 * over; a text another process is writing, which its lock tells; or anything else (a fifo, a link), which
 * is removed, since opening it could wait for ever or write where it points.
 *
 * The exit of the process: the worker claims the phase for a write, the exit ends it. Either the exit
 * finds the file there and no temporary, or there is no write any more.
 */
#include "metrics/file.h"

#include "base/atomic.h"
#include "metrics/writer.h"
#include "os/descriptor.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IDLE, WRITING, ENDED };
enum { ATTEMPTS = 4, EXIT_WAIT_MS = 10, EXIT_WAITS = 50 };

static _Atomic(uint32_t) phase;
static char own[LG_METRICS_PATH_BYTES]; /* to be removed at exit, or empty; changed while WRITING */
static int process;                     /* whose phase it is */

static int take_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &whole) == 0)
		return 0;
	/* A file system without locks: as if nobody else wrote this path. */
	return errno == EACCES || errno == EAGAIN ? -EBUSY : 0;
}

/* 1: open and ours to write; 0: try again; -errno. */
static int look_at(int fd, const char *temporary)
{
	struct stat opened, named;

	if (fstat(fd, &opened) != 0)
		return -errno;
	if (!S_ISREG(opened.st_mode) || opened.st_nlink > 1) {
		if (unlink(temporary) != 0 && errno != ENOENT)
			return -errno;
		return 0;
	}
	int error = take_lock(fd);
	if (error != 0)
		return error;
	/* Its writer may have renamed it between our open and our lock: then it is the file itself. */
	if (lstat(temporary, &named) != 0 || named.st_ino != opened.st_ino ||
	    named.st_dev != opened.st_dev)
		return 0;
	return ftruncate(fd, 0) == 0 ? 1 : -errno;
}

static int open_temporary(const char *temporary)
{
	int error = -EBUSY;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		int fd = open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			      0644);

		if (fd < 0) {
			error = -errno;
			/* A link, a fifo or socket nobody reads, a file of another user. */
			if ((error != -ELOOP && error != -ENXIO && error != -EACCES) ||
			    unlink(temporary) != 0)
				return error;
			continue;
		}
		fd = lg_os_descriptor_move_high(fd);
		int looked = look_at(fd, temporary);
		if (looked == 1)
			return fd;
		(void)lg_os_descriptor_shut(fd);
		if (looked < 0)
			return looked;
	}
	return error;
}

static void go_on(void)
{
	lg_store_release(&phase, IDLE);
	lg_os_wake(&phase);
}

static bool claim(void)
{
	uint32_t idle = IDLE;

	return lg_cas_ordered(&phase, &idle, WRITING);
}

static void forget_old(const char *path)
{
	if (own[0] == '\0' || strcmp(own, path) == 0)
		return;
	(void)unlink(own);
	own[0] = '\0';
}

static int rename_over(const char *temporary, const char *path, bool goes_with_process)
{
	forget_old(path);
	if (rename(temporary, path) != 0)
		return -errno;
	if (goes_with_process)
		snprintf(own, sizeof(own), "%s", path);
	return 0;
}

static int write_claimed(const char *path, const char *label, bool goes_with_process)
{
	char temporary[LG_METRICS_PATH_BYTES + sizeof(LG_METRICS_TEMPORARY)];

	snprintf(temporary, sizeof(temporary), "%s" LG_METRICS_TEMPORARY, path);
	int fd = open_temporary(temporary);
	if (fd < 0)
		return fd;
	int error = lg_writer_write(fd, LG_PROMETHEUS, label);
	if (error == 0) /* under the lock: nobody else takes it for a leftover meanwhile */
		error = rename_over(temporary, path, goes_with_process);
	if (error != 0)
		(void)unlink(temporary);
	int closed = lg_os_descriptor_shut(fd);
	if (error == 0)
		error = closed;
	return error;
}

int lg_metrics_file_write(const char *path, const char *label, bool goes_with_process)
{
	if (!claim())
		return 0; /* the process is ending */
	int error = write_claimed(path, label, goes_with_process);
	go_on();
	return error;
}

void lg_metrics_file_remove(void)
{
	if (own[0] == '\0' || !claim())
		return;
	forget_old("");
	go_on();
}

/* A disk that hangs holds up the exit for half a second, and then the file stays. */
__attribute__((destructor)) static void end(void)
{
	uint32_t found = IDLE;

	if (lg_os_process() != process) /* the child of a vfork shares our memory */
		return;
	for (int waits = 0; !lg_cas_ordered(&phase, &found, ENDED); waits++) {
		if (found == ENDED || waits == EXIT_WAITS)
			return;
		lg_os_sleep_while(&phase, WRITING, EXIT_WAIT_MS);
		found = IDLE;
	}
	if (own[0] != '\0')
		(void)unlink(own);
}

void lg_metrics_file_forget(void)
{
	own[0] = '\0';
	process = lg_os_process();
	lg_store_relaxed(&phase, IDLE);
}
