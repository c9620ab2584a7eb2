/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A key-value store in a persistent heap: kv FILE COMMAND. Its last commit is there whatever ends the program; `work` does
 * many operations with a commit after every so many, and `verify` says afterwards whether the store is exactly what
 * some number of them leaves.
 */
#include "../argument.h"
#include "tree.h"
#include "verify.h"
#include "work.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <stdio.h>
#include <string.h>

struct wishes {
	const char *file;
	char **command;
	int words;
	uint64_t commit;
	struct work work;
};

/* How far the work has come, in the heap: it changes by the same commits as the tree. */
struct progress {
	uint64_t operations;
	struct work work;
};

struct store {
	lg_heap *heap;
	struct tree tree;
	struct progress *progress;
};

static int fail(const char *what)
{
	fprintf(stderr, "kv: %s: %s\n", what, lg_error());
	return 1;
}

static int open_store(struct store *store, const struct wishes *wishes)
{
	store->heap = lg_heap_open(wishes->file, "create:on");
	if (store->heap == NULL)
		return fail("open");
	if (tree_open(&store->tree, store->heap) != 0)
		return fail("open");
	store->progress = lg_heap_at(store->heap, lg_heap_root_get(store->heap, "progress"));
	if (store->progress != NULL)
		return 0;
	store->progress = lg_heap_calloc(store->heap, 1, sizeof(*store->progress));
	if (store->progress == NULL)
		return fail("open");
	store->progress->work = wishes->work;
	if (lg_heap_root_set(store->heap, "progress", lg_heap_ref(store->heap, store->progress)) !=
	    0)
		return fail("open");
	return 0;
}

static int commit(struct store *store)
{
	return lg_heap_commit(store->heap) != 0 ? fail("commit") : 0;
}

/* --- commands ----------------------------------------------------------------------------------- */

static int put(struct store *store, char **words, const struct wishes *wishes)
{
	(void)wishes;
	if (tree_put(&store->tree, words[0], strlen(words[0]), words[1], strlen(words[1])) != 0)
		return fail("put");
	return commit(store);
}

static int get(struct store *store, char **words, const struct wishes *wishes)
{
	const struct tree_item *item = tree_get(&store->tree, words[0], strlen(words[0]));

	(void)wishes;
	if (item == NULL)
		return 1;
	fwrite(tree_value(item), 1, item->value_bytes, stdout);
	putchar('\n');
	return 0;
}

static int delete (struct store *store, char **words, const struct wishes *wishes)
{
	(void)wishes;
	if (!tree_delete(&store->tree, words[0], strlen(words[0])))
		return 1;
	return commit(store);
}

static int print_item(void *unused, const struct tree_item *item)
{
	(void)unused;
	fwrite(item->bytes, 1, item->key_bytes, stdout);
	putchar('\t');
	fwrite(tree_value(item), 1, item->value_bytes, stdout);
	putchar('\n');
	return ferror(stdout);
}

static int scan(struct store *store, char **words, const struct wishes *wishes)
{
	(void)wishes;
	(void)tree_scan(&store->tree, words[0], words[0] != NULL ? strlen(words[0]) : 0, print_item,
			NULL);
	return 0;
}

static int do_operation(struct tree *tree, const struct work_operation *operation)
{
	unsigned char value[WORK_VALUE_MAX];
	char key[WORK_KEY_BYTES + 1];

	work_key(operation->key, key);
	if (operation->is_delete) {
		(void)tree_delete(tree, key, WORK_KEY_BYTES);
		return 0;
	}
	work_value(operation, value);
	return tree_put(tree, key, WORK_KEY_BYTES, value, operation->value_bytes);
}

/* Until there were so many operations in all; each commit is told when it is durable. */
static int work(struct store *store, char **words, const struct wishes *wishes)
{
	struct progress *progress = store->progress;
	uint64_t end = strtoull(words[0], NULL, 10);

	while (progress->operations < end) {
		struct work_operation operation =
			work_operation(&progress->work, progress->operations);

		if (do_operation(&store->tree, &operation) != 0)
			return fail("work");
		progress->operations++;
		if (progress->operations % wishes->commit != 0 && progress->operations != end)
			continue;
		if (commit(store) != 0)
			return 1;
		printf("%" PRIu64 "\n", progress->operations);
		fflush(stdout);
	}
	return 0;
}

static int check(struct store *store, char **words, const struct wishes *wishes)
{
	const struct progress *progress = store->progress;

	(void)words, (void)wishes;
	if (verify(&store->tree, &progress->work, progress->operations) != 0)
		return 1;
	printf("%" PRIu64 " operations, %" PRIu64 " keys\n", progress->operations,
	       tree_count(&store->tree));
	return 0;
}

static const struct command {
	const char *name;
	int least, most;
	int (*run)(struct store *store, char **words, const struct wishes *wishes);
} commands[] = {
	{ "put", 2, 2, put },   { "get", 1, 1, get },   { "delete", 1, 1, delete },
	{ "scan", 0, 1, scan }, { "work", 1, 1, work }, { "verify", 0, 0, check },
};

/* --- the command line --------------------------------------------------------------------------- */

static const struct argp_option options[] = {
	{ "commit", 'c', "N", 0, "work: commit after every N operations (100)", 0 },
	{ "keys", 'k', "N", 0, "work, in a new file: so many different keys (10K)", 0 },
	{ "seed", 's', "N", 0, "work, in a new file: which work (1)", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct wishes *wishes = state->input;

	switch (key) {
	case 'c':
		wishes->commit = argument_number(state, "--commit", text, 1, UINT64_C(1) << 40);
		return 0;
	case 'k':
		wishes->work.keys = argument_number(state, "--keys", text, 1, 99999999);
		return 0;
	case 's':
		wishes->work.seed = argument_number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case ARGP_KEY_ARGS:
		wishes->file = state->argv[state->next];
		wishes->command = state->argv + state->next + 1;
		wishes->words = state->argc - state->next - 2;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct command *find(const struct wishes *wishes)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (wishes->words >= 0 && strcmp(wishes->command[0], commands[i].name) == 0 &&
		    wishes->words >= commands[i].least && wishes->words <= commands[i].most)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "FILE put KEY VALUE\nFILE get KEY\nFILE delete KEY\nFILE scan [FROM]\n"
			    "FILE work OPERATIONS\nFILE verify",
		.doc = "A key-value store in a persistent heap."
		       "\vStatus 1 of get and delete: there is no such key. `work` prints how many "
		       "operations are durable, after each commit; it goes on where it was ended, by kill -9 "
		       "too, and `verify` looks whether all of them, and nothing else, are there.",
	};
	struct wishes wishes = { .commit = 100, .work = { .seed = 1, .keys = 10 << 10 } };
	struct store store;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &wishes);
	const struct command *command = find(&wishes);
	if (command == NULL) {
		fprintf(stderr,
			"kv: no such command, or not so many words behind it; see kv --help\n");
		return 2;
	}
	int status = open_store(&store, &wishes);
	if (status == 0)
		status = command->run(&store, wishes.command + 1, &wishes);
	if (lg_heap_close(store.heap) != 0)
		status = fail("close");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "kv: standard output: %s\n", strerror(errno));
		status = 1;
	}
	return status;
}
