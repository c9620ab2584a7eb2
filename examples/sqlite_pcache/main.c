/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * sqlite_pcache: a day's work of a database (workload.c) with SQLite's own page cache or with one in regions
 * (sqlite_pcache.c), and what each needs of time and memory.
 *
 *     sqlite_pcache rows.db
 *     sqlite_pcache --cache=default rows.db
 *     sqlite_pcache --backing=file --steps=fill,index,find,change :memory:
 */
#include "../argument.h"
#include "sqlite_pcache.h"
#include "workload.h"

#include <lgalloc/lgalloc.h>

#include <argp.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, PATH_BYTES_MAX = 4096 };

enum { KEY_STEPS = 256, KEY_SEED, KEY_CACHE_SIZE, KEY_PRAGMA, KEY_CHECK, KEY_SETTLE };

struct arguments {
	const char *path;
	const char *cache, *backing;
	const char *pragma;
	struct workload workload;
	uint64_t cache_bytes;
	unsigned threads;
	unsigned settle_ms;
	bool check;
};

struct connection {
	const struct arguments *arguments;
	struct workload workload;
	unsigned number;
	pthread_t thread;
	int result;
};

/* --- the command line --------------------------------------------------------------------------------- */

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	const char *wrong;

	switch (key) {
	case 'c':
		if (strcmp(text, "default") != 0 && strcmp(text, "regions") != 0)
			argp_error(state, "--cache: %s is neither default nor regions", text);
		arguments->cache = text;
		break;
	case 'b':
		if (strcmp(text, "anon") != 0 && strcmp(text, "file") != 0)
			argp_error(state, "--backing: %s is neither anon nor file", text);
		arguments->backing = text;
		break;
	case 'n':
		arguments->workload.rows =
			(int64_t)argument_number(state, "--rows", text, 100, (uint64_t)1 << 32);
		break;
	case 't':
		arguments->threads =
			(unsigned)argument_number(state, "--threads", text, 1, THREADS_MAX);
		break;
	case KEY_STEPS:
		if (!workload_knows(text, &wrong))
			argp_error(state, "--steps: no step begins at \"%s\"; there are %s", wrong,
				   workload_steps());
		arguments->workload.steps = text;
		break;
	case KEY_SEED:
		arguments->workload.seed = argument_number(state, "--seed", text, 0, UINT64_MAX);
		break;
	case KEY_CACHE_SIZE:
		arguments->cache_bytes =
			argument_number(state, "--cache-size", text, 1 << 10, (uint64_t)1 << 40);
		break;
	case KEY_PRAGMA:
		arguments->pragma = text;
		break;
	case KEY_CHECK:
		arguments->check = true;
		break;
	case KEY_SETTLE:
		arguments->settle_ms =
			(unsigned)argument_number(state, "--settle", text, 0, 600000);
		break;
	case ARGP_KEY_ARG:
		if (arguments->path != NULL)
			argp_usage(state);
		arguments->path = text;
		break;
	case ARGP_KEY_END:
		if (arguments->path == NULL)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "cache", 'c', "KIND", 0, "regions (default), or default: SQLite's own", 0 },
	{ "backing", 'b', "KIND", 0,
	  "Where regions live: anon, file (default: file for :memory:, anon for files)", 0 },
	{ "cache-size", KEY_CACHE_SIZE, "BYTES", 0, "Of each connection (default: SQLite's 2000K)",
	  0 },
	{ "pragma", KEY_PRAGMA, "SQL", 0, "Run in each connection before the steps", 0 },
	{ "rows", 'n', "ROWS", 0, "Rows to begin with, some 300 bytes each (default: 100K)", 0 },
	{ "steps", KEY_STEPS, "LIST", 0, "Only these, with commas (default: all)", 0 },
	{ "seed", KEY_SEED, "NUMBER", 0, "Of the random numbers (default: 1)", 0 },
	{ "threads", 't', "THREADS", 0,
	  "So many at once, each with a database of its own: FILE, FILE.1, … (default: 1)", 0 },
	{ "settle", KEY_SETTLE, "MS", 0,
	  "Look at the memory again so long after it was given back (default: 0)", 0 },
	{ "check", KEY_CHECK, NULL, 0, "PRAGMA integrity_check at the end", 0 },
	{ 0 },
};

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Runs a database workload with SQLite's page cache in regions. FILE is a new database, or "
	       ":memory:.\vExit status: 0; 1 something failed; 2 wrong usage. The environment's LGALLOC_CONF "
	       "counts unless --backing is given.",
};

/* --- time and memory ------------------------------------------------------------------------------------------- */

static double resident_mib(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static double resident_mib_max(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static double processor_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void sleep_ms(unsigned ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) != 0)
		continue;
}

/* --- connections -------------------------------------------------------------------------------------- */

static int fail(struct connection *connection, const char *what)
{
	fprintf(stderr, "sqlite_pcache: %s: %s\n", what, sqlite3_errmsg(connection->workload.db));
	return -1;
}

static int open_database(struct connection *connection)
{
	const struct arguments *arguments = connection->arguments;
	bool in_memory = strcmp(arguments->path, ":memory:") == 0;
	char path[PATH_BYTES_MAX], text[64];

	if (connection->number == 0 || in_memory)
		snprintf(path, sizeof(path), "%s", arguments->path);
	else
		snprintf(path, sizeof(path), "%s.%u", arguments->path, connection->number);
	if (sqlite3_open(path, &connection->workload.db) != SQLITE_OK)
		return fail(connection, path);
	if (arguments->cache_bytes > 0) {
		snprintf(text, sizeof(text), "PRAGMA cache_size=-%" PRIu64,
			 arguments->cache_bytes >> 10);
		sqlite3_exec(connection->workload.db, text, NULL, NULL, NULL);
	}
	if (arguments->pragma != NULL &&
	    sqlite3_exec(connection->workload.db, arguments->pragma, NULL, NULL, NULL) != SQLITE_OK)
		return fail(connection, arguments->pragma);
	return 0;
}

static int check_database(struct connection *connection)
{
	sqlite3_stmt *statement = NULL;
	bool sound = sqlite3_prepare_v2(connection->workload.db, "PRAGMA integrity_check", -1,
					&statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW &&
		     strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;

	if (!sound)
		fprintf(stderr, "sqlite_pcache: integrity_check: %s\n",
			statement != NULL ? (const char *)sqlite3_column_text(statement, 0) :
					    sqlite3_errmsg(connection->workload.db));
	sqlite3_finalize(statement);
	return sound ? 0 : -1;
}

static void *work(void *argument)
{
	struct connection *connection = argument;

	connection->result = open_database(connection);
	if (connection->result == 0)
		connection->result = workload_run(&connection->workload);
	if (connection->result == 0 && connection->arguments->check)
		connection->result = check_database(connection);
	return NULL;
}

static int run_all(const struct arguments *arguments, struct connection *connections)
{
	int result = 0;

	for (unsigned i = 0; i < arguments->threads; i++) {
		connections[i] = (struct connection){
			.arguments = arguments,
			.workload = arguments->workload,
			.number = i,
		};
		connections[i].workload.seed += i;
		connections[i].workload.quiet = arguments->threads > 1;
		int error = pthread_create(&connections[i].thread, NULL, work, &connections[i]);
		if (error != 0) {
			fprintf(stderr, "sqlite_pcache: thread %u: %s\n", i, strerror(error));
			exit(EXIT_FAILURE);
		}
	}
	for (unsigned i = 0; i < arguments->threads; i++) {
		pthread_join(connections[i].thread, NULL);
		result |= connections[i].result;
	}
	return result;
}

static void report(const struct arguments *arguments, struct connection *connections)
{
	double seconds = 0;
	uint64_t sum = 0, rows = 0;

	for (unsigned i = 0; i < arguments->threads; i++) {
		const struct workload *workload = &connections[i].workload;

		seconds = workload->seconds > seconds ? workload->seconds : seconds;
		sum ^= workload->answers.sum;
		rows += workload->answers.rows;
	}
	printf("total    %9.1f ms, %.1f of processor time\n", seconds * 1e3, processor_ms());
	printf("answers  %016" PRIx64 " of %" PRIu64 " rows\n", sum, rows);
	printf("resident %9.1f MiB, at most %.1f\n", resident_mib(), resident_mib_max());
	for (unsigned i = 0; i < arguments->threads; i++)
		sqlite3_db_release_memory(connections[i].workload.db);
	sleep_ms(arguments->settle_ms);
	printf("released %9.1f MiB, %u ms after it\n", resident_mib(), arguments->settle_ms);
	/* When told: both allocators have a call for that. */
	if (strcmp(arguments->cache, "regions") == 0)
		lg_trim();
	else
		malloc_trim(0);
	printf("trimmed  %9.1f MiB\n", resident_mib());
}

static void choose_cache(struct arguments *arguments)
{
	char text[32];
	int result;

	if (strcmp(arguments->cache, "default") == 0)
		return;
	if (arguments->backing == NULL && getenv("LGALLOC_CONF") == NULL)
		arguments->backing = strcmp(arguments->path, ":memory:") == 0 ? "file" : "anon";
	snprintf(text, sizeof(text), "backing:%s", arguments->backing);
	if (arguments->backing != NULL && lg_configure(text) != 0) {
		fprintf(stderr, "sqlite_pcache: %s\n", lg_error());
		exit(EXIT_FAILURE);
	}
	result = lg_pcache_install();
	if (result != SQLITE_OK) {
		fprintf(stderr, "sqlite_pcache: page cache: %s\n", sqlite3_errstr(result));
		exit(EXIT_FAILURE);
	}
}

int main(int count, char **words)
{
	static struct connection connections[THREADS_MAX];
	struct arguments arguments = {
		.cache = "regions",
		.workload = { .rows = 100 << 10, .seed = 1 },
		.threads = 1,
	};
	int result;

	argp_err_exit_status = 2;
	argp_parse(&parser, count, words, 0, NULL, &arguments);
	choose_cache(&arguments);
	result = run_all(&arguments, connections);
	if (result == 0)
		report(&arguments, connections);
	for (unsigned i = 0; i < arguments.threads; i++)
		sqlite3_close(connections[i].workload.db);
	return result == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
