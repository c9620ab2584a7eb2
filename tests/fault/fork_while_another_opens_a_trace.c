/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process may fork while another thread opens or closes a trace; the child, in which that thread does not live on,
 * has traces of its own, and ends.
 * Method: a thread that opens and closes traces again and again; the main thread forks, and each child opens two, closes
 * one, and leaves the other to the exit.
 * Oracle: each child ends well before its alarm; a lock left taken or a list left torn is a hang or a crash.
 */
#include "fault/child.h"
#include "stress/crew.h"

#include "pager/trace.h"

#include <limits.h>
#include <stdio.h>

enum { FORKS = 200, SLOTS = 2 };

static struct crew crew;
static char directory[] = "fork-trace-XXXXXX";

static struct lg_trace *open_one(const char *name)
{
	const struct lg_trace_about about = { .policy = "clock", .slots = SLOTS };
	struct lg_trace *trace;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	CLAIM(lg_trace_open(path, &about, &trace) == 0);
	return trace;
}

static void open_and_close(struct crew_member *me)
{
	char path[PATH_MAX];

	while (!crew_stopped(me)) {
		struct lg_trace *trace = open_one("parent");

		snprintf(path, sizeof(path), "%s", lg_trace_path(trace));
		CLAIM(lg_trace_close(trace) == 0);
		CLAIM(unlink(path) == 0);
	}
}

static void be_a_child(void *unused)
{
	struct lg_trace *closed = open_one("child%p"), *left = open_one("child%p");

	(void)unused;
	lg_trace_put(left, LG_TRACE_READ, 0, 1, 12);
	CLAIM(lg_trace_close(closed) == 0);
	exit(EXIT_SUCCESS);
}

int main(void)
{
	char command[64];

	CLAIM(mkdtemp(directory) != NULL);
	crew_start(&crew, 1, 1, open_and_close);
	for (unsigned i = 0; i < FORKS; i++)
		child_claim("a child that opens traces", be_a_child, NULL);
	crew_stop(&crew);
	crew_join(&crew);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	CLAIM(system(command) == 0);
	return EXIT_SUCCESS;
}
