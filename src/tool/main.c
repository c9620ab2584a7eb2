/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/command.h"

#include <lgalloc/lgalloc.h>

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

int lg_command_help(int argc, char **argv)
{
	static char help[] = "--help";

	if (argc > 2)
		lg_usage_error("help", "one command at a time, not '%s' as well", argv[2]);
	if (argc < 2 || strcmp(argv[1], help) == 0) {
		print_help(stdout);
		return lg_command_end("help");
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(2, (char *[]){ argv[1], help, NULL });
	lg_usage_error("help", "'%s' is no command", argv[1]);
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
