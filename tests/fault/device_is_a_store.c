/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a block device is a store like a file: as long as it is and no longer, with an odd end, from an offset;
 * one writer under whatever name; and what was flushed is on it.
 * Method: a loop device over an image, which is then read as the file it is.
 * Oracle: every page; -EINVAL beyond the end, -EBUSY by the second name, -EROFS for writing where the device is protected;
 * a signal flood meanwhile.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "fault/pages.h"
#include "store/file.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

enum { PAGES = 256, FIRST = 3, ODD_PAGES = 20 };

static int image, loop;
static char device[64];
static uint64_t *memory;

static void ignore(int signal)
{
	(void)signal;
}

/* Calls are cut short, or begun again, all the time. The alarm against hanging is the same clock's. */
static void flood(bool on)
{
	struct sigaction action = { .sa_handler = on ? ignore : SIG_DFL };
	struct itimerval timer = { .it_interval.tv_usec = on ? 100 : 0,
				   .it_value.tv_usec = on ? 100 : 0 };

	if (on)
		CLAIM(sigaction(SIGALRM, &action, NULL) == 0);
	CLAIM(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	if (on)
		return;
	CLAIM(sigaction(SIGALRM, &action, NULL) == 0);
	alarm((unsigned)clock_hang_seconds());
}

static void make_device(void)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number;

	if (geteuid() != 0 || control < 0 || (number = ioctl(control, LOOP_CTL_GET_FREE)) < 0)
		SKIP("no loop device");
	close(control);
	image = mkostemp(path, O_CLOEXEC);
	CLAIM(image >= 0 && unlink(path) == 0);
	CLAIM(ftruncate(image, PAGES * PAGE_BYTES) == 0);
	snprintf(device, sizeof(device), "/dev/loop%d", number);
	loop = open(device, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, image) != 0)
		SKIP("no loop device");
}

static void use(struct lg_store *store, unsigned count, uint64_t version)
{
	for (unsigned i = 0; i < count; i++)
		pages_fill(memory + i * PAGE_WORDS, FIRST + i, version);
	flood(true);
	CLAIM(pages_write(store, memory, 0, count) == 0);
	memset(memory, 0x11, (size_t)count * PAGE_BYTES);
	CLAIM(pages_read(store, memory, 0, count) == 0);
	CLAIM(store->calls->flush(store) == 0);
	flood(false);
}

static void claim_on_image(unsigned page, uint64_t version)
{
	CLAIM(pread(image, memory, PAGE_BYTES, (off_t)page * PAGE_BYTES) == PAGE_BYTES);
	CLAIM(pages_hold(memory, page, version));
}

static void whole_device(void)
{
	struct lg_store *store = NULL;

	CLAIM(lg_file_store_open(device, FIRST * PAGE_BYTES, 0, false, false, &store) == 0);
	CLAIM(store->bytes == (PAGES - FIRST) * PAGE_BYTES);
	use(store, PAGES - FIRST, 1);
	for (unsigned i = 0; i < PAGES - FIRST; i++)
		CLAIM(pages_hold(memory + i * PAGE_WORDS, FIRST + i, 1));
	for (unsigned page = FIRST; page < PAGES; page++)
		claim_on_image(page, 1);
	store->calls->close(store);
}

static void odd_piece(void)
{
	struct lg_store *store = NULL;
	uint64_t bytes = ODD_PAGES * PAGE_BYTES - 1000;

	CLAIM(lg_file_store_open(device, FIRST * PAGE_BYTES, bytes, false, true, &store) == 0);
	CLAIM(store->bytes == bytes && !store->begins_zero);
	use(store, ODD_PAGES, 2);
	CLAIM(memory[ODD_PAGES * PAGE_WORDS - 1] == 0);
	for (unsigned i = 0; i < ODD_PAGES - 1; i++)
		CLAIM(pages_hold(memory + i * PAGE_WORDS, FIRST + i, 2));
	store->calls->close(store);
	claim_on_image(FIRST + ODD_PAGES - 2, 2);
	claim_on_image(FIRST + ODD_PAGES, 1);
	CLAIM(pread(image, memory, PAGE_BYTES, (FIRST + ODD_PAGES - 1) * PAGE_BYTES) == PAGE_BYTES);
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		CLAIM(memory[i] ==
		      pages_word(FIRST + ODD_PAGES - 1, i < PAGE_WORDS - 125 ? 2 : 1, i));
}

static void second_name(void)
{
	struct lg_store *store = NULL, *other = NULL;
	struct stat status;
	struct disk disk;
	char node[128];

	CLAIM(lg_file_store_open(device, 0, 0, false, false, &store) == 0);
	CLAIM(stat(device, &status) == 0);
	disk_be_private();
	disk_mount_point(&disk);
	snprintf(node, sizeof(node), "%s/node", disk.path);
	CLAIM(mknod(node, S_IFBLK | 0600, status.st_rdev) == 0);
	CLAIM(lg_file_store_open(node, 0, 0, false, false, &other) == -EBUSY);
	CLAIM(lg_file_store_open(node, 0, 0, true, false, &other) == -EBUSY);
	store->calls->close(store);
	CLAIM(lg_file_store_open(node, 0, 0, false, false, &other) == 0);
	other->calls->close(other);
}

static void beyond_the_end(void)
{
	struct lg_store *store = NULL;

	CLAIM(lg_file_store_open(device, 0, PAGES * PAGE_BYTES + 1, false, true, &store) ==
	      -EINVAL);
	CLAIM(lg_file_store_open(device, PAGE_BYTES, PAGES * PAGE_BYTES, false, true, &store) ==
	      -EINVAL);
	CLAIM(strstr(lg_error(), device) != NULL);
	CLAIM(lg_file_store_open(device, PAGES * PAGE_BYTES, 0, false, true, &store) == -EINVAL);
}

static void protect(int on)
{
	CLAIM(ioctl(loop, BLKROSET, &on) == 0);
}

/* Such a one opens for writing all the same. */
static void write_protected(void)
{
	struct lg_store *store = NULL;

	protect(1);
	CLAIM(lg_file_store_open(device, 0, 0, false, false, &store) == -EROFS);
	CLAIM(strstr(lg_error(), device) != NULL && strstr(lg_error(), "write-protected") != NULL);
	CLAIM(lg_file_store_open(device, 0, 0, true, false, &store) == 0);
	CLAIM(pages_read(store, memory, FIRST, 1) == 0);
	CLAIM(pages_hold(memory, FIRST, 2));
	store->calls->close(store);
	protect(0);
}

static void live(void *unused)
{
	(void)unused;
	memory = pages_new(PAGES);
	whole_device();
	odd_piece();
	beyond_the_end();
	write_protected();
	second_name();
}

int main(void)
{
	struct child_end end;

	make_device();
	end = child_try(live, NULL);
	/* However it ended: the device is the next one's. */
	protect(0);
	CLAIM(ioctl(loop, LOOP_CLR_FD) == 0);
	if (!child_ended_well(&end))
		child_print("a device", &end);
	if (child_skipped(&end))
		return EXIT_SKIPPED;
	CLAIM(child_ended_well(&end));
	return EXIT_SUCCESS;
}
