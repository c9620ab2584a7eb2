/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The metrics file, written as the worker does at each tick. */
#include "region/worker.h"

#include "unit/metrics/output.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "unit.metrics.exporter.XXXXXX";

static int make_directory(void **state)
{
	return mkdtemp(directory) != NULL ? output_prepare(state) : -1;
}

/* Every name in it is removed; how many there were. */
static unsigned sweep(void)
{
	DIR *names = opendir(directory);
	unsigned count = 0;

	assert_non_null(names);
	for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		assert_int_equal(unlinkat(dirfd(names), entry->d_name, 0), 0);
	}
	closedir(names);
	return count;
}

static int remove_directory(void **state)
{
	(void)state;
	sweep();
	return rmdir(directory);
}

static void set_file(const char *name)
{
	char text[200];

	snprintf(text, sizeof(text), "metrics_file:%s/%s", directory, name);
	assert_int_equal(lg_configure(text), 0);
}

static bool is_whole(const char *name)
{
	char path[200], text[1 << 17];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_in_range(length, 100, (long)sizeof(text) - 2);
	text[length] = '\0';
	return strncmp(text, "# HELP", 6) == 0 && strcmp(text + length - 6, "# EOF\n") == 0;
}

static void no_file_is_written_unless_asked_for(void **state)
{
	(void)state;
	assert_int_equal(lg_configure("metrics_file:"), 0);
	lg_exporter_tick();
	assert_int_equal(sweep(), 0);
}

static void file_appears_whole_and_nothing_beside_it(void **state)
{
	(void)state;
	set_file("plain.prom");
	lg_exporter_tick();
	assert_true(is_whole("plain.prom"));
	lg_exporter_tick();
	lg_exporter_tick();
	assert_true(is_whole("plain.prom"));
	assert_int_equal(sweep(), 1);
}

static void percent_p_is_the_process_and_nothing_else_is(void **state)
{
	char name[64];

	(void)state;
	set_file("app.%p.prom");
	lg_exporter_tick();
	snprintf(name, sizeof(name), "app.%ld.prom", (long)getpid());
	assert_true(is_whole(name));
	set_file("%%p-%d-%-p%p");
	lg_exporter_tick();
	snprintf(name, sizeof(name), "%%%ld-%%d-%%-p%ld", (long)getpid(), (long)getpid());
	assert_true(is_whole(name));
	assert_int_equal(sweep(), 2);
}

/* A reader that has the old file open still has all of it. */
static void new_file_replaces_the_old_in_one_step(void **state)
{
	char path[200];
	struct stat before, after;

	(void)state;
	set_file("replaced.prom");
	lg_exporter_tick();
	snprintf(path, sizeof(path), "%s/replaced.prom", directory);
	int old = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(old >= 0);
	assert_int_equal(fstat(old, &before), 0);
	lg_exporter_tick();
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_ino != before.st_ino);
	assert_int_equal(fstat(old, &after), 0);
	assert_true(after.st_size == before.st_size);
	close(old);
	assert_int_equal(sweep(), 1);
}

static void changed_name_counts_at_the_next_tick(void **state)
{
	(void)state;
	set_file("one.prom");
	lg_exporter_tick();
	set_file("two.prom");
	lg_exporter_tick();
	assert_true(is_whole("one.prom"));
	assert_true(is_whole("two.prom"));
	assert_int_equal(sweep(), 2);
}

/* What the ticks said on stderr, and how many lines. */
static unsigned lines_said(unsigned ticks, char *text, size_t capacity)
{
	int log = memfd_create("stderr", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	unsigned lines = 0;

	assert_true(log >= 0 && before >= 0);
	assert_true(dup2(log, STDERR_FILENO) >= 0);
	for (unsigned i = 0; i < ticks; i++)
		lg_exporter_tick();
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	ssize_t length = pread(log, text, capacity - 1, 0);
	close(log);
	assert_true(length >= 0);
	text[length] = '\0';
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	return lines;
}

static void failure_is_said_once_and_leaves_nothing(void **state)
{
	char text[2000];

	(void)state;
	set_file("no/such/directory.prom");
	assert_int_equal(lines_said(5, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "no/such/directory.prom"));
	assert_non_null(strstr(text, "ENOENT"));
	set_file("good.prom");
	assert_int_equal(lines_said(3, text, sizeof(text)), 0);
	set_file("no/such/directory.prom");
	assert_int_equal(lines_said(3, text, sizeof(text)), 1);
	assert_int_equal(sweep(), 1);
}

static void target_that_is_a_directory_is_a_failure_without_remains(void **state)
{
	char path[200], text[2000];

	(void)state;
	snprintf(path, sizeof(path), "%s/taken", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	set_file("taken");
	assert_int_equal(lines_said(2, text, sizeof(text)), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(sweep(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_is_written_unless_asked_for),
		cmocka_unit_test(file_appears_whole_and_nothing_beside_it),
		cmocka_unit_test(percent_p_is_the_process_and_nothing_else_is),
		cmocka_unit_test(new_file_replaces_the_old_in_one_step),
		cmocka_unit_test(changed_name_counts_at_the_next_tick),
		cmocka_unit_test(failure_is_said_once_and_leaves_nothing),
		cmocka_unit_test(target_that_is_a_directory_is_a_failure_without_remains),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
