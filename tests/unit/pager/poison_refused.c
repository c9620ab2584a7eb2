/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel may have no memory to poison a page with (ENOMEM). What stands for it then gives way to what is read when the page is
 * healed. The linker's --wrap sends the library's raw system calls here.
 */
#include "stress/syscall.h"
#include "unit/pager/shelved.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { PAGE = 65536, PAGES = 16, BAD = 5 };

struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

static struct {
	atomic_int fails;              /* so many poisonings from now */
	atomic_uint poisoned;          /* that it was asked for */
	_Atomic(volatile char *) amid; /* NULL, or touched before the next registration */
	atomic_uint found;             /* so many of these touches found something there */
} kernel;

static _Thread_local sigjmp_buf back;

static bool touch_raises(volatile char *at)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	(void)*at;
	return false;
}

/* By a thread of its own: the library may have blocked signals in the one that calls it. */
static void *touch_amid(void *at)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	if (!touch_raises(at))
		atomic_fetch_add(&kernel.found, 1);
	return NULL;
}

static void touch_if_wanted(void)
{
	volatile char *at = atomic_exchange(&kernel.amid, NULL);
	pthread_t toucher;

	if (at == NULL)
		return;
	if (pthread_create(&toucher, NULL, touch_amid, (void *)(uintptr_t)at) != 0)
		abort();
	pthread_join(toucher, NULL);
}

static long kernel_answers(long number, long a[6])
{
	if (number == SYS_ioctl && (unsigned long)a[1] == _IOWR(UFFDIO, 0x08, struct poison)) {
		atomic_fetch_add(&kernel.poisoned, 1);
		if (shelf_fails(&kernel.fails)) {
			errno = ENOMEM;
			return -1;
		}
	}
	if (number == SYS_ioctl && (unsigned long)a[1] == UFFDIO_REGISTER)
		touch_if_wanted();
	return syscall_really(number, a);
}

static void on_signal(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static int start(void **state)
{
	(void)state;
	int result = shelved_start("memory:2M,page:64K,prefetch:off,faults:threads", &shelf_ops,
				   (size_t)PAGES * PAGE);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	atomic_store(&kernel.fails, 1);
	atomic_store(&kernel.poisoned, 0);
	atomic_store(&shelf.bad_from, (size_t)BAD * PAGE);
	atomic_store(&shelf.bad_to, (size_t)(BAD + 1) * PAGE);
	return result;
}

static void claim_raises(char *at)
{
	assert_true(touch_raises(at));
	if (atomic_load(&kernel.poisoned) == 0)
		skip(); /* a kernel that cannot (before Linux 6.6) is not asked */
	assert_int_equal(atomic_load(&kernel.fails), 0);
	assert_true(touch_raises(at + PAGE - 1));
	assert_int_equal(lg_map_error(map, at), -EIO);
	assert_int_equal(lg_map_error(map, at - 1), 0);
	assert_false(touch_raises(at - 1));
	assert_false(touch_raises(at + PAGE));
}

/* It leaves and comes back as any other. */
static void claim_healed(char *at)
{
	assert_int_equal(lg_map_error(map, at), 0);
	for (size_t i = 0; i < PAGE; i += 4096)
		assert_false(touch_raises(at + i));
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(at[i], shelf_byte((size_t)BAD * PAGE + i));
	memset(at, 'w', PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(shelf.bytes[(size_t)(BAD + 1) * PAGE - 1], 'w');
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(at[i], 'w');
}

static void page_that_was_not_poisoned_raises_and_is_healed(void **state)
{
	char *at = data + (size_t)BAD * PAGE, byte;

	(void)state;
	claim_raises(at);
	assert_int_equal(lg_map_retry(map), 1);
	assert_true(touch_raises(at)); /* it was healed too early: now it is poisoned */
	assert_int_equal(atomic_load(&kernel.poisoned), 2);
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	assert_int_equal(lg_map_retry(map), 1);
	assert_int_equal(lg_map_read(map, &byte, 1, (size_t)BAD * PAGE), 1);
	assert_int_equal(byte, shelf_byte((size_t)BAD * PAGE));
	claim_healed(at);
}

static void first_look_behind_a_retry_may_be_a_touch(void **state)
{
	char *at = data + (size_t)BAD * PAGE;

	(void)state;
	atomic_store(&shelf.read_error, -ENXIO);
	atomic_store(&shelf.reads_fail, 4);
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	assert_true(touch_raises(at));
	if (atomic_load(&kernel.poisoned) == 0)
		skip();
	assert_int_equal(lg_map_error(map, at), -ENXIO);
	assert_int_equal(lg_map_retry(map), 1);
	claim_healed(at);
}

static void dead_heals_it_too(void **state)
{
	char *at = data + (size_t)BAD * PAGE;

	(void)state;
	claim_raises(at);
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	assert_int_equal(lg_map_advise(map, (size_t)BAD * PAGE, PAGE, LG_DEAD), 0);
	claim_healed(at);
	assert_int_equal(lg_map_retry(map), 0);
}

/* Zeros that it found there would stay. SIGSEGV it may be. */
static void touch_amid_the_healing_finds_nothing(void **state)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER }, before;
	char *at = data + (size_t)BAD * PAGE;

	(void)state;
	claim_raises(at);
	atomic_store(&shelf.bad_to, atomic_load(&shelf.bad_from));
	atomic_store(&kernel.found, 0);
	atomic_store(&kernel.amid, at + PAGE / 2);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	assert_int_equal(lg_map_retry(map), 1);
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	assert_null(atomic_load(&kernel.amid));
	assert_int_equal(atomic_load(&kernel.found), 0);
	claim_healed(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(page_that_was_not_poisoned_raises_and_is_healed),
		TEST(first_look_behind_a_retry_may_be_a_touch),
		TEST(dead_heals_it_too),
		TEST(touch_amid_the_healing_finds_nothing),
	};
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	if (sigaction(SIGBUS, &action, NULL) != 0)
		return 1;
	return UNIT_RUN(tests);
}
