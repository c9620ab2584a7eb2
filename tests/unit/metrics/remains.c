/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is removed, and above all what is not. */
#include "metrics/remains.h"

#include "unit/metrics/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { AGE_MS = 60000, OLD_S = 3600 };

static char directory[] = "unit.metrics.remains.XXXXXX";
static const char ours[] = "# HELP lgalloc_regions and so on\n";
static long dead;

static int enter_directory(void **state)
{
	pid_t child;

	(void)state;
	if (mkdtemp(directory) == NULL || chdir(directory) != 0)
		return -1;
	child = fork(); /* whose id is then nobody's */
	if (child == 0)
		_exit(0);
	dead = child;
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static int leave_directory(void **state)
{
	(void)state;
	return chdir("..") == 0 ? rmdir(directory) : -1;
}

static void make(const char *name, const char *text, time_t seconds_ago)
{
	struct timespec now, times[2];
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= seconds_ago;
	times[0] = times[1] = now;
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

/* Whether a file of this name, text and age is removed by a sweep of `pattern`. */
static bool goes(const char *pattern, const char *name, const char *text, time_t seconds_ago)
{
	make(name, text, seconds_ago);
	lg_remains_sweep(pattern, AGE_MS);
	return unlink(name) != 0 && errno == ENOENT;
}

static const char *named(const char *format, long process)
{
	static char name[200];

	snprintf(name, sizeof(name), format, process, process);
	return name;
}

static void old_files_of_the_dead_go(void **state)
{
	(void)state;
	assert_true(goes("app.%p.prom", named("app.%ld.prom", dead), ours, OLD_S));
	assert_true(goes("app.%p.prom", named("app.%ld.prom.tmp", dead), ours, OLD_S));
	assert_true(goes("app.%p.prom", named("app.%ld.prom.tmp", dead), "", OLD_S));
	assert_true(goes("./app.%p-%p.prom", named("app.%ld-%ld.prom", dead), ours, OLD_S));
	assert_true(goes("%p", named("%ld", dead), ours, OLD_S));
}

static void files_of_the_living_stay(void **state)
{
	(void)state;
	assert_false(goes("app.%p.prom", named("app.%ld.prom", (long)getpid()), ours, OLD_S));
	assert_false(goes("app.%p.prom", named("app.%ld.prom.tmp", (long)getppid()), ours, OLD_S));
	assert_false(goes("app.%p.prom", "app.1.prom", ours, OLD_S)); /* EPERM, if not root */
}

static void young_files_stay(void **state)
{
	(void)state;
	assert_false(goes("app.%p.prom", named("app.%ld.prom", dead), ours, 0));
	assert_false(goes("app.%p.prom", named("app.%ld.prom", dead), ours, AGE_MS / 1000 / 2));
	assert_false(goes("app.%p.prom", named("app.%ld.prom", dead), ours, -OLD_S));
}

static void files_of_others_stay(void **state)
{
	(void)state;
	assert_false(goes("%p", named("%ld", dead), "a table's bytes", OLD_S));
	assert_false(goes("%p", named("%ld", dead), "", OLD_S));
	assert_false(goes("%p", named("%ld.tmp", dead), "# HELP lg", OLD_S));
	assert_false(goes("app.%p.prom", named("app.%ld.prom.old", dead), ours, OLD_S));
	assert_false(goes("app.%p.prom", named("app.%ld.pro", dead), ours, OLD_S));
	assert_false(goes("app.%p.prom", named("app.0%ld.prom", dead), ours, OLD_S));
	assert_false(goes("app.%p.prom", named("app.-%ld.prom", dead), ours, OLD_S));
	assert_false(goes("app.%p.prom", named("application.%ld.prom", dead), ours, OLD_S));
	assert_false(goes("app.%p-%p", named("app.%ld-1", dead), ours, OLD_S));
	assert_false(goes("app.prom", "app.prom", ours, OLD_S));
}

static void links_and_directories_stay(void **state)
{
	char name[200];

	(void)state;
	snprintf(name, sizeof(name), "app.%ld.prom", dead);
	make("target", ours, OLD_S);
	assert_int_equal(symlink("target", name), 0);
	lg_remains_sweep("app.%p.prom", 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(unlink("target"), 0);
	assert_int_equal(mkdir(name, 0700), 0);
	lg_remains_sweep("app.%p.prom", 0);
	assert_int_equal(rmdir(name), 0);
}

static void directory_that_is_not_there_is_no_matter(void **state)
{
	(void)state;
	lg_remains_sweep("no/such/app.%p.prom", AGE_MS);
	lg_remains_sweep("%p/app.%p.prom", AGE_MS);
	lg_remains_sweep("", AGE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_files_of_the_dead_go),
		cmocka_unit_test(files_of_the_living_stay),
		cmocka_unit_test(young_files_stay),
		cmocka_unit_test(files_of_others_stay),
		cmocka_unit_test(links_and_directories_stay),
		cmocka_unit_test(directory_that_is_not_there_is_no_matter),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
