/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/range.h"

#include "base/atomic.h"
#include "unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lg_range range(ino_t inode, uint64_t from, uint64_t to, bool shared)
{
	return (struct lg_range){
		.device = 1, .inode = inode, .from = from, .to = to, .shared = shared
	};
}

static void writer_is_alone_and_readers_are_many(void **state)
{
	struct lg_range writer = range(7, 100, 200, false);
	struct lg_range readers[] = { range(7, 0, 101, true), range(7, 50, 300, true),
				      range(7, 199, 200, true) };

	(void)state;
	assert_int_equal(lg_range_take(&writer), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(lg_range_take(&readers[i]), -EBUSY);
	lg_range_give(&writer);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(lg_range_take(&readers[i]), 0);
	assert_int_equal(lg_range_take(&writer), -EBUSY);
	for (unsigned i = 0; i < 3; i++)
		lg_range_give(&readers[i]);
	assert_int_equal(lg_range_take(&writer), 0);
	lg_range_give(&writer);
}

static void neighbours_and_other_files_do_not_collide(void **state)
{
	struct lg_range ranges[] = { range(7, 100, 200, false), range(7, 200, 300, false),
				     range(7, 0, 100, false), range(8, 0, 300, false) };
	struct lg_range device = range(7, 0, 300, false), inside = range(7, 150, 151, false);

	(void)state;
	device.device = 2;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(lg_range_take(&ranges[i]), 0);
	assert_int_equal(lg_range_take(&device), 0);
	assert_int_equal(lg_range_take(&inside), -EBUSY);
	lg_range_give(&inside); /* was not taken */
	assert_int_equal(lg_range_take(&inside), -EBUSY);
	for (unsigned i = 0; i < 4; i++)
		lg_range_give(&ranges[i]);
	lg_range_give(&device);
}

static void child_has_none_and_takes_none_from_the_parent(void **state)
{
	struct lg_range first = range(7, 0, 10, false), second = range(7, 20, 30, false);
	int status;

	(void)state;
	assert_int_equal(lg_range_take(&first), 0);
	assert_int_equal(lg_range_take(&second), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct lg_range third = range(7, 0, 100, false);

		lg_range_forget();
		lg_range_give(&first);
		_exit(lg_range_take(&third) == 0 ? 0 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
	struct lg_range same = range(7, 0, 10, false);
	assert_int_equal(lg_range_take(&same), -EBUSY);
	lg_range_give(&first);
	lg_range_give(&second);
}

static _Atomic(unsigned) owners;
static _Atomic(bool) broken;

static void *take_and_give(void *argument)
{
	unsigned *taken = argument;

	for (unsigned i = 0; i < 20000; i++) {
		struct lg_range own = range(9, i % 3, 10 - i % 2, false);

		if (lg_range_take(&own) != 0)
			continue;
		*taken += 1;
		broken = broken || lg_add_relaxed(&owners, 1) != 0;
		lg_sub_relaxed(&owners, 1);
		lg_range_give(&own);
	}
	return NULL;
}

static void only_one_of_many_threads_has_a_range(void **state)
{
	pthread_t threads[4];
	unsigned taken[4] = { 0 }, all = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &taken[i]), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		all += taken[i];
	}
	struct lg_range last = range(9, 0, 10, false);
	assert_int_equal(lg_range_take(&last), 0); /* nothing was left behind */
	lg_range_give(&last);
	assert_in_range(all, 1, 80000);
	assert_false(broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writer_is_alone_and_readers_are_many),
		cmocka_unit_test(neighbours_and_other_files_do_not_collide),
		cmocka_unit_test(only_one_of_many_threads_has_a_range),
		cmocka_unit_test(child_has_none_and_takes_none_from_the_parent),
	};

	return UNIT_RUN(tests);
}
