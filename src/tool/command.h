/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The commands of `lgalloc`: each gets its own arguments, its name first, and returns the exit status. */
#ifndef LG_TOOL_COMMAND_H
#define LG_TOOL_COMMAND_H

/* X(name, help) */
#define LG_COMMANDS(X)                                                                             \
	X(run, "run a program with its large allocations in regions")                              \
	X(top, "watch what a process holds, class by class")                                       \
	X(trace, "choose a pager's policy and budget by a trace of its faults")                    \
	X(heap, "look into a persistent heap, check it, copy it")                                  \
	X(cat, "write an object of S3 or the web to standard output")                              \
	X(options, "list the options of the process, a pager or a map")                            \
	X(bench, "measure against other allocators on this machine")                               \
	X(help, "say more about a command")

#define LG_COMMAND(name, help) int lg_command_##name(int argc, char **argv);
LG_COMMANDS(LG_COMMAND)
#undef LG_COMMAND

enum { LG_EXIT_FAILURE = 1, LG_EXIT_USAGE = 2 };

/* Failed: one line on stderr, of which a terminal obeys nothing, and the end. */
_Noreturn void lg_command_fail(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Wrong usage: one line on stderr, and the end. */
_Noreturn void lg_usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The end of a command that wrote to stdout: its exit status, and one line where that failed. */
int lg_command_end(const char *command);

#endif
