/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/written.h"

#include "os/disk.h"
#include "os/map.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PAGES = 8192, PAGE = 4096 };

static char *base;
static unsigned char named[PAGES];
static struct lg_os_written written;

static int note(void *argument, void *first, size_t bytes)
{
	(void)argument;
	for (size_t i = 0; i < bytes / PAGE; i++)
		named[((char *)first - base) / PAGE + (ptrdiff_t)i] = 1;
	return 0;
}

static unsigned scan(void)
{
	unsigned count = 0;

	memset(named, 0, sizeof(named));
	assert_int_equal(lg_os_written_scan(&written, base, (size_t)PAGES * PAGE, note, NULL), 0);
	for (unsigned i = 0; i < PAGES; i++)
		count += named[i];
	return count;
}

static void start(bool plain)
{
	struct lg_os_disk disk = { 0 };
	void *at = NULL;

	disk.fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(disk.fd >= 0);
	assert_int_equal(ftruncate(disk.fd, (off_t)PAGES * PAGE), 0);
	assert_int_equal(lg_os_disk_map(&disk, (size_t)PAGES * PAGE, false, &at), 0);
	close(disk.fd);
	base = at;
	if (lg_os_written_open(&written, base, (size_t)PAGES * PAGE, plain) != 0)
		skip();
}

static void stop(void)
{
	lg_os_written_close(&written);
	lg_os_unreserve(base, (size_t)PAGES * PAGE);
}

static void written_pages_are_named_once(void **state)
{
	(void)state;
	start(false);
	if (!written.exact) {
		stop();
		skip();
	}
	base[3 * PAGE] = 1;
	volatile char read_only = base[7 * PAGE];
	(void)read_only;
	assert_int_equal(scan(), 1);
	assert_int_equal(named[3], 1);
	assert_int_equal(scan(), 0);
	base[3 * PAGE] = 2;
	base[7 * PAGE] = 2;
	assert_int_equal(scan(), 2);
	assert_int_equal(scan(), 0);
	stop();
}

/* More stretches than the kernel keeps for one answer. */
static void every_second_page_is_named(void **state)
{
	(void)state;
	start(false);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < PAGES; i += 2)
			base[(size_t)i * PAGE] = (char)(round + 1);
		unsigned count = scan();
		assert_true(count >= PAGES / 2);
		for (unsigned i = 0; i < PAGES; i += 2)
			assert_int_equal(named[i], 1);
	}
	stop();
}

static void a_page_given_up_is_not_named_until_it_is_written(void **state)
{
	(void)state;
	start(false);
	base[0] = 1;
	assert_int_equal(scan(), 1);
	assert_int_equal(lg_os_advise(base, PAGE, LG_OS_DROP), 0);
	assert_int_equal(base[0], 0);
	assert_int_equal(scan(), 0);
	base[0] = 1;
	assert_int_equal(scan(), 1);
	stop();
}

static void old_kernels_name_every_private_page(void **state)
{
	(void)state;
	start(true);
	assert_false(written.exact);
	base[5 * PAGE] = 1;
	volatile char read_only = base[6 * PAGE];
	(void)read_only;
	assert_int_equal(scan(), 1);
	assert_int_equal(scan(), 1);
	assert_int_equal(named[5], 1);
	stop();
}

static void a_disarmed_watch_names_every_private_page(void **state)
{
	(void)state;
	start(false);
	base[5 * PAGE] = 1;
	assert_int_equal(scan(), 1);
	assert_int_equal(lg_os_advise(base + 5 * PAGE, PAGE, LG_OS_DROP), 0);
	base[6 * PAGE] = 1;
	assert_int_equal(scan(), 1);
	lg_os_written_disarm(&written);
	assert_false(written.exact);
	assert_int_equal(scan(), 1);
	assert_int_equal(named[6], 1);
	assert_int_equal(base[5 * PAGE], 0);
	base[5 * PAGE] = 2;
	assert_int_equal(scan(), 2);
	stop();
}

static int stop_at_once(void *argument, void *first, size_t bytes)
{
	(void)argument;
	(void)first;
	(void)bytes;
	return 17;
}

static void an_answer_ends_the_scan(void **state)
{
	(void)state;
	start(false);
	base[0] = 1;
	assert_int_equal(lg_os_written_scan(&written, base, PAGE, stop_at_once, NULL), 17);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_pages_are_named_once),
		cmocka_unit_test(every_second_page_is_named),
		cmocka_unit_test(a_page_given_up_is_not_named_until_it_is_written),
		cmocka_unit_test(old_kernels_name_every_private_page),
		cmocka_unit_test(a_disarmed_watch_names_every_private_page),
		cmocka_unit_test(an_answer_ends_the_scan),
	};

	return UNIT_RUN(tests);
}
