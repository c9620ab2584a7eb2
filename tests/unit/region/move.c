/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel that will not move pages: mremap is ours here and answers what it is told. Kernels before 6.17
 * answer EFAULT for a range of several mappings, those before 5.7 EINVAL; a process out of mappings gets
 * ENOMEM. None of these is a failure of the resize.
 */
#include "region/gather.h"
#include "region/tail.h"
#include "unit/region/library.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static int answer;
static unsigned calls, moves; /* so many calls are the kernel's */
static bool unmaps;           /* the target, before it fails */
static bool mmap_fails;

void *__real_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...);
void *__wrap_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...);

void *__wrap_mremap(void *old, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	va_list arguments;
	void *new;

	va_start(arguments, flags);
	new = va_arg(arguments, void *);
	va_end(arguments);
	if (calls++ < moves)
		return __real_mremap(old, old_bytes, new_bytes, flags, new);
	if (unmaps)
		munmap(new, new_bytes);
	errno = answer;
	return MAP_FAILED;
}

void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (!mmap_fails)
		return __real_mmap(at, bytes, protection, flags, fd, offset);
	errno = ENOMEM;
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
		unmaps = i % 2 == 1;
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

/*
 * A region that grew by moves is several mappings, and goes in as many pieces; the kernel stops at any of
 * them. Nothing is lost, and where the hole is no one's it is mapped again.
 */
static void move_that_stops_half_way_is_a_copy_of_the_rest(void **state)
{
	(void)state;
	for (unsigned stop = 0; stop < 6; stop++) {
		struct lg_region *region = lg_region_new(MIB);

		unmaps = stop % 2 == 1;
		answer = ENOMEM;
		calls = 0;
		moves = 1000;
		for (size_t bytes = MIB; bytes < 16 * MIB; bytes *= 2) {
			memset((char *)lg_region_data(region) + bytes / 2, (int)(bytes / MIB),
			       bytes / 2);
			region = lg_region_resize(region, 2 * bytes);
			assert_non_null(region);
		}
		assert_int_equal(calls, 1 + 3 + 4 + 5); /* [0, 512K), [512K, 1M), [1M, 2M) … */
		calls = 0;
		moves = stop;
		region = lg_region_resize(region, 32 * MIB);
		moves = 0;
		assert_non_null(region);
		assert_int_equal(calls, stop < 6 ? stop + 1 : 6);
		const char *data = lg_region_data(region);
		for (size_t bytes = MIB; bytes < 16 * MIB; bytes *= 2)
			for (size_t at = bytes / 2; at < bytes; at++)
				assert_int_equal(data[at], bytes / MIB);
		memset(lg_region_data(region), 'w', 32 * MIB);
		lg_region_free(region);
		assert_int_equal(lg_trim(), 0);
		check_all_areas();
	}
}

/* A kernel that neither moves the pages nor maps the target again. */
static void lost_mapping_comes_back_at_a_trim(void **state)
{
	unsigned class = lg_class_of(8 * MIB);
	struct lg_region *region = lg_region_new(4 * MIB);

	(void)state;
	assert_non_null(region);
	memset(lg_region_data(region), 'm', 4 * MIB);
	assert_int_equal(lg_refill(class),
			 0); /* so that the next mapping is the one after the move */
	answer = ENOMEM;
	unmaps = true;
	mmap_fails = true;
	errno = 0;
	assert_null(lg_region_resize(region, 8 * MIB));
	mmap_fails = false;
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lg_error(), "max_map_count"));
	const char *data = lg_region_data(region);
	for (size_t at = 0; at < 4 * MIB; at++)
		assert_int_equal(data[at], 'm');
	struct lg_class_stats stats = stats_of(class);
	assert_int_equal(stats.in_use, 0);
	assert_int_equal((stats.clean + 1) * stats.size, stats.area_bytes); /* one is nowhere */
	lg_region_free(region);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(stats_of(class).area_bytes, 0);
	check_all_areas();
}

/* A dirty region of 16 MiB, and a new one of 4 MiB to gather from it. */
static struct lg_region *ready_to_gather(void)
{
	struct lg_region *dirty = lg_region_new(16 * MIB), *region;

	assert_non_null(dirty);
	lg_tail_fit(dirty, 16 * MIB);
	memset(lg_region_data(dirty), 'd', 16 * MIB);
	lg_region_free(dirty);
	lg_cache_flush(lg_self);
	region = lg_region_new(4 * MIB);
	assert_non_null(region);
	return region;
}

static void refused_gathering_harms_nothing(void **state)
{
	static const int answers[] = { EINVAL, EFAULT, ENOMEM };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct lg_region *region = ready_to_gather(), *dirty;

		answer = answers[i];
		unmaps = i % 2 == 1;
		calls = moves = 0;
		assert_true(lg_gather(region, 4 * MIB));
		assert_int_equal(calls, 1); /* who is refused does not try again and again */
		memset(lg_region_data(region), 'w', 4 * MIB);
		dirty = lg_region_new(16 * MIB);
		const char *data = lg_region_data(dirty);
		for (size_t at = 0; at < 16 * MIB; at += 4096)
			assert_int_equal(data[at], 'd');
		lg_region_free(dirty);
		lg_region_free(region);
		assert_int_equal(lg_trim(), 0);
		check_all_areas();
	}
}

static void block_that_loses_its_mapping_is_nobodys_until_a_trim(void **state)
{
	unsigned class = lg_class_of(4 * MIB);
	struct lg_region *region = ready_to_gather();

	(void)state;
	answer = ENOMEM;
	unmaps = true;
	calls = moves = 0;
	mmap_fails = true;
	assert_false(lg_gather(region, 4 * MIB));
	mmap_fails = false;
	assert_int_equal(lg_region_state(region), LG_LOST);
	struct lg_class_stats stats = stats_of(class);
	assert_int_equal(stats.in_use, 0);
	assert_int_equal((stats.clean + stats.cached + 1) * stats.size, stats.area_bytes);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(stats_of(class).area_bytes, 0);
	check_all_areas();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_move_is_a_copy),
		cmocka_unit_test(move_that_stops_half_way_is_a_copy_of_the_rest),
		cmocka_unit_test(lost_mapping_comes_back_at_a_trim),
		cmocka_unit_test(refused_gathering_harms_nothing),
		cmocka_unit_test(block_that_loses_its_mapping_is_nobodys_until_a_trim),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
