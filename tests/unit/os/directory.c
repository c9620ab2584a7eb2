/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/directory.h"

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILES = 700, NAME_BYTES = 64 }; /* more than one call of the kernel brings */

static char directory[] = "unit.os.directory.XXXXXX";
static unsigned seen[FILES];

static void note(int open_directory, const char *name, void *argument)
{
	unsigned *others = argument, number;

	if (sscanf(name, "a name of some length %u", &number) != 1) {
		(*others)++;
		return;
	}
	assert_in_range(number, 0, FILES - 1);
	seen[number]++;
	assert_int_equal(unlinkat(open_directory, name, 0), 0);
}

static void every_name_is_seen_once(void **state)
{
	unsigned others = 0;

	(void)state;
	assert_non_null(mkdtemp(directory));
	int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < FILES; i++) {
		char name[NAME_BYTES];

		snprintf(name, sizeof(name), "a name of some length %u", i);
		int fd = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	close(at);
	assert_int_equal(lg_os_directory_each(directory, note, &others), 0);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(others, 2); /* . and .. */
	assert_int_equal(rmdir(directory), 0);
}

static void what_is_no_directory_is_an_answer(void **state)
{
	unsigned others = 0;

	(void)state;
	assert_int_equal(lg_os_directory_each("no/such", note, &others), -ENOENT);
	assert_int_equal(lg_os_directory_each("/dev/null", note, &others), -ENOTDIR);
	assert_int_equal(others, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_seen_once),
		cmocka_unit_test(what_is_no_directory_is_an_answer),
	};

	return UNIT_RUN(tests);
}
