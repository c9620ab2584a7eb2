/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What areas of the file backing are to the kernel: read from /proc, where it says so. */
#include "unit/region/library.h"
#include "unit/smaps.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static char place[] = "place.XXXXXX"; /* in the working directory */

static void areas_are_advised(void **state)
{
	(void)state;
	for (size_t bytes = 4 * KIB; bytes <= 8 * MIB; bytes *= 2) {
		struct lg_region *region = lg_region_new(bytes);

		assert_non_null(region);
		assert_true(smaps_has_flag(region->view.data, " sh")); /* shared */
		assert_true(smaps_has_flag(region->view.data, " dc")); /* not in a child */
		assert_true(smaps_has_flag(region->view.data, " dd")); /* not in a core dump */
		assert_int_equal(smaps_has_flag(region->view.data, " rr"),
				 bytes < 2 * MIB); /* no read-ahead */
		lg_region_free(region);
	}
}

static bool lies_in(const struct lg_region *region, const char *directory)
{
	char line[512], path[64];

	snprintf(path, sizeof(path), "/%s/", directory);
	smaps_line(region->view.data, NULL, line, sizeof(line));
	return strstr(line, path) != NULL;
}

static void changed_dir_holds_for_classes_that_have_files(void **state)
{
	char here[512], option[1024];
	struct lg_region *region = lg_region_new(64 * KIB);

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(option, sizeof(option), "dir:%s/%s", here, place);
	assert_false(lies_in(region, place));
	assert_int_equal(lg_configure(option), -EBUSY);
	assert_non_null(strstr(lg_error(), "lg_trim"));
	lg_region_free(region);
	lg_thread_flush();
	assert_int_equal(lg_reclaim_all(), 0); /* clean, and the area still there */
	/* A refused call changes nothing: the area is still taken from. */
	assert_int_equal(lg_configure("dir:/tmp,bogus:1"), -EINVAL);
	uint64_t refills = stats_of(lg_class_of(64 * KIB)).refills;
	region = lg_region_new(64 * KIB);
	assert_true(stats_of(lg_class_of(64 * KIB)).refills == refills);
	lg_region_free(region);
	lg_thread_flush();
	assert_int_equal(lg_reclaim_all(), 0);
	assert_int_equal(lg_configure(option), 0);
	region = lg_region_new(64 * KIB);
	assert_non_null(region);
	memset(region->view.data, 'd', 64 * KIB);
	assert_true(lies_in(region, place));
	lg_region_free(region);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(stats_of(lg_class_of(64 * KIB)).area_bytes,
			 0); /* the old area went, too */
	snprintf(option, sizeof(option), "dir:%s", here);
	assert_int_equal(lg_configure(option), 0);
}

/* Areas mapped without reservation may have large folios: none is used when it is on again. */
static void reserve_switched_on_maps_areas_anew(void **state)
{
	(void)state;
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(lg_configure("reserve:off"), 0);
	struct lg_region *region = lg_region_new(64 * KIB);
	assert_non_null(region);
	assert_false(smaps_has_flag(region->view.data, " rr"));
	lg_region_free(region);
	lg_thread_flush();
	assert_int_equal(lg_reclaim_all(), 0);
	assert_int_equal(lg_configure("reserve:on"), 0);
	region = lg_region_new(64 * KIB);
	assert_non_null(region);
	assert_true(smaps_has_flag(region->view.data, " rr"));
	lg_region_free(region);
}

static int make_place(void **state)
{
	return mkdtemp(place) == NULL ? -1 : library_start(state);
}

static int remove_place(void **state)
{
	(void)state;
	return rmdir(place);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(areas_are_advised),
		TEST(changed_dir_holds_for_classes_that_have_files),
		TEST(reserve_switched_on_maps_areas_anew),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
