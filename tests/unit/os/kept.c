/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/kept.h"
#include "os/descriptor.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static int open_file(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void number_is_kept_until_it_is_shut(void **state)
{
	int fd = lg_os_descriptor_move_high(open_file());
	unsigned number = (unsigned)fd, found = 0;

	(void)state;
	assert_true(lg_os_kept_has(number));
	assert_false(lg_os_kept_has(number + 1));
	assert_true(lg_os_kept_find(0, UINT32_MAX, &found));
	assert_int_equal(found, number);
	assert_false(lg_os_kept_find(number + 1, UINT32_MAX, &found));
	assert_int_equal(lg_os_descriptor_shut(fd), 0);
	assert_false(lg_os_kept_has(number));
	assert_int_equal(dup2(STDIN_FILENO, fd), fd);
	assert_false(lg_os_kept_has(number));
	close(fd);
}

static void another_file_at_the_number_is_not_kept(void **state)
{
	int fd = lg_os_descriptor_move_high(open_file()), another = open("/dev/zero", O_RDONLY);

	(void)state;
	assert_int_equal(dup2(another, fd), fd);
	assert_false(lg_os_kept_has((unsigned)fd));
	assert_int_equal(close(another), 0);
	assert_int_equal(lg_os_descriptor_shut(fd), 0);
}

/* One thread closes a number, another gets it for the same file, and only then does the first forget it. */
static void number_that_is_anothers_by_then_is_not_forgotten(void **state)
{
	int fd = lg_os_descriptor_move_high(open_file()), another = open_file();

	(void)state;
	uint64_t word = lg_os_kept_word(fd);
	assert_int_equal(dup2(another, fd), fd);
	lg_os_kept_add(fd);
	lg_os_kept_remove(fd, word);
	assert_true(lg_os_kept_has((unsigned)fd));
	assert_int_equal(lg_os_descriptor_shut(fd), 0);
	assert_false(lg_os_kept_has((unsigned)fd));
	assert_int_equal(close(another), 0);
}

static void *open_and_shut(void *lost)
{
	for (int i = 0; i < 20000; i++) {
		int fd = lg_os_descriptor_move_high(open("/dev/null", O_RDWR | O_CLOEXEC));

		*(unsigned *)lost += !lg_os_kept_has((unsigned)fd);
		(void)lg_os_descriptor_shut(fd);
	}
	return NULL;
}

static void open_numbers_of_one_file_are_kept_while_others_are_shut(void **state)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	unsigned lost[THREADS] = { 0 };

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_shut, &lost[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(lost[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_is_kept_until_it_is_shut),
		cmocka_unit_test(another_file_at_the_number_is_not_kept),
		cmocka_unit_test(number_that_is_anothers_by_then_is_not_forgotten),
		cmocka_unit_test(open_numbers_of_one_file_are_kept_while_others_are_shut),
	};

	return UNIT_RUN(tests);
}
