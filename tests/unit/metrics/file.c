/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Whatever stands at the temporary's name, there is a whole file or the old one, and no wait. */
#include "metrics/file.h"

#include "unit/metrics/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[] = "unit.metrics.file.XXXXXX";
static const char path[] = "file.prom", temporary[] = "file.prom.tmp";

static int enter_directory(void **state)
{
	if (mkdtemp(directory) == NULL || output_prepare(state) != 0)
		return -1;
	return chdir(directory);
}

static int leave_directory(void **state)
{
	(void)state;
	return chdir("..") == 0 ? rmdir(directory) : -1;
}

static bool exists(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0;
}

static off_t size_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(name, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	return status.st_size;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The file is there, whole, alone. */
static void assert_written(void)
{
	char end[6];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(lseek(fd, -6, SEEK_END) > 100);
	assert_int_equal(read(fd, end, 6), 6);
	assert_memory_equal(end, "# EOF\n", 6);
	close(fd);
	assert_false(exists(temporary));
	assert_int_equal(unlink(path), 0);
}

static void leftover_of_a_killed_process_is_taken_over(void **state)
{
	char leftover[20000];

	(void)state;
	memset(leftover, 'x', sizeof(leftover) - 1); /* longer than what comes */
	leftover[sizeof(leftover) - 1] = '\0';
	put(temporary, leftover);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	assert_written();
}

static void what_is_no_plain_file_is_replaced_and_not_written_to(void **state)
{
	(void)state;
	put("victim", "precious");
	assert_int_equal(symlink("victim", temporary), 0);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	assert_written();
	assert_int_equal(link("victim", temporary), 0);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	assert_written();
	assert_int_equal(size_of("victim"), 8);
	assert_int_equal(unlink("victim"), 0);
}

static void fifo_holds_nobody_up(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(temporary, 0600), 0);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	assert_written();
	assert_int_equal(mkfifo(temporary, 0600), 0);
	int reader = open(temporary, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	close(reader);
	assert_written();
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0);
	assert_written();
}

static void directory_at_its_name_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_int_equal(lg_metrics_file_write(path, "p", false), -EISDIR);
	assert_int_equal(rmdir(temporary), 0);
}

/* Another process in the middle of the same path: it is left alone, and so is the file. */
static void text_another_process_is_writing_is_left_alone(void **state)
{
	int ready[2], status;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	put(path, "old");
	pid_t other = fork();
	assert_true(other >= 0);
	if (other == 0) {
		struct flock whole = { .l_type = F_WRLCK };
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || fcntl(fd, F_SETLK, &whole) != 0 || write(fd, "half", 4) != 4 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lg_metrics_file_write(path, "p", false), -EBUSY);
	assert_int_equal(size_of(path), 3);
	assert_int_equal(size_of(temporary), 4);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(lg_metrics_file_write(path, "p", false), 0); /* dead: a leftover */
	assert_written();
	close(ready[0]);
	close(ready[1]);
}

/* A child that writes and ends as `how` says; its status. */
static int child_that(bool goes, void (*how)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (lg_metrics_file_write(path, "p", goes) != 0 || !exists(path))
			_exit(3);
		how();
		_exit(4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void exit_well(void)
{
	exit(0);
}

static void exit_at_once(void)
{
	_exit(0);
}

static void file_goes_with_the_process_if_asked(void **state)
{
	(void)state;
	assert_int_equal(child_that(true, exit_well), 0);
	assert_false(exists(path));
	assert_int_equal(child_that(false, exit_well), 0);
	assert_written();
	assert_int_equal(child_that(true, exit_at_once), 0); /* no exit handlers: it stays */
	assert_written();
}

static void child_of_a_fork_leaves_its_parents_file_alone(void **state)
{
	int status;

	(void)state;
	assert_int_equal(lg_metrics_file_write(path, "p", true), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		exit(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(exists(path));
	lg_metrics_file_remove();
	assert_false(exists(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leftover_of_a_killed_process_is_taken_over),
		cmocka_unit_test(what_is_no_plain_file_is_replaced_and_not_written_to),
		cmocka_unit_test(fifo_holds_nobody_up),
		cmocka_unit_test(directory_at_its_name_is_a_failure),
		cmocka_unit_test(text_another_process_is_writing_is_left_alone),
		cmocka_unit_test(file_goes_with_the_process_if_asked),
		cmocka_unit_test(child_of_a_fork_leaves_its_parents_file_alone),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
