/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "metrics/writer.h"

#include "unit/metrics/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

static void full_device_is_an_answer_in_words(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (full < 0)
		skip();
	for (enum lg_format format = LG_OPENMETRICS; format <= LG_PROMETHEUS; format++) {
		assert_int_equal(lg_metrics_write(full, format), -ENOSPC);
		assert_non_null(strstr(lg_error(), "ENOSPC"));
	}
	close(full);
}

static void closed_descriptor_is_an_answer(void **state)
{
	int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(lg_metrics_write(-1, LG_JSON), -EBADF);
	assert_int_equal(lg_metrics_write(readable, LG_TABLE), -EBADF);
	close(readable);
}

static void unknown_format_is_refused(void **state)
{
	(void)state;
	assert_int_equal(lg_metrics_write(1, (enum lg_format)4), -EINVAL);
	assert_non_null(strstr(lg_error(), "4"));
	assert_int_equal(lg_metrics_write(1, (enum lg_format) - 1), -EINVAL);
}

struct drain {
	int fd;
	size_t bytes;
	uint64_t sum;
};

static void *drain_slowly(void *argument)
{
	struct drain *drain = argument;
	char text[7]; /* no divisor of anything */

	for (ssize_t got; (got = read(drain->fd, text, sizeof(text))) > 0;)
		for (ssize_t i = 0; i < got; i++, drain->bytes++)
			drain->sum = drain->sum * 31 + (unsigned char)text[i];
	return NULL;
}

/* Lines of all lengths across the buffer's end, through a pipe that takes little at a time. */
static void text_longer_than_the_buffer_arrives_whole(void **state)
{
	struct lg_writer writer = { .fd = -1 };
	struct drain drain = { 0 };
	int pipes[2];
	pthread_t thread;
	uint64_t sum = 0;
	size_t bytes = 0;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	(void)fcntl(pipes[1], F_SETPIPE_SZ, 4096);
	drain.fd = pipes[0];
	writer.fd = pipes[1];
	assert_int_equal(pthread_create(&thread, NULL, drain_slowly, &drain), 0);
	for (int length = 1; length < 400; length++) {
		char line[512];

		memset(line, 'a' + length % 26, (size_t)length);
		line[length] = '\0';
		lg_writer_print(&writer, "%s\n", line);
		line[length] = '\n';
		for (int i = 0; i <= length; i++, bytes++)
			sum = sum * 31 + (unsigned char)line[i];
	}
	assert_int_equal(lg_writer_finish(&writer), 0);
	close(pipes[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(pipes[0]);
	assert_int_equal(drain.bytes, bytes);
	assert_true(drain.sum == sum);
}

static void first_error_stays(void **state)
{
	struct lg_writer writer = { .fd = -1 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		lg_writer_print(&writer, "a line of text, number %d\n", i);
	assert_int_equal(writer.error, -EBADF);
	writer.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	lg_writer_print(&writer, "more\n");
	assert_int_equal(lg_writer_finish(&writer), -EBADF);
	close(writer.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_device_is_an_answer_in_words),
		cmocka_unit_test(closed_descriptor_is_an_answer),
		cmocka_unit_test(unknown_format_is_refused),
		cmocka_unit_test(text_longer_than_the_buffer_arrives_whole),
		cmocka_unit_test(first_error_stays),
	};

	return cmocka_run_group_tests(tests, output_prepare, NULL);
}
