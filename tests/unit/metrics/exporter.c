/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The metrics file, written as the worker does at each tick. */
#include "region/usage.h"
#include "region/worker.h"

#include "unit/metrics/output.h"

#include <dirent.h>
#include <errno.h>
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
	assert_int_equal(sweep(), 1);
	set_file("%%p-%d-%-p%p");
	lg_exporter_tick();
	snprintf(name, sizeof(name), "%%%ld-%%d-%%-p%ld", (long)getpid(), (long)getpid());
	assert_true(is_whole(name));
	assert_int_equal(sweep(), 1);
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

static struct lg_stats counted(void)
{
	struct lg_stats stats;

	assert_int_equal(lg_stats_read(&stats), 0);
	return stats;
}

static void failure_is_counted_and_not_printed(void **state)
{
	struct lg_stats before = counted(), after;
	char text[2000];

	(void)state;
	set_file("no/such/directory.prom");
	assert_int_equal(lines_said(5, text, sizeof(text)), 0);
	after = counted();
	assert_true(after.metrics_failures == before.metrics_failures + 5);
	assert_true(after.metrics_writes == before.metrics_writes);
	assert_true(after.metrics_error == ENOENT);
	char *table = output_of(LG_TABLE);
	assert_non_null(strstr(table, "(ENOENT)"));
	free(table);
	set_file("good.prom");
	assert_int_equal(lines_said(3, text, sizeof(text)), 0);
	after = counted();
	assert_true(after.metrics_failures == before.metrics_failures + 5);
	assert_true(after.metrics_writes == before.metrics_writes + 3);
	assert_true(after.metrics_error == 0);
	assert_int_equal(sweep(), 1);
}

static void path_that_grows_too_long_is_a_failure(void **state)
{
	char option[4200] = "metrics_file:";
	uint64_t before = counted().metrics_failures;

	(void)state;
	while (strlen(option) < 4096)
		strcat(option, "%p");
	assert_int_equal(lg_configure(option), 0);
	lg_exporter_tick();
	assert_true(counted().metrics_failures == before + 1);
	assert_true(counted().metrics_error == ENAMETOOLONG);
	assert_int_equal(sweep(), 0);
}

static void target_that_is_a_directory_is_a_failure_without_remains(void **state)
{
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/taken", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	set_file("taken");
	lg_exporter_tick();
	assert_true(counted().metrics_error == EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(sweep(), 0);
}

static void name_of_the_file_is_the_label_of_its_samples(void **state)
{
	char path[200], text[1 << 17];

	(void)state;
	set_file("first one.prom");
	lg_exporter_tick();
	snprintf(path, sizeof(path), "%s/first one.prom", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(length > 0);
	text[length] = '\0';
	assert_non_null(strstr(text, "\nlgalloc_threads{process=\"first one\"} 1\n"));
	assert_int_equal(sweep(), 1);
}

static void usage_is_measured_at_its_own_interval(void **state)
{
	struct lg_usage usage;
	uint64_t first, second;

	(void)state;
	set_file("usage.prom");
	assert_int_equal(lg_configure("usage_interval:0"), 0);
	lg_exporter_forget();
	lg_usage_forget();
	lg_exporter_tick();
	assert_false(lg_usage_last(&usage, &first));
	assert_int_equal(lg_configure("usage_interval:3600s"), 0);
	lg_exporter_tick();
	assert_true(lg_usage_last(&usage, &first));
	assert_true(usage.disk_bytes > 0);
	lg_usage_forget();
	lg_exporter_tick();
	assert_false(lg_usage_last(&usage, &second));
	assert_int_equal(sweep(), 1);
}

/* What a process names with its id goes with the name; a fixed name stays. */
static void file_of_a_process_goes_when_another_name_comes(void **state)
{
	(void)state;
	set_file("one.%p.prom");
	lg_exporter_tick();
	set_file("two.%p.prom");
	lg_exporter_tick();
	assert_int_equal(sweep(), 1);
	set_file("three.%p.prom");
	lg_exporter_tick();
	assert_int_equal(lg_configure("metrics_file:"), 0);
	lg_exporter_tick();
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
		cmocka_unit_test(failure_is_counted_and_not_printed),
		cmocka_unit_test(path_that_grows_too_long_is_a_failure),
		cmocka_unit_test(target_that_is_a_directory_is_a_failure_without_remains),
		cmocka_unit_test(name_of_the_file_is_the_label_of_its_samples),
		cmocka_unit_test(usage_is_measured_at_its_own_interval),
		cmocka_unit_test(file_of_a_process_goes_when_another_name_comes),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
