/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The simple face: as uMalloc's three calls, and what they answer where those crash. */
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <lgalloc/pager.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "lgalloc-simple-test.XXXXXX";

static void file_is_memory_and_is_there_again(void **state)
{
	struct stat status;

	(void)state;
	unlink(path);
	for (int turn = 0; turn < 3; turn++) {
		char *data = lg_file_alloc(path, 100000);

		assert_non_null(data);
		assert_int_equal(data[99999], turn);
		data[99999] = (char)(turn + 1);
		if (turn == 1)
			assert_int_equal(lg_file_sync(data), 0);
		assert_int_equal(lg_file_free(data), 0);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_size, 100000);
	}
	char *larger = lg_file_alloc(path, 300000); /* extended, with what it has */
	assert_non_null(larger);
	assert_int_equal(larger[99999], 3);
	assert_int_equal(larger[299999], 0);
	assert_int_equal(lg_file_free(larger), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 300000);
}

static void what_is_wrong_is_an_errno(void **state)
{
	int local = 0;

	(void)state;
	errno = 0;
	assert_null(lg_file_alloc("/nosuch/file", 4096));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(lg_error(), "no such directory"));
	assert_null(lg_file_alloc(NULL, 4096));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lg_file_sync(&local), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lg_file_free(NULL), -1);
	assert_int_equal(errno, EINVAL);
	char *data = lg_file_alloc(path, 10000);
	assert_non_null(data);
	assert_int_equal(lg_file_free(data + 1), -1); /* not what was returned */
	assert_int_equal(errno, EINVAL);
	assert_null(lg_file_alloc(path, 10000));
	assert_int_equal(errno, EBUSY);
	assert_int_equal(lg_file_free(data), 0);
	assert_int_equal(lg_file_free(data), -1); /* it is gone */
	assert_int_equal(errno, EINVAL);
}

static void claim_refused(void *address)
{
	assert_int_equal(lg_file_sync(address), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lg_file_free(address), -1);
	assert_int_equal(errno, EINVAL);
}

/* They have owners who hold them by something else, and would not see them go. */
static void other_maps_are_left_alone(void **state)
{
	lg_map *memory = lg_map_memory(NULL, 10000, NULL);
	lg_map *file = lg_map_file(NULL, path, 10000, NULL);

	(void)state;
	assert_non_null(memory);
	assert_non_null(file);
	claim_refused(lg_map_data(memory));
	claim_refused(lg_map_data(file));
	((char *)lg_map_data(memory))[9999] = 1;
	assert_int_equal(lg_map_close(memory), 0);
	assert_int_equal(lg_map_close(file), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_memory_and_is_there_again),
		cmocka_unit_test(what_is_wrong_is_an_errno),
		cmocka_unit_test(other_maps_are_left_alone),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	int failed = UNIT_RUN(tests);
	unlink(path);
	return failed;
}
