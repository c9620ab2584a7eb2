/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The kernel may lack memory for a copy (ENOMEM) for a moment: a touch waits for it, and is SIGBUS only where it is for long. The
 * linker's --wrap sends the library's raw system calls here.
 */
#include "stress/syscall.h"
#include "unit/pager/shelved.h"

#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <sys/ioctl.h>

enum { PAGE = 65536, PAGES = 16 };

static atomic_int fails; /* so many copies from now */
static sigjmp_buf back;

static long kernel_answers(long number, long a[6])
{
	if (number == SYS_ioctl && (unsigned long)a[1] == UFFDIO_COPY && shelf_fails(&fails)) {
		errno = ENOMEM;
		return -1;
	}
	return syscall_really(number, a);
}

static void on_signal(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static bool touch_raises(volatile char *at, bool writes)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	if (writes)
		*at = 'w';
	else
		(void)*at;
	return false;
}

static int start(void **state)
{
	(void)state;
	atomic_store(&fails, 0);
	return shelved_start("memory:2M,page:64K,prefetch:off,faults:inline", &shelf_ops,
			     (size_t)PAGES * PAGE);
}

static void touch_outlasts_a_moment_without_memory(void **state)
{
	(void)state;
	for (size_t page = 0; page < PAGES; page++) {
		atomic_store(&fails, 8);
		assert_false(touch_raises(data + page * PAGE, page % 2 == 1));
		assert_int_equal(atomic_load(&fails), 0);
		assert_int_equal(data[page * PAGE + 1], shelf_byte(page * PAGE + 1));
	}
}

static void touch_is_sigbus_where_there_is_none(void **state)
{
	(void)state;
	atomic_store(&fails, SHELF_FOR_EVER);
	assert_true(touch_raises(data, false));
	assert_true(touch_raises(data, true));
	assert_int_equal(lg_map_error(map, data), 0); /* nothing is wrong with the page */
	atomic_store(&fails, 0);
	assert_false(touch_raises(data, true));
	assert_int_equal(data[1], shelf_byte(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(touch_outlasts_a_moment_without_memory),
		TEST(touch_is_sigbus_where_there_is_none),
	};
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	if (sigaction(SIGBUS, &action, NULL) != 0)
		return 1;
	return UNIT_RUN(tests);
}
