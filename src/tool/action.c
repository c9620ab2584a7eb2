/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/action.h"

#include "tool/command.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_BYTES = 128, FULL_NAME_BYTES = 64 };

struct wishes {
	const struct lg_actions *actions;
	char **action;
};

/* "record, info or replay". */
static const char *names_of(const struct lg_actions *actions, const char *last,
			    char names[NAMES_BYTES])
{
	size_t used = 0;

	names[0] = '\0';
	for (size_t i = 0; i < actions->count && used < NAMES_BYTES; i++) {
		const char *before = i == 0 ? "" : i + 1 < actions->count ? ", " : last;

		used += (size_t)snprintf(names + used, NAMES_BYTES - used, "%s%s", before,
					 actions->list[i].name);
	}
	return names;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct wishes *wishes = state->input;
	char names[NAMES_BYTES];

	(void)argument;
	switch (key) {
	case ARGP_KEY_ARGS:
		wishes->action = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "%s?", names_of(wishes->actions, " or ", names));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int lg_actions_run(const struct lg_actions *actions, int argc, char **argv)
{
	static char name[FULL_NAME_BYTES], full_name[FULL_NAME_BYTES];
	const struct argp argp = { .parser = parse,
				   .args_doc = actions->args_doc,
				   .doc = actions->doc };
	struct wishes wishes = { .actions = actions };
	char names[NAMES_BYTES];

	snprintf(name, sizeof(name), "lgalloc %s", actions->command);
	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &wishes);
	for (size_t i = 0; i < actions->count; i++) {
		if (strcmp(wishes.action[0], actions->list[i].name) != 0)
			continue;
		snprintf(full_name, sizeof(full_name), "lgalloc %s %s", actions->command,
			 actions->list[i].name);
		wishes.action[0] = full_name;
		return actions->list[i].run(argc - (int)(wishes.action - argv), wishes.action);
	}
	lg_usage_error(actions->command, "'%s' is none of %s", wishes.action[0],
		       names_of(actions, " and ", names));
}

error_t lg_action_take_file(int key, char *argument, struct argp_state *state, const char *what,
			    const char **file)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (*file != NULL)
			argp_error(state, "one %s at a time, not '%s' as well", what, argument);
		*file = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which %s?", what);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
