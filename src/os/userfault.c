/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The headers of the oldest system we build on know neither MOVE nor POISON: their numbers are here. */
#include "os/userfault.h"

#include "base/bits.h"
#include "base/error.h"
#include "os/descriptor.h"
#include "os/map.h"
#include "os/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

#define FEATURE_PAGEFAULT_FLAG_WP ((uint64_t)1 << 0)
#define FEATURE_SIGBUS ((uint64_t)1 << 7)
#define FEATURE_THREAD_ID ((uint64_t)1 << 8)
#define FEATURE_POISON ((uint64_t)1 << 14)
#define FEATURE_MOVE ((uint64_t)1 << 16)

struct move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};

struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define IOCTL_MOVE _IOWR(UFFDIO, 0x05, struct move)
#define IOCTL_POISON _IOWR(UFFDIO, 0x08, struct poison)

enum { LOOK_AGAIN_SECONDS = 5 };

/* -EBADF: the program closed it; what took its number since knows none of these. */
static int call(const struct lg_os_userfault *userfault, unsigned long request, void *argument)
{
	int error = (int)lg_os_raw(SYS_ioctl, userfault->descriptor.fd, (long)request,
				   (long)argument, 0, 0, 0);

	return error == -ENOTTY ? -EBADF : error;
}

/* --- opening ------------------------------------------------------------------------------------ */

static int new_descriptor(bool signals)
{
	int flags = O_CLOEXEC | O_NONBLOCK | (signals ? UFFD_USER_MODE_ONLY : 0);
	int fd = (int)syscall(SYS_userfaultfd, flags);

	if (fd >= 0 || (errno != EPERM && errno != EINVAL))
		return fd >= 0 ? fd : -errno;
	if (errno == EINVAL && signals) { /* before 5.11 there was but one kind */
		fd = (int)syscall(SYS_userfaultfd, flags & ~UFFD_USER_MODE_ONLY);
		if (fd >= 0)
			return fd;
	}
	int error = errno, device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -error;
	fd = ioctl(device, USERFAULTFD_IOC_NEW, flags);
	close(device);
	return fd >= 0 ? fd : -error;
}

static int handshake(int fd, uint64_t features, uint64_t *offered)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	if (ioctl(fd, UFFDIO_API, &api) != 0)
		return -errno;
	*offered = api.features;
	return 0;
}

/* A descriptor shakes hands once: one to learn what there is. */
static int learn(bool signals, uint64_t *offered)
{
	int fd = new_descriptor(signals);

	if (fd < 0)
		return fd;
	int error = handshake(fd, 0, offered);
	close(fd);
	return error;
}

static int refused(int error, bool signals)
{
	if (error == -ENOSYS)
		return lg_fail(ENOSYS, "this kernel has no userfaultfd (CONFIG_USERFAULTFD)");
	if (error == -EPERM && !signals)
		return lg_fail(EPERM,
			       "faults:threads needs root (CAP_SYS_PTRACE), "
			       "vm.unprivileged_userfaultfd=1 or access to /dev/userfaultfd; "
			       "faults:inline needs none of them");
	if (error == -EPERM || error == -EACCES)
		return lg_fail(
			-error,
			"userfaultfd: %s: as a rule by a filter of system calls (seccomp), a "
			"container's; let it allow userfaultfd(2)",
			lg_error_name(-error));
	return lg_fail(-error, "userfaultfd: %s", lg_error_name(-error));
}

int lg_os_userfault_open(bool signals, unsigned without, struct lg_os_userfault *userfault)
{
	uint64_t offered = 0, wanted = signals ? FEATURE_SIGBUS : FEATURE_THREAD_ID;
	int error = learn(signals, &offered);

	if (error != 0)
		return refused(error, signals);
	if (signals && (offered & FEATURE_SIGBUS) == 0)
		return lg_fail(ENOSYS,
			       "this kernel's userfaultfd has no SIGBUS feature (Linux 4.14)");
	if ((without & LG_OS_WITHOUT_MOVE) == 0)
		wanted |= FEATURE_MOVE;
	if ((without & LG_OS_WITHOUT_POISON) == 0)
		wanted |= FEATURE_POISON;
	if ((without & LG_OS_WITHOUT_WP) == 0)
		wanted |= FEATURE_PAGEFAULT_FLAG_WP;
	wanted &= offered;
	int fd = new_descriptor(signals);
	if (fd < 0)
		return refused(fd, signals);
	error = handshake(fd, wanted, &offered);
	if (error != 0) {
		close(fd);
		return refused(error, signals);
	}
	lg_os_descriptor_keep(&userfault->descriptor, fd);
	userfault->can_move = (wanted & FEATURE_MOVE) != 0;
	userfault->can_poison = (wanted & FEATURE_POISON) != 0;
	userfault->can_protect = (wanted & FEATURE_PAGEFAULT_FLAG_WP) != 0;
	return 0;
}

/* Any other nameless file may have the same inode, but knows nothing of waking: to wake nobody is an error of ours. */
bool lg_os_userfault_is_ours(const struct lg_os_userfault *userfault)
{
	struct uffdio_range nothing = { .start = 0, .len = 0 };

	return lg_os_descriptor_is_ours(&userfault->descriptor) &&
	       call(userfault, UFFDIO_WAKE, &nothing) == -EINVAL;
}

void lg_os_userfault_close(struct lg_os_userfault *userfault)
{
	if (lg_os_userfault_is_ours(userfault))
		lg_os_descriptor_close(&userfault->descriptor);
	userfault->descriptor.fd = -1;
}

int lg_os_userfault_register(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)at, .len = bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING |
			(userfault->can_protect ? UFFDIO_REGISTER_MODE_WP : 0),
	};

	return call(userfault, UFFDIO_REGISTER, &range);
}

/* --- answers ------------------------------------------------------------------------------------ */

/*
 * One call answers for a range of one mapping, and the program's madvise or mlock may have made several of a map: where one is
 * refused for that, or may be, half of it is tried. False: it cannot be less.
 */
static bool halve(int error, size_t *step)
{
	if ((error != -ENOENT && error != -EINVAL) || *step <= lg_os_page_bytes())
		return false;
	*step = lg_round_down(*step / 2, lg_os_page_bytes());
	return true;
}

int lg_os_userfault_copy(const struct lg_os_userfault *userfault, void *to, const void *from,
			 size_t bytes, bool protected, size_t *done)
{
	size_t step = bytes;

	for (*done = 0; *done < bytes;) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)to + *done,
			.src = (uintptr_t)from + *done,
			.len = lg_min(step, bytes - *done),
			.mode = protected && userfault->can_protect ? UFFDIO_COPY_MODE_WP : 0,
		};
		int error = call(userfault, UFFDIO_COPY, &copy);

		if (copy.copy > 0)
			*done += (size_t)copy.copy;
		if (error == 0)
			step = bytes;
		else if (error != -EAGAIN && !halve(error, &step))
			return error;
	}
	return 0;
}

static int put_zeros(const struct lg_os_userfault *userfault, void *at)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)at, .len = lg_os_page_bytes() },
	};
	int error;

	do
		error = call(userfault, UFFDIO_ZEROPAGE, &zero);
	while (error == -EAGAIN);
	return error;
}

/* 0: nothing is at this place; -EEXIST: a page is, in memory or swap; else it cannot be known. What it takes to know is taken away. */
static int probe(const struct lg_os_userfault *userfault, void *at)
{
	int error = put_zeros(userfault, at);

	if (error == 0)
		(void)lg_os_drop(at, lg_os_page_bytes());
	return error;
}

static bool is_in_memory(const void *at)
{
	unsigned char there = 0;

	return lg_os_raw(SYS_mincore, (long)at, (long)lg_os_page_bytes(), (long)&there, 0, 0, 0) !=
		       0 ||
	       (there & 1) != 0;
}

/* The page `done` bytes behind the beginning, as far as is known. Of what is not private only its memory can be asked for. */
static bool has_moved(const struct lg_os_userfault *userfault, const struct lg_os_move *move,
		      size_t done)
{
	int there;

	if (move->private == move->to && is_in_memory((const char *)move->from + done))
		return false;
	there = probe(userfault, (char *)move->private + done);
	return there == (move->private == move->to ? -EEXIST : 0);
}

/*
 * An error may come after the page has moved (EEXIST did, on 6.18), and EAGAIN with a part done. The private
 * side tells what is true.
 */
int lg_os_userfault_move(const struct lg_os_userfault *userfault, const struct lg_os_move *move,
			 size_t *done)
{
	size_t bytes = move->bytes, step = bytes;

	*done = 0;
	if (!userfault->can_move)
		return -EOPNOTSUPP;
	while (*done < bytes) {
		struct move some = {
			.dst = (uintptr_t)move->to + *done,
			.src = (uintptr_t)move->from + *done,
			.len = lg_min(step, bytes - *done),
		};
		int error = call(userfault, IOCTL_MOVE, &some);

		if (some.move > 0)
			*done += (size_t)some.move;
		if (error == 0)
			step = bytes;
		if (error == 0 || error == -EAGAIN)
			continue;
		if (error == -EBADF)
			return error;
		size_t before = *done;
		while (*done < bytes && has_moved(userfault, move, *done))
			*done += lg_os_page_bytes();
		if (*done == before && !halve(error, &step))
			return error;
	}
	return 0;
}

/* What is in swap looks absent, too, and is there already. */
bool lg_os_userfault_fill_holes(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	enum { PAGES = 64 };
	unsigned char there[PAGES];
	size_t page = lg_os_page_bytes(), some;
	bool filled = false;

	for (size_t done = 0; done < bytes; done += some) {
		some = lg_min(bytes - done, PAGES * page);
		if (lg_os_raw(SYS_mincore, (long)at + (long)done, (long)some, (long)there, 0, 0,
			      0) != 0)
			break;
		for (size_t i = 0; i < some / page; i++)
			if ((there[i] & 1) == 0 &&
			    put_zeros(userfault, (char *)at + done + i * page) == 0)
				filled = true;
	}
	return filled;
}

static int set_protection(const struct lg_os_userfault *userfault, void *at, size_t bytes,
			  uint64_t mode)
{
	size_t done = 0, step = bytes;

	while (userfault->can_protect && done < bytes) {
		struct uffdio_writeprotect range = {
			.range = { .start = (uintptr_t)at + done,
				   .len = lg_min(step, bytes - done) },
			.mode = mode,
		};
		int error = call(userfault, UFFDIO_WRITEPROTECT, &range);

		if (error == 0)
			done += range.range.len;
		else if (error != -EAGAIN && !halve(error, &step))
			return error;
	}
	return 0;
}

int lg_os_userfault_protect(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	return set_protection(userfault, at, bytes, UFFDIO_WRITEPROTECT_MODE_WP);
}

int lg_os_userfault_unprotect(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	return set_protection(userfault, at, bytes, 0);
}

int lg_os_userfault_poison(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	size_t done = 0, step = bytes;

	if (!userfault->can_poison)
		return -EOPNOTSUPP;
	while (done < bytes) {
		struct poison poison = {
			.range = { .start = (uintptr_t)at + done,
				   .len = lg_min(step, bytes - done) },
		};
		int error = call(userfault, IOCTL_POISON, &poison);

		if (poison.updated > 0)
			done += (size_t)poison.updated;
		if (error == 0)
			step = bytes;
		else if (error != -EAGAIN && !halve(error, &step))
			return error;
	}
	return 0;
}

int lg_os_userfault_wake(const struct lg_os_userfault *userfault, void *at, size_t bytes)
{
	struct uffdio_range range = { .start = (uintptr_t)at, .len = bytes };

	return call(userfault, UFFDIO_WAKE, &range);
}

/* --- messages ----------------------------------------------------------------------------------- */

/* The look at the descriptor costs as much as a read, so there is one for all tries. */
bool lg_os_userfault_read(const struct lg_os_userfault *userfault, struct lg_os_fault *fault,
			  unsigned tries)
{
	struct uffd_msg message;
	long got = 0;

	if (!lg_os_descriptor_is_ours(&userfault->descriptor))
		return false;
	for (unsigned i = 0; i < tries && got <= 0; i++)
		got = lg_os_raw(SYS_read, userfault->descriptor.fd, (long)&message, sizeof(message),
				0, 0, 0);
	if (got <= 0 || message.event != UFFD_EVENT_PAGEFAULT)
		return false;
	*fault = (struct lg_os_fault){
		.address = message.arg.pagefault.address,
		.thread = message.arg.pagefault.feat.ptid,
		.write = (message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE) != 0,
		.protect = (message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) != 0,
	};
	return true;
}

static bool are_ours(const struct lg_os_userfault *userfault, const struct lg_os_hangup *hangup)
{
	return lg_os_userfault_is_ours(userfault) && lg_os_descriptor_is_ours(&hangup->ear);
}

bool lg_os_userfault_wait(const struct lg_os_userfault *userfault,
			  const struct lg_os_hangup *hangup)
{
	struct timespec look_again = { .tv_sec = LOOK_AGAIN_SECONDS };
	struct pollfd descriptors[] = { { .fd = userfault->descriptor.fd, .events = POLLIN },
					{ .fd = hangup->ear.fd, .events = POLLIN } };

	if (!are_ours(userfault, hangup))
		return false;
	/*
	 * Not for ever: between the look and the wait the numbers may have become those of another pager, for
	 * whose hang-up this one's end would have to wait.
	 */
	lg_os_raw(SYS_ppoll, (long)descriptors, 2, (long)&look_again, 0, 0, 0);
	/* What was closed meanwhile was waited for all the same: its number may be a pipe of the program's now. */
	return descriptors[1].revents == 0 && are_ours(userfault, hangup);
}
