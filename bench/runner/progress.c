/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/progress.h"

#include <stdio.h>
#include <unistd.h>

static unsigned steps_total, steps_done;

void progress_begin(unsigned steps)
{
	steps_total = steps;
	steps_done = 0;
}

void progress_step(const char *what, const char *who)
{
	steps_done++;
	if (!isatty(STDERR_FILENO))
		return;
	if (steps_total > 0)
		fprintf(stderr, "\r\033[K[%u/%u] %s: %s", steps_done, steps_total, what, who);
	else
		fprintf(stderr, "\r\033[K%s: %s", what, who);
	fflush(stderr);
}

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}
