/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/command.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
} commands[] = {
#define LG_COMMAND_ROW(name, help) { #name, help, lg_command_##name },
	LG_COMMANDS(LG_COMMAND_ROW)
#undef LG_COMMAND_ROW
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *to)
{
	fprintf(to, "usage: lgalloc COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s  %s\n", commands[i].name, commands[i].help);
	fprintf(to,
		"\n`lgalloc COMMAND --help` says more; `lgalloc --version` which version this is.\n");
}

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

int lg_command_end(const char *command)
{
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "lgalloc %s: standard output: %s\n", command, strerror(errno));
	return LG_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return LG_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("lgalloc %s\n", lg_version());
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "lgalloc: '%s' is no command; see lgalloc --help\n", argv[1]);
	return LG_EXIT_USAGE;
}
