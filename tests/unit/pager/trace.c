/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A trace's file: what was noted is there, whole; what is not the trace's own is left alone. */
#include "unit/region/background.h"
#include "unit/unit.h"

#include "os/clock.h"
#include "pager/trace.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANG_S = 60 };

static char directory[] = "trace-XXXXXX";
static char path[PATH_MAX];
static const struct lg_trace_about about = { 1 << 28, 1 << 16, "clock", 0, false };

static struct {
	struct lg_trace_header header;
	struct lg_trace_record records[300000];
	size_t count;
} file;

static void name_file(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", directory, name);
}

/* All of it, whose checks hold. */
static void read_file(const char *from)
{
	FILE *stream = fopen(from, "r");

	assert_non_null(stream);
	assert_int_equal(fread(&file.header, sizeof(file.header), 1, stream), 1);
	file.count = fread(file.records, sizeof(file.records[0]), 300000, stream);
	assert_int_equal(fgetc(stream), EOF);
	fclose(stream);
	assert_memory_equal(file.header.magic, LG_TRACE_MAGIC, 8);
	assert_true(file.header.check ==
		    lg_trace_check(&file.header, offsetof(struct lg_trace_header, check)));
	for (size_t i = 0; i < file.count; i++) {
		assert_int_equal(file.records[i].check, lg_trace_record_check(&file.records[i]));
		assert_in_range(file.records[i].kind, LG_TRACE_READ, LG_TRACE_END);
	}
}

static void what_is_noted_is_in_the_file_in_order(void **state)
{
	enum { NOTES = 100000 };
	_Atomic(struct lg_trace *) hook;
	struct lg_trace *trace;
	uint64_t before = 0;

	(void)state;
	name_file("order");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	assert_string_equal(lg_trace_path(trace), path);
	atomic_init(&hook, trace);
	for (uint64_t i = 0; i < NOTES; i++) {
		lg_trace_note(&hook, (enum lg_trace_kind)(1 + i % 8), (uint32_t)(i % 3), i << 20,
			      12 + (unsigned)(i % 10));
		if (i % 10000 == 0)
			lg_os_sleep_us(100); /* the writer keeps up, on any machine it is let run */
	}
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	assert_int_equal(file.header.version, LG_TRACE_VERSION);
	assert_int_equal(file.header.header_bytes, sizeof(file.header));
	assert_int_equal(file.header.record_bytes, sizeof(struct lg_trace_record));
	assert_int_equal(file.header.process, getpid());
	assert_true(file.header.budget == 1 << 28);
	assert_true(file.header.page_bytes == 1 << 16);
	assert_string_equal(file.header.policy, "clock");
	assert_int_equal(file.records[file.count - 1].kind, LG_TRACE_END);
	assert_true(file.records[file.count - 1].page == file.count - 1);

	uint64_t next = 0, lost = 0;
	for (size_t i = 0; i + 1 < file.count; i++) {
		const struct lg_trace_record *record = &file.records[i];

		if (record->kind == LG_TRACE_LOST) {
			lost += record->page;
			continue;
		}
		assert_true(record->page % (1 << 20) == 0);
		assert_true(record->page >> 20 >= next);
		next = record->page >> 20;
		assert_int_equal(record->kind, 1 + next % 8);
		assert_int_equal(record->map, next % 3);
		assert_int_equal(record->shift, 12 + next % 10);
		assert_true(record->time_ns >= before);
		before = record->time_ns;
		next++;
	}
	assert_true(next <= NOTES);
	size_t lines = 0;
	for (size_t i = 0; i + 1 < file.count; i++)
		lines += file.records[i].kind != LG_TRACE_LOST;
	assert_true(lines + lost == NOTES);
}

/* Notes without a trace are nothing. */
static void no_trace_is_no_note(void **state)
{
	_Atomic(struct lg_trace *) hook;

	(void)state;
	atomic_init(&hook, NULL);
	lg_trace_note(&hook, LG_TRACE_READ, 0, 0, 12);
	assert_int_equal(lg_trace_close(NULL), 0);
}

/* More notes than slots before the writer can run: the file says how many are missing. */
static void lost_records_are_counted_in_the_file(void **state)
{
	struct lg_trace_about small = about;
	struct lg_trace *trace;
	uint64_t there = 0, lost = 0;

	(void)state;
	name_file("lost");
	small.slots = 2;
	assert_int_equal(lg_trace_open(path, &small, &trace), 0);
	for (uint64_t i = 0; i < 50000; i++)
		lg_trace_put(trace, LG_TRACE_WRITE, 7, i, 12);
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	for (size_t i = 0; i + 1 < file.count; i++) {
		there += file.records[i].kind == LG_TRACE_WRITE;
		lost += file.records[i].kind == LG_TRACE_LOST ? file.records[i].page : 0;
	}
	assert_true(there + lost == 50000);
	assert_true(lost > 0);
}

static void first_record_is_written_without_being_asked(void **state)
{
	struct lg_trace *trace;
	struct stat status = { .st_size = 0 };

	(void)state;
	name_file("soon");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	lg_trace_put(trace, LG_TRACE_READ, 0, 3, 16);
	for (unsigned i = 0; i < 60000 && status.st_size < 128 + 32; i++) {
		lg_os_sleep_us(1000);
		assert_int_equal(stat(path, &status), 0);
	}
	assert_int_equal(status.st_size, 128 + 32);
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	assert_int_equal(file.count, 2);
}

static void path_has_the_process_and_which_time_it_is(void **state)
{
	struct lg_trace *traces[3];
	char expected[PATH_MAX];

	(void)state;
	name_file("a%p-%q%");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(lg_trace_open(path, &about, &traces[i]), 0);
	snprintf(expected, sizeof(expected), "%s/a%d-%%q%%", directory, (int)getpid());
	assert_string_equal(lg_trace_path(traces[0]), expected);
	strcat(expected, ".2");
	assert_string_equal(lg_trace_path(traces[1]), expected);
	assert_int_equal(lg_trace_close(traces[0]), 0);
	assert_int_equal(lg_trace_close(traces[2]), 0);
	assert_int_equal(lg_trace_close(traces[1]), 0);
	assert_int_equal(access(expected, R_OK), 0);
}

/* The trace that was opened has a file of its own, and not one that has an older trace. */
static void open_a_new_one(const char *pattern)
{
	struct lg_trace_about small = about;
	struct lg_trace *trace;
	struct stat status;
	char mark[PATH_MAX + 8];

	small.slots = 2;
	assert_int_equal(lg_trace_open(pattern, &small, &trace), 0);
	snprintf(mark, sizeof(mark), "%s.mark", lg_trace_path(trace));
	assert_int_equal(stat(mark, &status), -1);
	assert_int_equal(lg_trace_close(trace), 0);
	fclose(fopen(mark, "w"));
}

/* Last: the paths of tests behind it would share one count. */
static void traces_never_replace_one_another(void **state)
{
	enum { MANY = 70 }; /* more than are counted each for itself */

	(void)state;
	name_file("often");
	for (unsigned i = 0; i < MANY; i++)
		open_a_new_one(path);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		char name[16];

		snprintf(name, sizeof(name), "many%u", i % MANY);
		name_file(name);
		open_a_new_one(path);
	}
}

static void refused(int error, const char *words)
{
	struct lg_trace *trace = NULL;

	assert_int_equal(lg_trace_open(path, &about, &trace), error);
	assert_null(trace);
	if (strstr(lg_error(), words) == NULL)
		print_error("%s\n", lg_error());
	assert_non_null(strstr(lg_error(), words));
}

static void files_that_are_no_traces_are_left_alone(void **state)
{
	struct stat status;

	(void)state;
	name_file("text");
	FILE *text = fopen(path, "w");
	assert_non_null(text);
	fputs("dear diary\n", text);
	fclose(text);
	refused(-EEXIST, "is no trace, and is left as it is");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 11);
	name_file("text2");
	text = fopen(path, "w");
	assert_non_null(text);
	fputs("x", text);
	fclose(text);
	refused(-EEXIST, "is no trace");
	snprintf(path, sizeof(path), "/dev/null");
	refused(-EINVAL, "no regular file");
	snprintf(path, sizeof(path), "%s", directory);
	refused(-EISDIR, "cannot be opened");
	name_file("none/of/these");
	refused(-ENOENT, "cannot be opened");
	path[0] = '\0';
	refused(-EINVAL, "empty or too long");
	memset(path, 'x', PATH_MAX - 1);
	refused(-ENAMETOOLONG, "the trace 'xxx");
}

static void old_trace_is_replaced_and_one_in_use_is_not(void **state)
{
	struct lg_trace *trace;
	int result;

	(void)state;
	name_file("again");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	for (unsigned i = 0; i < 100; i++)
		lg_trace_put(trace, LG_TRACE_READ, 0, i, 12);
	pid_t child = fork();
	if (child == 0) {
		char to[PATH_MAX + 8];
		struct lg_trace *other;

		/* Of a child's own, the same path counts anew; its parent has the file. */
		snprintf(to, sizeof(to), "%s/./again", directory);
		_exit(lg_trace_open(to, &about, &other) == -EBUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	assert_int_equal(file.count, 101);
	snprintf(path, sizeof(path), "%s/./again", directory);
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	assert_int_equal(file.count, 1);
}

static struct lg_trace **opened_by_a_fork;

static void open_at_fork(void)
{
	struct lg_trace **out = opened_by_a_fork;

	opened_by_a_fork = NULL;
	if (out != NULL && lg_trace_open(path, &about, out) != 0)
		*out = NULL;
}

/*
 * Whoever refills a class opens a trace under the class's lock, which a fork takes: that thread must not wait for the fork.
 * A handler of the fork's own is in the middle of it, and hangs where it would.
 */
static void fork_holds_up_nobody_who_opens(void **state)
{
	struct lg_trace *first, *second = NULL;
	int result;

	(void)state;
	name_file("at fork");
	assert_int_equal(lg_trace_open(path, &about, &first), 0);
	opened_by_a_fork = &second;
	alarm(HANG_S);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	alarm(0);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	assert_non_null(second);
	assert_int_equal(lg_trace_close(first), 0);
	assert_int_equal(lg_trace_close(second), 0);
}

/* A child does as it likes with what it got: its parent's file is not touched. */
static void child_of_fork_writes_nothing(void **state)
{
	struct lg_trace *trace;
	int result;

	(void)state;
	name_file("child");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	lg_trace_put(trace, LG_TRACE_READ, 0, 1, 12);
	pid_t child = fork();
	if (child == 0) {
		lg_trace_put(trace, LG_TRACE_READ, 0, 666, 12);
		exit(lg_trace_close(trace));
	}
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	assert_int_equal(lg_trace_close(trace), 0);
	read_file(path);
	assert_int_equal(file.count, 2);
	assert_true(file.records[0].page == 1);
}

/* A worker that lives on: who comes after its parent has the file. */
static void child_of_fork_keeps_no_file(void **state)
{
	struct lg_trace *trace;
	int ends[2], result;
	char byte;

	(void)state;
	name_file("worker");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		_exit(write(ends[0], "", 1) == 1 && read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_int_equal(read(ends[1], &byte, 1), 1); /* it is past its fork */
	lg_trace_put(trace, LG_TRACE_READ, 0, 1, 12); /* the parent's is open all the same */
	assert_int_equal(lg_trace_close(trace), 0);
	snprintf(path, sizeof(path), "%s/./worker", directory);
	int error = lg_trace_open(path, &about, &trace);
	close(ends[1]);
	close(ends[0]);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	assert_int_equal(error, 0);
	assert_int_equal(lg_trace_close(trace), 0);
}

static void program_that_ends_leaves_a_whole_trace(void **state)
{
	int result;

	(void)state;
	name_file("exit");
	pid_t child = fork();
	if (child == 0) {
		struct lg_trace *trace;

		if (lg_trace_open(path, &about, &trace) != 0)
			_exit(1);
		for (unsigned i = 0; i < 1000; i++)
			lg_trace_put(trace, LG_TRACE_READ, 0, i, 12);
		exit(0);
	}
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	read_file(path);
	assert_int_equal(file.count, 1001);
	assert_int_equal(file.records[1000].kind, LG_TRACE_END);
}

static struct lg_trace *outlives_its_end;

/* Behind the trace's own: destructors without a number are before it. */
static __attribute__((destructor(101))) void put_behind_the_end(void)
{
	long task;

	if (outlives_its_end == NULL)
		return;
	lg_trace_put(outlives_its_end, LG_TRACE_READ, 0, 1, 12);
	while (find_thread("lgalloc-trace", &task) != 1 || !sleeps_without_timer(task))
		lg_os_sleep_us(1000);
}

/* Nobody takes what comes later: a thread that looks for it would never rest. */
static void record_behind_the_end_lets_the_thread_sleep(void **state)
{
	int result;

	(void)state;
	name_file("behind");
	pid_t child = fork();
	if (child == 0) {
		alarm(HANG_S);
		if (lg_trace_open(path, &about, &outlives_its_end) != 0)
			_exit(1);
		exit(0);
	}
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	read_file(path);
	assert_int_equal(file.count, 1);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void first_error_of_a_write_is_said_at_the_end(void **state)
{
	struct rlimit before;
	struct lg_trace *trace;

	(void)state;
	name_file("limit");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	limit_files(1024);
	for (unsigned i = 0; i < 1000; i++)
		lg_trace_put(trace, LG_TRACE_READ, 0, i, 12);
	int error = lg_trace_close(trace);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(error, -EFBIG);
	assert_non_null(strstr(lg_error(), "could not be written to its end: larger than"));
	read_file(path); /* what there was room for */
	assert_int_equal(file.count, (1024 - sizeof(file.header)) / sizeof(file.records[0]));
}

static struct lg_trace *make_one_without_room_for_its_end(void)
{
	struct lg_trace *trace;

	name_file("no end");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	limit_files(sizeof(struct lg_trace_header));
	return trace;
}

/* The kernel would send SIGXFSZ, and it is the program's thread that writes the beginning and the end. */
static void limit_of_files_ends_no_program(void **state)
{
	struct rlimit before;
	struct lg_trace *trace;
	int status;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	name_file("no beginning");
	limit_files(0);
	int of_beginning = lg_trace_open(path, &about, &trace);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(of_beginning, -EFBIG);
	assert_non_null(strstr(lg_error(), "cannot be written: larger than"));
	trace = make_one_without_room_for_its_end();
	int of_end = lg_trace_close(trace);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(of_end, -EFBIG);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)make_one_without_room_for_its_end();
		exit(7); /* whose destructors write the end */
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

/* Another file got the number of ours: nothing is written to it, and it stays open. */
static void descriptor_closed_by_the_program_harms_no_file(void **state)
{
	struct lg_trace *trace;
	struct stat status, before;
	int victim = -1, result;

	(void)state;
	name_file("closed");
	assert_int_equal(lg_trace_open(path, &about, &trace), 0);
	assert_int_equal(stat(path, &before), 0);
	name_file("other");
	int other = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(other >= 0);
	for (int fd = 0; fd < 65536 && victim < 0; fd++) {
		if (fstat(fd, &status) == 0 && status.st_ino == before.st_ino &&
		    status.st_dev == before.st_dev)
			victim = fd;
	}
	assert_true(victim >= 0);
	assert_int_equal(dup2(other, victim), victim);
	pid_t child = fork();
	if (child == 0)
		_exit(fstat(victim, &status) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	lg_trace_put(trace, LG_TRACE_READ, 0, 1, 12);
	assert_int_equal(lg_trace_close(trace), -EBADF);
	assert_int_equal(fstat(victim, &status), 0);
	assert_int_equal(status.st_size, 0);
	close(victim);
	close(other);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_noted_is_in_the_file_in_order),
		cmocka_unit_test(no_trace_is_no_note),
		cmocka_unit_test(lost_records_are_counted_in_the_file),
		cmocka_unit_test(first_record_is_written_without_being_asked),
		cmocka_unit_test(path_has_the_process_and_which_time_it_is),
		cmocka_unit_test(files_that_are_no_traces_are_left_alone),
		cmocka_unit_test(old_trace_is_replaced_and_one_in_use_is_not),
		cmocka_unit_test(child_of_fork_writes_nothing),
		cmocka_unit_test(child_of_fork_keeps_no_file),
		cmocka_unit_test(fork_holds_up_nobody_who_opens),
		cmocka_unit_test(program_that_ends_leaves_a_whole_trace),
		cmocka_unit_test(record_behind_the_end_lets_the_thread_sleep),
		cmocka_unit_test(first_error_of_a_write_is_said_at_the_end),
		cmocka_unit_test(limit_of_files_ends_no_program),
		cmocka_unit_test(descriptor_closed_by_the_program_harms_no_file),
		cmocka_unit_test(traces_never_replace_one_another),
	};

	if (pthread_atfork(open_at_fork, NULL, NULL) != 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
