/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Commands of two words: the second one, an action, has arguments of its own. */
#ifndef LG_TOOL_ACTION_H
#define LG_TOOL_ACTION_H

#include <argp.h>
#include <stddef.h>

struct lg_action {
	const char *name;
	int (*run)(int argc, char **argv); /* as commands: its full name first */
};

struct lg_actions {
	const char *command; /* "trace" */
	const char *args_doc;
	const char *doc;
	const struct lg_action *list;
	size_t count;
};

/* Runs the action that the arguments name, or says which there are: the exit status. */
int lg_actions_run(const struct lg_actions *actions, int argc, char **argv);

/* For the parser of an action that is about one file: puts it into *file, or says that `what` is missing or twice. */
error_t lg_action_take_file(int key, char *argument, struct argp_state *state, const char *what,
			    const char **file);

#endif
