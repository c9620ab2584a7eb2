/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel that will not move pages: mremap is ours here and answers what it is told. Kernels before 6.17
 * answer EFAULT for a range of several mappings, those before 5.7 EINVAL; a process out of mappings gets
 * ENOMEM. None of these is a failure of the resize.
 */
#include "unit/region/library.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static int answer;
static unsigned calls;

void *__wrap_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...);

void *__wrap_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	(void)old;
	(void)old_bytes;
	(void)new_bytes;
	(void)flags;
	calls++;
	errno = answer;
	return MAP_FAILED;
}

static void refused_move_is_a_copy(void **state)
{
	static const int answers[] = { EINVAL, EFAULT, ENOMEM, EAGAIN };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct lg_region *region = lg_region_new(2 * MIB);

		assert_non_null(region);
		memset(lg_region_data(region), 'm', 2 * MIB);
		answer = answers[i];
		calls = 0;
		struct lg_region *larger = lg_region_resize(region, 4 * MIB);
		assert_int_equal(calls, 1);
		assert_non_null(larger);
		const char *data = lg_region_data(larger);
		for (size_t at = 0; at < 2 * MIB; at++)
			assert_int_equal(data[at], 'm');
		memset(lg_region_data(larger), 'n', 4 * MIB); /* all of it can be written */
		lg_region_free(larger);
		assert_int_equal(lg_trim(), 0);
		check_all_areas();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_move_is_a_copy),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
