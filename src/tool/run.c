/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lgalloc run: the environment that preloads the malloc shim, then the program in our place. */
#include "base/error.h"
#include "base/option.h"
#include "pager/trace.h"
#include "tool/command.h"
#include "tool/place.h"
#include "tool/program.h"

#include <lgalloc/lgalloc.h>

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a class that grows begins with. */
enum { TRIED_BYTES = 32 << 20 };

static const char library[] = "liblgalloc-preload.so";

struct wishes {
	const char *options;
	const char *min_size;
	char **program;
};

static const struct argp_option argp_options[] = {
	{ "options", 'o', "KEY:VALUE,...", 0, "Options as in LGALLOC_CONF; see lgalloc options",
	  0 },
	{ "min-size", 'm', "SIZE", 0, "Smallest request that becomes a region (default 1M)", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct wishes *wishes = state->input;

	switch (key) {
	case 'o':
		wishes->options = argument;
		return 0;
	case 'm':
		wishes->min_size = argument;
		return 0;
	case ARGP_KEY_ARGS:
		wishes->program = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which program?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Sets NAME to `first`, what it was, `second`, those that are there, joined by `by`. */
static void join(const char *name, const char *first, const char *second, const char *by)
{
	const char *before = getenv(name);
	const char *parts[] = { first, before, second };
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);
	const char *between = "";

	for (size_t i = 0; to != NULL && i < 3; i++) {
		if (parts[i] == NULL || parts[i][0] == '\0')
			continue;
		fprintf(to, "%s%s", between, parts[i]);
		between = by;
	}
	if (to == NULL || fclose(to) != 0 || setenv(name, text, 1) != 0) {
		fprintf(stderr, "lgalloc run: %s cannot be set: %s\n", name, strerror(errno));
		exit(LG_EXIT_FAILURE);
	}
	free(text);
}

/* What the program would say on its stderr is said here, before it starts. */
static void check(const char *what, const char *options)
{
	if (options != NULL && lg_option_check(options, LG_OPTION_FIRST) != 0)
		lg_usage_error("run", "%s: %s", what, lg_error());
}

/* A region of the library, with the options the program will have. What it leaves behind ends with this process. */
static _Noreturn void try_region(void)
{
	(void)unsetenv(
		LG_TRACE_ENVIRONMENT); /* of the program's pager alone, and so is the metrics file */
	if (lg_configure("background:off,metrics_file:") == 0 &&
	    lg_region_new(lg_min(TRIED_BYTES, lg_option(span))) != NULL)
		_exit(EXIT_SUCCESS);
	fprintf(stderr, "lgalloc run: backing:paged: %s\n", lg_error());
	_exit(LG_EXIT_FAILURE);
}

/*
 * A region that cannot be had is the next allocator's: the bound that was asked for would be none. What it takes, and what of
 * that the limits of the process allow, is known to who makes one; in a child, for what a pager has of signals and threads is not
 * the program's.
 */
static void check_paged(void)
{
	const char *options = getenv("LGALLOC_CONF");
	void (*inherited)(int);
	pid_t child, ended;
	int status;

	if (lg_option_parse(LG_OPTION_SHIM, LG_OPTION_FIRST) != 0 ||
	    (options != NULL && lg_option_parse(options, LG_OPTION_FIRST) != 0))
		lg_usage_error("run", "LGALLOC_CONF: %s", lg_error());
	if (lg_option(backing) != LG_BACKING_PAGED)
		return;
	inherited = signal(SIGCHLD, SIG_DFL); /* ignored, the status would be lost */
	child = fork();
	if (child == 0)
		try_region();
	ended = child < 0 ? child : waitpid(child, &status, 0);
	(void)signal(SIGCHLD, inherited);
	if (ended < 0)
		lg_command_fail("run", "backing:paged: no process could be made to try it: %s",
				strerror(errno));
	if (WIFSIGNALED(status))
		lg_command_fail("run", "backing:paged: to try it ended with %s",
				strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != EXIT_SUCCESS)
		exit(LG_EXIT_FAILURE); /* and it said why */
}

static const char doc[] =
	"Runs PROGRAM with its large allocations in regions: LD_PRELOAD of liblgalloc-preload.so."
	"\vThe default backing is anon, since a forked child must see its memory; "
	"-o backing:file,dir:PATH pages without swap and is for programs that do not fork. "
	"Another allocator in LD_PRELOAD stays, behind.";

int lg_command_run(int argc, char **argv)
{
	static const struct argp argp = { argp_options, parse, "[--] PROGRAM [ARGUMENT...]",
					  doc,          NULL,  NULL,
					  NULL };
	static char name[] = "lgalloc run";
	struct wishes wishes = { 0 };
	char path[PATH_MAX], min_size[64] = "";

	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &wishes);
	check("LGALLOC_CONF", getenv("LGALLOC_CONF"));
	check("--options", wishes.options);
	if (wishes.min_size != NULL) {
		snprintf(min_size, sizeof(min_size), "min_size:%s", wishes.min_size);
		check("--min-size", min_size);
	}
	if (!lg_place_find(library, ".", LG_LIBRARY_FROM_PROGRAM, path)) {
		fprintf(stderr, "lgalloc run: %s is neither beside this program nor in %s of it\n",
			library, LG_LIBRARY_FROM_PROGRAM);
		return LG_EXIT_FAILURE;
	}
	if (strpbrk(path, " :") != NULL) {
		fprintf(stderr,
			"lgalloc run: '%s' cannot be preloaded: the dynamic linker takes the space or "
			"colon in the path for an end; install it elsewhere\n",
			path);
		return LG_EXIT_FAILURE;
	}
	join("LD_PRELOAD", path, NULL, ":");
	join("LGALLOC_CONF", NULL, wishes.options, ",");
	join("LGALLOC_CONF", NULL, min_size, ",");
	check_paged();
	/* It may be a shell, whose programs are not: it is started. */
	if (lg_program_is_static(wishes.program[0]))
		fprintf(stderr,
			"lgalloc run: '%s' is linked statically: nothing is preloaded into it, and its memory "
			"is as without this command\n",
			wishes.program[0]);
	execvp(wishes.program[0], wishes.program);
	fprintf(stderr, "lgalloc run: '%s' cannot be started: %s\n", wishes.program[0],
		strerror(errno));
	return LG_EXIT_FAILURE;
}
