/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/result.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RESULT_FD = 3, LINE_BYTES = 512 };

static int result_fd = STDOUT_FILENO;

static void write_line(const char *line, int length)
{
	if (length <= 0)
		return;
	if (length >= LINE_BYTES)
		length = LINE_BYTES - 1;
	if (write(result_fd, line, (size_t)length) != length)
		_exit(1); /* nobody listens any more */
}

void result_open(void)
{
	if (fcntl(RESULT_FD, F_GETFD) != -1)
		result_fd = RESULT_FD;
}

void result_value(const char *name, double value)
{
	char line[LINE_BYTES];

	write_line(line, snprintf(line, sizeof(line), "v %s %.9g\n", name, value));
}

void result_point(const char *series, double ms, double value)
{
	char line[LINE_BYTES];

	write_line(line, snprintf(line, sizeof(line), "s %s %.6g %.9g\n", series, ms, value));
}

void result_text(const char *name, const char *text)
{
	char line[LINE_BYTES];

	write_line(line, snprintf(line, sizeof(line), "t %s %s\n", name, text));
}

static void write_reason(const char *word, const char *format, va_list arguments)
{
	char reason[LINE_BYTES / 2];
	char line[LINE_BYTES];

	vsnprintf(reason, sizeof(reason), format, arguments);
	write_line(line, snprintf(line, sizeof(line), "%s %s\n", word, reason));
}

void result_skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_reason("skip", format, arguments);
	va_end(arguments);
	_exit(77);
}

void result_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_reason("fail", format, arguments);
	va_end(arguments);
	_exit(1);
}
