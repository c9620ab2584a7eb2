/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/error.h"

#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <pthread.h>
#include <unistd.h>

static void no_failure_is_an_empty_text(void **state)
{
	(void)state;
	assert_string_equal(lg_error(), "");
}

static void fail_returns_minus_error_and_keeps_errno(void **state)
{
	(void)state;
	errno = ERANGE;
	assert_int_equal(lg_fail(ENOSPC, "%d of %s", 3, "these"), -ENOSPC);
	assert_int_equal(errno, ERANGE);
	assert_string_equal(lg_error(), "3 of these");
	assert_int_equal(lg_fail(EINVAL, "other"), -EINVAL);
	assert_string_equal(lg_error(), "other");
}

static void long_text_is_cut_and_terminated(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)lg_fail(EINVAL, "%s", text);
	size_t length = strlen(lg_error());
	assert_in_range(length, 100, 500);
	assert_int_equal(strspn(lg_error(), "a"), length);
}

static void *fail_elsewhere(void *text)
{
	const char *mine = lg_error();

	*(bool *)text = mine[0] == '\0';
	(void)lg_fail(EIO, "elsewhere");
	*(bool *)text = *(bool *)text && strcmp(lg_error(), "elsewhere") == 0;
	return NULL;
}

static void each_thread_has_its_own_text(void **state)
{
	pthread_t thread;
	bool was_its_own = false;

	(void)state;
	(void)lg_fail(EIO, "here");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &was_its_own), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(was_its_own);
	assert_string_equal(lg_error(), "here");
}

static void every_error_has_a_name(void **state)
{
	static const struct {
		int error;
		const char *symbol;
	} named[] = {
		{ ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" }, { EDQUOT, "EDQUOT" },
		{ EFBIG, "EFBIG" },   { EMFILE, "EMFILE" }, { ENFILE, "ENFILE" },
		{ EACCES, "EACCES" }, { EROFS, "EROFS" },   { ENOENT, "ENOENT" },
		{ EINVAL, "EINVAL" }, { EIO, "EIO" },       { EOPNOTSUPP, "EOPNOTSUPP" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		assert_non_null(strstr(lg_error_name(named[i].error), named[i].symbol));
	for (int error = -1; error < 5000; error++)
		assert_true(lg_error_name(error)[0] != '\0');
}

/* What lg_say wrote to stderr. */
static size_t said(char *text, size_t capacity, const char *what)
{
	int pipes[2], before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	assert_int_equal(pipe(pipes), 0);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
	lg_say("%s", what);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	close(pipes[1]);
	ssize_t length = read(pipes[0], text, capacity - 1);
	close(pipes[0]);
	assert_true(length >= 0);
	text[length] = '\0';
	return (size_t)length;
}

static void say_writes_one_line_with_the_name_first(void **state)
{
	char text[4000], much[3000];

	(void)state;
	said(text, sizeof(text), "it is so");
	assert_string_equal(text, "lgalloc: it is so\n");
	memset(much, 'b', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	size_t length = said(text, sizeof(text), much);
	assert_int_equal(text[length - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	assert_int_equal(strncmp(text, "lgalloc: bbb", 12), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failure_is_an_empty_text),
		cmocka_unit_test(fail_returns_minus_error_and_keeps_errno),
		cmocka_unit_test(long_text_is_cut_and_terminated),
		cmocka_unit_test(each_thread_has_its_own_text),
		cmocka_unit_test(every_error_has_a_name),
		cmocka_unit_test(say_writes_one_line_with_the_name_first),
	};

	return UNIT_RUN(tests);
}
