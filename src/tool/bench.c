/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lgalloc bench: the benchmark runner in our place. Its options and names are its own, --help too. */
#include "tool/command.h"
#include "tool/place.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char runner[] = "lgalloc-bench";

/* What a report says of where its figures are from, unless bench/run has said more. */
static bool describe(int argc, char **argv)
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	if (to == NULL)
		return false;
	for (int i = 0; i < argc; i++)
		fprintf(to, "%s%s", i > 0 ? " " : "", argv[i]);
	bool done = fclose(to) == 0 && setenv("LGALLOC_BENCH_COMMAND", text, 0) == 0 &&
		    setenv("LGALLOC_BENCH_COMMIT", lg_version(), 0) == 0;

	free(text);
	return done;
}

int lg_command_bench(int argc, char **argv)
{
	static char name[] = "lgalloc bench";
	char path[PATH_MAX];

	argv[0] = name; /* the runner's usage and errors begin with it */
	if (!lg_place_find(runner, "bench", LG_LIBEXEC_FROM_PROGRAM, path)) {
		fprintf(stderr,
			"lgalloc bench: the benchmarks are not installed: %s is neither in bench nor in "
			"%s beside this program; configure with -DLGALLOC_BUILD_BENCH=ON, build, install\n",
			runner, LG_LIBEXEC_FROM_PROGRAM);
		return LG_EXIT_FAILURE;
	}
	if (describe(argc, argv))
		execv(path, argv);
	fprintf(stderr, "lgalloc bench: '%s' cannot be started: %s\n", path, strerror(errno));
	return LG_EXIT_FAILURE;
}
