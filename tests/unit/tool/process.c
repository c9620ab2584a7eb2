/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Children of this program's own, started with options, and what can be told of them from outside. */
#include "tool/process.h"

#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[PATH_MAX];
static struct lg_process process;

/* The child: a region, so that there is a worker, a word on stdout, and nothing more. */
static int wait_to_be_killed(const char *name)
{
	lg_region *region = lg_region_new(4096);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	if (region == NULL || write(STDOUT_FILENO, "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* Options NULL: none in its environment. It is past its start when this returns. */
static pid_t start(const char *options, const char *name)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		clearenv();
		if (options != NULL)
			setenv("LGALLOC_CONF", options, 1);
		if (dup2(ends[1], STDOUT_FILENO) < 0 || chdir(directory) != 0)
			_exit(126);
		execl("/proc/self/exe", "child", name, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void stop(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static int make_directory(void **state)
{
	char name[] = "unit.tool.process.XXXXXX", current[PATH_MAX / 2];

	(void)state;
	if (mkdtemp(name) == NULL || getcwd(current, sizeof(current)) == NULL)
		return -1;
	snprintf(directory, sizeof(directory), "%s/%s", current, name);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static void file_is_what_the_process_makes_of_its_options(void **state)
{
	char options[2 * PATH_MAX], expected[2 * PATH_MAX];

	(void)state;
	snprintf(options, sizeof(options), "interval:250ms,metrics_file:%s/%%p-%%d.%%p", directory);
	pid_t child = start(options, "first");
	assert_int_equal(lg_process_find(child, &process), 0);
	snprintf(expected, sizeof(expected), "%s/%d-%%d.%d", directory, child, child);
	assert_string_equal(process.metrics_file, expected);
	assert_string_equal(process.name, "first");
	assert_int_equal(process.interval_ms, 250);
	assert_int_equal(process.pid, child);
	stop(child);
	unlink(expected);
}

static void relative_file_begins_where_the_process_is(void **state)
{
	struct stat here, there;

	(void)state;
	pid_t child = start("metrics_file:relative.prom,background:off", "relative");
	assert_int_equal(lg_process_find(child, &process), 0);
	char *slash = strrchr(process.metrics_file, '/');
	assert_string_equal(slash, "/relative.prom");
	*slash = '\0';
	assert_int_equal(stat(process.metrics_file, &there), 0);
	assert_int_equal(stat(directory, &here), 0);
	assert_true(here.st_ino == there.st_ino && here.st_dev == there.st_dev);
	stop(child);
}

static void options_of_others_leave_ours_alone(void **state)
{
	(void)state;
	pid_t child = start("metrics_file:x.prom,background:off,cache_bytes:1M", "other");
	assert_int_equal(lg_process_find(child, &process), 0);
	stop(child);
	child = start(NULL, "none");
	assert_int_equal(lg_process_find(child, &process), -ENOENT);
	stop(child);
}

static void why_there_is_no_file_is_said(void **state)
{
	char many[5000];

	(void)state;
	pid_t child = start(NULL, "bare");
	assert_int_equal(lg_process_find(child, &process), -ENOENT);
	assert_non_null(strstr(lg_error(), "(bare)"));
	assert_non_null(strstr(lg_error(), "metrics_file:/path/app.%p.prom"));
	stop(child);
	child = start("cache_bytes:1M", "other");
	assert_int_equal(lg_process_find(child, &process), -ENOENT);
	stop(child);
	child = start("metrics_file:/x,nonsense:1", "wrong");
	assert_int_equal(lg_process_find(child, &process), -EINVAL);
	assert_non_null(strstr(lg_error(), "'nonsense' is unknown"));
	stop(child);
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	child = start(many, "long");
	assert_int_equal(lg_process_find(child, &process), -EINVAL);
	assert_non_null(strstr(lg_error(), "name its metrics file instead"));
	stop(child);
}

static void process_that_is_gone_is_not_alive(void **state)
{
	(void)state;
	pid_t child = start("metrics_file:x.prom,background:off", "short");
	assert_int_equal(lg_process_find(child, &process), 0);
	assert_true(lg_process_is_alive(&process));
	assert_true(lg_process_resident_bytes(&process) > 100000);
	process.start_time++;
	assert_false(lg_process_is_alive(&process)); /* another of the same id */
	process.start_time--;
	assert_int_equal(kill(child, SIGKILL), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_false(lg_process_is_alive(&process)); /* nobody waited for it yet */
	assert_int_equal(lg_process_find(child, &process), -ESRCH);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(lg_process_is_alive(&process));
	assert_int_equal(lg_process_resident_bytes(&process), 0);
	assert_int_equal(lg_process_find(child, &process), -ESRCH);
	assert_non_null(strstr(lg_error(), "there is no process"));
}

static void name_has_nothing_a_terminal_obeys(void **state)
{
	(void)state;
	pid_t child = start("metrics_file:x.prom,background:off", "a) b \033[2J\n");
	assert_int_equal(lg_process_find(child, &process), 0);
	assert_string_equal(process.name, "a) b ?[2J?");
	assert_true(lg_process_is_alive(&process));
	stop(child);
}

static pid_t listed;
static bool was_listed;

static void take_listed(const struct lg_process *one)
{
	was_listed = was_listed || one->pid == listed;
}

static bool is_listed(pid_t child)
{
	listed = child;
	was_listed = false;
	lg_process_each(take_listed);
	return was_listed;
}

/* A worker is one once it has written; it begins beside its process. */
static void wait_for_file(const char *path)
{
	while (access(path, F_OK) != 0)
		usleep(1000);
}

/* The child is found by the file though the file is another at each tick; one without a worker is not. */
static void writer_of_a_file_is_found(void **state)
{
	char path[2 * PATH_MAX], other[2 * PATH_MAX + 32];

	(void)state;
	snprintf(path, sizeof(path), "%s/written.prom", directory);
	pid_t idle = start("metrics_file:written.prom,background:off", "idle");
	assert_false(lg_process_find_writer(path, &process));
	assert_false(is_listed(idle));
	pid_t child = start("metrics_file:written.prom,interval:1ms", "writer");
	wait_for_file(path);
	assert_true(lg_process_find_writer(path, &process));
	assert_int_equal(process.pid, child);
	assert_true(is_listed(child));
	snprintf(other, sizeof(other), "%s/other.prom", directory);
	assert_false(lg_process_find_writer(other, &process));
	assert_false(lg_process_find_writer("written.prom", &process)); /* of another directory */
	stop(child);
	stop(idle);
	assert_false(lg_process_find_writer(path, &process));
	unlink(path);
	snprintf(other, sizeof(other), "%s.%d.tmp", path, child); /* killed while it wrote */
	unlink(other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_what_the_process_makes_of_its_options),
		cmocka_unit_test(relative_file_begins_where_the_process_is),
		cmocka_unit_test(options_of_others_leave_ours_alone),
		cmocka_unit_test(why_there_is_no_file_is_said),
		cmocka_unit_test(process_that_is_gone_is_not_alive),
		cmocka_unit_test(name_has_nothing_a_terminal_obeys),
		cmocka_unit_test(writer_of_a_file_is_found),
	};

	if (argc > 1)
		return wait_to_be_killed(argv[1]);
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
