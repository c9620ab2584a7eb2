/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * buffer_pool: point reads of a table in a SQLite file, without SQLite, through a buffer pool.
 *
 * The way of a read: down the table's b-tree (table.c), each page pinned in the pool (pool.c), whose
 * frames are carved from 2 MiB regions; the row decoded (record.c) and printed or counted (reads.c).
 *
 *     buffer_pool --generate=1M rows.sqlite t
 *     buffer_pool --memory=16M --threads=2 --reads=1M rows.sqlite t
 *     buffer_pool --get rows.sqlite t 1 500 1000000
 */
#include "../argument.h"
#include "database.h"
#include "generate.h"
#include "reads.h"
#include "table.h"

#include <lgalloc/lgalloc.h>

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_GENERATE = 256, KEY_CHECK, KEY_HOT };

struct arguments {
	uint64_t memory;
	unsigned threads;
	struct reads_load load;
	uint64_t rows; /* of --generate, 0 without */
	bool get;
	bool direct;
	const char *path, *table;
	int64_t *rowids;
	size_t rowid_count, rowid_room;
};

static int add_rowid(struct arguments *arguments, const char *text)
{
	char *end;

	errno = 0;
	long long rowid = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return database_fail(text, "is no rowid", 0);
	if (arguments->rowid_count == arguments->rowid_room) {
		size_t room = 2 * arguments->rowid_room + 1024;
		int64_t *larger = realloc(arguments->rowids, room * sizeof(*larger));

		if (larger == NULL)
			return database_fail("memory for rowids", "none", errno);
		arguments->rowids = larger;
		arguments->rowid_room = room;
	}
	arguments->rowids[arguments->rowid_count++] = rowid;
	return 0;
}

static error_t parse_argument(struct arguments *arguments, char *text, struct argp_state *state)
{
	if (arguments->path == NULL)
		arguments->path = text;
	else if (arguments->table == NULL)
		arguments->table = text;
	else if (!arguments->get)
		argp_usage(state);
	else if (add_rowid(arguments, text) != 0)
		exit(2);
	return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'm':
		arguments->memory = argument_number(state, "--memory", text, (uint64_t)2 << 20,
						    (uint64_t)1 << 46);
		break;
	case 't':
		arguments->threads =
			(unsigned)argument_number(state, "--threads", text, 1, READS_THREADS_MAX);
		break;
	case 'n':
		arguments->load.count =
			argument_number(state, "--reads", text, 1, (uint64_t)1 << 50);
		break;
	case 'd':
		arguments->direct = true;
		break;
	case 'g':
		arguments->get = true;
		break;
	case KEY_GENERATE:
		arguments->rows = argument_number(state, "--generate", text, 1, GENERATE_ROWS_MAX);
		break;
	case KEY_CHECK:
		arguments->load.checked = true;
		break;
	case KEY_HOT:
		arguments->load.hot_percent =
			(unsigned)argument_number(state, "--hot", text, 1, 100);
		break;
	case ARGP_KEY_ARG:
		return parse_argument(arguments, text, state);
	case ARGP_KEY_END:
		if (arguments->table == NULL)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "memory", 'm', "MEMORY", 0, "Memory of the pool (default: 64M)", 0 },
	{ "threads", 't', "THREADS", 0, "Threads that read (default: one for each processor)", 0 },
	{ "reads", 'n', "READS", 0, "How many reads (default: 1M)", 0 },
	{ "hot", KEY_HOT, "PERCENT", 0,
	  "Nine in ten reads go to this part of the rows (default: 100)", 0 },
	{ "direct", 'd', NULL, 0, "Read past the kernel's page cache", 0 },
	{ "check", KEY_CHECK, NULL, 0,
	  "FILE is of --generate: compare each row with what it must be", 0 },
	{ NULL, 0, NULL, 0, "Instead of measuring:", 1 },
	{ "get", 'g', NULL, 0, "Print the rows ROWID… (none given: those on standard input)", 1 },
	{ "generate", KEY_GENERATE, "ROWS", 0, "Write a new FILE with a table of so many rows", 1 },
	{ 0 },
};

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE TABLE\n--get FILE TABLE [ROWID...]\n--generate=ROWS FILE TABLE",
	.doc = "Reads rows of a table in a SQLite file by their rowids, through a buffer pool.\v"
	       "Exit status: 0; 1 a row is missing or something failed; 2 wrong usage. The environment's "
	       "LGALLOC_CONF counts; without it the pool is anonymous memory.",
};

static unsigned processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < READS_THREADS_MAX ? (unsigned)count : READS_THREADS_MAX;
}

static int read_rowids(struct arguments *arguments)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int result = 0;

	while (result == 0 && (length = getline(&line, &room, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		result = add_rowid(arguments, line);
	}
	if (ferror(stdin))
		result = database_fail("standard input", "cannot read", errno);
	free(line);
	return result;
}

static int read_table(struct arguments *arguments)
{
	struct database database;
	struct reader reader;
	struct reads reads = { .database = &database, .threads = arguments->threads };
	int result;

	if (arguments->get && arguments->rowid_count == 0 && read_rowids(arguments) != 0)
		return -1;
	if (database_open(&database, arguments->path, arguments->memory, arguments->direct) != 0)
		return -1;
	result = reader_open(&reader, &database);
	if (result == 0) {
		result = table_root(&reader, arguments->table, &reads.root);
		reader_close(&reader);
	}
	if (result == 0)
		result = arguments->get ?
				 reads_get(&reads, arguments->rowids, arguments->rowid_count) :
				 reads_measure(&reads, &arguments->load);
	database_close(&database);
	return result;
}

int main(int count, char **words)
{
	struct arguments arguments = {
		.memory = (uint64_t)64 << 20,
		.threads = processors(),
		.load = { .count = 1 << 20, .hot_percent = 100 },
	};
	int result;

	argp_err_exit_status = 2;
	argp_parse(&parser, count, words, 0, NULL, &arguments);
	/*
	 * Frames are copies of a file's pages: paging them to another file would write what can be read
	 * again. Anonymous memory, on huge pages, is what a pool wants.
	 */
	if (getenv("LGALLOC_CONF") == NULL && lg_configure("backing:anon") != 0) {
		fprintf(stderr, "buffer_pool: %s\n", lg_error());
		return EXIT_FAILURE;
	}
	if (arguments.rows > 0)
		result =
			generate_database(arguments.path, arguments.table, (int64_t)arguments.rows);
	else
		result = read_table(&arguments);
	free(arguments.rowids);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
