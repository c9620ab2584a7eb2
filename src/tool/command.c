/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lg_usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "lgalloc %s: ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see lgalloc %s --help\n", command);
	exit(LG_EXIT_USAGE);
}

void lg_command_fail(const char *command, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	for (char *at = text; at != NULL && *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
	fprintf(stderr, "lgalloc %s: %s\n", command, text != NULL ? text : "no memory");
	exit(LG_EXIT_FAILURE);
}

int lg_command_end(const char *command)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "lgalloc %s: standard output: %s\n", command, strerror(errno));
	return LG_EXIT_FAILURE;
}
