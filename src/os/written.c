/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/written.h"

#include "base/bits.h"
#include "os/map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of many systems: see linux/userfaultfd.h and linux/fs.h of Linux 6.7. */
enum { USER_MODE_ONLY = 1, FEATURE_WP_UNPOPULATED = 1 << 13, FEATURE_WP_ASYNC = 1 << 15 };

struct scan_range {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan_argument {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t ranges;
	uint64_t ranges_max;
	uint64_t pages_max;
	uint64_t inverted;
	uint64_t all_of;
	uint64_t any_of;
	uint64_t wanted;
};

#define SCAN _IOWR('f', 16, struct scan_argument)

enum { SCAN_PROTECT = 1 << 0 };
enum { IS_WRITTEN = 1 << 1, IS_FILE = 1 << 2, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4 };
enum { RANGES = 512, ENTRIES = 1024 };

/* Bits of a pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_FILE ((uint64_t)1 << 61)

static int open_userfault(void *base, size_t bytes)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED };
	struct uffdio_register range = { .range = { (uintptr_t)base, bytes },
					 .mode = UFFDIO_REGISTER_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

	if (fd < 0)
		return -1;
	if (ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &range) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One call; what it found is in `ranges`, their number is returned, *next is where to go on. */
static int scan_once(int pagemap, struct scan_argument *argument, uint64_t *next)
{
	int found;

	argument->size = sizeof(*argument);
	do
		found = ioctl(pagemap, SCAN, argument);
	while (found < 0 && errno == EINTR);
	if (found < 0)
		return -errno;
	*next = argument->walk_end > argument->start ? argument->walk_end : argument->end;
	return found;
}

static bool can_scan(int pagemap, void *base)
{
	struct scan_range range;
	struct scan_argument argument = { .start = (uintptr_t)base,
					  .end = (uintptr_t)base + lg_os_page_bytes(),
					  .ranges = (uintptr_t)&range,
					  .ranges_max = 1,
					  .all_of = IS_WRITTEN,
					  .wanted = IS_WRITTEN };
	uint64_t next;

	return scan_once(pagemap, &argument, &next) >= 0;
}

int lg_os_written_open(struct lg_os_written *written, void *base, size_t bytes, bool plain)
{
	written->pagemap = open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
	if (written->pagemap < 0)
		return -errno;
	written->userfault = plain ? -1 : open_userfault(base, bytes);
	written->exact = written->userfault >= 0 && can_scan(written->pagemap, base);
	return 0;
}

/* The close takes the marks, also those of pages that are not there. */
void lg_os_written_disarm(struct lg_os_written *written)
{
	if (written->userfault >= 0)
		close(written->userfault);
	written->userfault = -1;
	written->exact = false;
}

void lg_os_written_close(struct lg_os_written *written)
{
	lg_os_written_disarm(written);
	if (written->pagemap >= 0)
		close(written->pagemap);
	written->pagemap = -1;
}

static int private_by_entries(int pagemap, char *from, size_t bytes, lg_os_written_each *each,
			      void *argument)
{
	uint64_t entries[ENTRIES];
	size_t page = lg_os_page_bytes();

	for (size_t done = 0; done < bytes;) {
		size_t count = lg_min((bytes - done) / page, ENTRIES), run = 0;
		off_t offset = (off_t)(((uintptr_t)from + done) / page * sizeof(uint64_t));
		ssize_t got = pread(pagemap, entries, count * sizeof(uint64_t), offset);

		if (got < 0)
			return -errno;
		if (got < (ssize_t)sizeof(uint64_t))
			return -EIO;
		count = (size_t)got / sizeof(uint64_t);
		for (size_t i = 0; i <= count; i++) {
			bool there = i < count && (entries[i] & ENTRY_FILE) == 0 &&
				     (entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED)) != 0;
			int stop = 0;

			if (!there && run > 0)
				stop = each(argument, from + done + (i - run) * page, run * page);
			run = there ? run + 1 : 0;
			if (stop != 0)
				return stop;
		}
		done += count * page;
	}
	return 0;
}

/* Calls `each` for the ranges found whose pages are anonymous, or for all of them. */
static int walk(int pagemap, struct scan_argument like, bool all, lg_os_written_each *each,
		void *argument)
{
	struct scan_range ranges[RANGES];
	uint64_t from = like.start;

	while (from < like.end) {
		struct scan_argument scan = like;

		scan.start = from;
		scan.ranges = (uintptr_t)ranges;
		scan.ranges_max = RANGES;
		int found = scan_once(pagemap, &scan, &from);
		if (found < 0)
			return found;
		for (int i = 0; i < found; i++) {
			uint64_t is = ranges[i].categories;
			int stop = 0;

			if (all || ((is & IS_FILE) == 0 && (is & (IS_PRESENT | IS_SWAPPED)) != 0))
				stop = each(argument, (void *)(uintptr_t)ranges[i].start,
					    ranges[i].end - ranges[i].start);
			if (stop != 0)
				return stop;
		}
	}
	return 0;
}

int lg_os_written_private(struct lg_os_written *written, void *from, size_t bytes,
			  lg_os_written_each *each, void *argument)
{
	struct scan_argument scan = { .start = (uintptr_t)from,
				      .end = (uintptr_t)from + bytes,
				      .any_of = IS_PRESENT | IS_SWAPPED,
				      .wanted = IS_FILE | IS_PRESENT | IS_SWAPPED };

	if (!written->exact)
		return private_by_entries(written->pagemap, from, bytes, each, argument);
	return walk(written->pagemap, scan, false, each, argument);
}

/* Stretches without marks, joined where they share a table of the kernel's: each costs a call. */
struct candidates {
	int pagemap;
	uint64_t start;
	uint64_t end;
	lg_os_written_each *each;
	void *argument;
};

/* What a page is and that it was written are read, and its mark set, in one step: no write is lost. */
static int take(const struct candidates *candidates)
{
	struct scan_argument scan = { .flags = SCAN_PROTECT,
				      .start = candidates->start,
				      .end = candidates->end,
				      .all_of = IS_WRITTEN,
				      .wanted = IS_WRITTEN | IS_FILE | IS_PRESENT | IS_SWAPPED };

	if (scan.start == scan.end)
		return 0;
	return walk(candidates->pagemap, scan, false, candidates->each, candidates->argument);
}

static int join(void *argument, void *first, size_t bytes)
{
	enum { TABLE_SHIFT = 21 };
	struct candidates *candidates = argument;
	uint64_t start = (uintptr_t)first;
	int stop = 0;

	/* The kernel may tell the same stretch again, where it went on from less far than it had come. */
	if (start < candidates->end) {
		candidates->start = lg_min(candidates->start, start);
		candidates->end = lg_max(candidates->end, start + bytes);
		return 0;
	}
	if (candidates->end == 0 || start >> TABLE_SHIFT != (candidates->end - 1) >> TABLE_SHIFT) {
		stop = take(candidates);
		candidates->start = start;
	}
	candidates->end = start + bytes;
	return stop;
}

int lg_os_written_scan(struct lg_os_written *written, void *from, size_t bytes,
		       lg_os_written_each *each, void *argument)
{
	struct candidates candidates = { .pagemap = written->pagemap,
					 .each = each,
					 .argument = argument };
	/* Exactly this mask and this wish take the kernel's fast path. */
	struct scan_argument scan = { .start = (uintptr_t)from,
				      .end = (uintptr_t)from + bytes,
				      .all_of = IS_WRITTEN,
				      .wanted = IS_WRITTEN };

	if (!written->exact)
		return private_by_entries(written->pagemap, from, bytes, each, argument);
	int stop = walk(written->pagemap, scan, true, join, &candidates);
	return stop != 0 ? stop : take(&candidates);
}
