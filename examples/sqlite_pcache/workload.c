/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BATCH = 10000 };

/* --- statements: each returns 0, or -1 and leaves its message in the connection -------------------- */

static uint64_t next_random(struct workload *workload)
{
	uint64_t z = workload->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static int64_t below(struct workload *workload, int64_t limit)
{
	return (int64_t)(next_random(workload) % (uint64_t)limit);
}

static int execute(struct workload *workload, const char *text)
{
	return sqlite3_exec(workload->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static sqlite3_stmt *prepare(struct workload *workload, const char *text)
{
	sqlite3_stmt *statement = NULL;

	sqlite3_prepare_v2(workload->db, text, -1, &statement, NULL);
	return statement;
}

/* Runs to the end, adding every row to the answers; ready for the next values afterwards. */
static int finish(struct workload *workload, sqlite3_stmt *statement)
{
	while (sqlite3_step(statement) == SQLITE_ROW)
		answers_add(&workload->answers, statement);
	return sqlite3_reset(statement) == SQLITE_OK ? 0 : -1;
}

static int ask(struct workload *workload, const char *text)
{
	sqlite3_stmt *statement = prepare(workload, text);
	int result = statement != NULL ? finish(workload, statement) : -1;

	sqlite3_finalize(statement);
	return result;
}

/*
 * `times` runs of a statement, in transactions of BATCH. Its ?1 is a number from 1 to the rows (in order: the
 * run's), ?2 a random key.
 */
static int repeat(struct workload *workload, const char *text, int64_t times, bool in_order)
{
	sqlite3_stmt *statement = prepare(workload, text);
	int result = statement != NULL ? 0 : -1;

	for (int64_t i = 0; i < times && result == 0; i++) {
		if (i % BATCH == 0)
			result = execute(workload, i == 0 ? "BEGIN" : "COMMIT; BEGIN");
		int64_t row = in_order ? i + 1 : 1 + below(workload, workload->rows);
		sqlite3_bind_int64(statement, 1, row);
		if (sqlite3_bind_parameter_count(statement) > 1)
			sqlite3_bind_int64(statement, 2, (int64_t)(next_random(workload) >> 33));
		if (result == 0)
			result = finish(workload, statement);
	}
	sqlite3_finalize(statement);
	return result == 0 ? execute(workload, "COMMIT") : -1;
}

/* --- steps ------------------------------------------------------------------------------------------- */

static int fill(struct workload *workload)
{
	/* The filler's length and text follow from the row: no random() of SQLite's, which nobody can repeat. */
	return execute(workload,
		       "CREATE TABLE item(id INTEGER PRIMARY KEY, key INTEGER, name TEXT, "
		       "share REAL, filler TEXT)") == 0 &&
			       repeat(workload,
				      "INSERT INTO item VALUES(?1, ?2, printf('name %d of %d', ?2 % "
				      "10007, ?1), ?2 / 1024.0, printf('%.*c', 100 + ?2 % 250, 'x'))",
				      workload->rows, true) == 0 ?
		       0 :
		       -1;
}

static int make_indexes(struct workload *workload)
{
	return execute(workload, "CREATE INDEX item_key ON item(key);"
				 "CREATE INDEX item_name ON item(name, share)");
}

static int find_rows(struct workload *workload)
{
	return repeat(workload, "SELECT * FROM item WHERE id = ?1", workload->rows, false);
}

static int find_ranges(struct workload *workload)
{
	return repeat(
		workload,
		"SELECT count(*), sum(share), max(name) FROM (SELECT * FROM item INDEXED BY item_key WHERE key >= ?2 "
		"ORDER BY key LIMIT 50 + ?1 % 50)",
		workload->rows / 50, false);
}

static int join(struct workload *workload)
{
	return repeat(
		workload,
		"SELECT a.id, count(b.id), avg(b.share) FROM item a JOIN item b INDEXED BY item_name ON b.name >= a.name "
		"AND b.name < a.name || '~' WHERE a.id BETWEEN ?1 AND ?1 + 20 GROUP BY a.id",
		workload->rows / 100, false);
}

static int sort(struct workload *workload)
{
	return ask(workload,
		   "SELECT id, share FROM item WHERE id % 4 = 1 ORDER BY filler, share DESC, id");
}

static int change(struct workload *workload)
{
	return repeat(workload,
		      "UPDATE item SET share = ?2 / 7.0, filler = printf('%.*c', ?2 % 400, 'y') "
		      "WHERE id = ?1",
		      workload->rows / 3, false) == 0 &&
			       repeat(workload,
				      "UPDATE item INDEXED BY item_key SET key = key + 1 WHERE key BETWEEN ?2 "
				      "AND ?2 + 1000000",
				      workload->rows / 100, false) == 0 ?
		       0 :
		       -1;
}

/* Every second nest of changes is undone, in one large transaction that is undone itself, and again in parts. */
static int undo(struct workload *workload)
{
	char text[512];
	int64_t part = workload->rows / 20 + 1;

	if (execute(workload, "BEGIN; UPDATE item SET filler = filler || 'lost' WHERE id % 3 = 0;"
			      "DELETE FROM item WHERE id % 7 = 0; ROLLBACK; BEGIN") != 0)
		return -1;
	for (int i = 0; i < 20; i++) {
		int64_t first = 1 + below(workload, workload->rows);

		snprintf(
			text, sizeof(text),
			"SAVEPOINT outer; UPDATE item SET share = share + %d WHERE id BETWEEN %lld AND %lld;"
			"SAVEPOINT inner; DELETE FROM item WHERE id BETWEEN %lld AND %lld;"
			"%s inner; RELEASE outer",
			i, (long long)first, (long long)(first + part), (long long)first,
			(long long)(first + part / 4), i % 2 ? "ROLLBACK TO" : "RELEASE");
		if (execute(workload, text) != 0)
			return -1;
	}
	return execute(workload, "COMMIT");
}

static int keep_blobs(struct workload *workload)
{
	if (execute(workload, "CREATE TABLE attachment(item INTEGER, bytes BLOB)") != 0 ||
	    repeat(workload,
		   "INSERT INTO attachment VALUES(?1 * 100, CAST(printf('%.*c', ?2 % 100000, 'z') || ?2 "
		   "AS BLOB))",
		   workload->rows / 200 + 1, true) != 0)
		return -1;
	return ask(workload, "SELECT item, bytes FROM attachment WHERE item % 3 = 0") == 0 ?
		       ask(workload, "SELECT sum(length(bytes)) FROM attachment") :
		       -1;
}

static int delete_rows(struct workload *workload)
{
	return execute(workload, "BEGIN; DELETE FROM item WHERE id % 5 = 2; COMMIT;"
				 "DELETE FROM item WHERE key % 11 = 4") == 0 ?
		       repeat(workload, "DELETE FROM item WHERE id = ?1", workload->rows / 10,
			      false) :
		       -1;
}

static int vacuum(struct workload *workload)
{
	return execute(workload, "VACUUM");
}

/* Everything there is, through the table and through each index: what got lost anywhere shows here. */
static int read_all(struct workload *workload)
{
	return ask(workload, "SELECT * FROM item ORDER BY id") == 0 &&
			       ask(workload,
				   "SELECT key, id FROM item INDEXED BY item_key ORDER BY key, id") ==
				       0 &&
			       ask(workload,
				   "SELECT count(name), total(share) FROM item INDEXED BY item_name "
				   "WHERE name > ''") == 0 ?
		       0 :
		       -1;
}

#define STEPS(X)                                                                                   \
	X(fill, fill)                                                                              \
	X(index, make_indexes)                                                                     \
	X(find, find_rows)                                                                         \
	X(range, find_ranges)                                                                      \
	X(join, join)                                                                              \
	X(sort, sort)                                                                              \
	X(change, change)                                                                          \
	X(undo, undo)                                                                              \
	X(blob, keep_blobs)                                                                        \
	X(delete, delete_rows)                                                                     \
	X(vacuum, vacuum)                                                                          \
	X(all, read_all)

static const struct step {
	const char *name;
	int (*run)(struct workload *workload);
} steps[] = {
#define STEP(name, run) { #name, run },
	STEPS(STEP)
#undef STEP
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

const char *workload_steps(void)
{
#define STEP(name, run) "," #name
	return &STEPS(STEP)[1];
#undef STEP
}

/* --- running them ------------------------------------------------------------------------------------ */

static const struct step *step_named(const char *name, size_t length)
{
	for (int i = 0; i < STEP_COUNT; i++)
		if (strlen(steps[i].name) == length && memcmp(steps[i].name, name, length) == 0)
			return &steps[i];
	return NULL;
}

bool workload_knows(const char *list, const char **wrong)
{
	for (;; list++) {
		size_t length = strcspn(list, ",");

		*wrong = list;
		if (step_named(list, length) == NULL)
			return false;
		list += length;
		if (*list == '\0')
			return true;
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int run_step(struct workload *workload, const struct step *step)
{
	double begin = now();

	if (step->run(workload) != 0) {
		fprintf(stderr, "sqlite_pcache: step %s failed: %s\n", step->name,
			sqlite3_errmsg(workload->db));
		return -1;
	}
	double seconds = now() - begin;
	workload->seconds += seconds;
	if (!workload->quiet) {
		printf("%-8s %9.1f ms\n", step->name, seconds * 1e3);
		fflush(stdout); /* the next step may be the last thing this process does */
	}
	return 0;
}

int workload_run(struct workload *workload)
{
	const char *list = workload->steps != NULL ? workload->steps : workload_steps();

	workload->random = workload->seed;
	workload->seconds = 0;
	for (;; list++) {
		size_t length = strcspn(list, ",");

		if (run_step(workload, step_named(list, length)) != 0)
			return -1;
		list += length;
		if (*list == '\0')
			return 0;
	}
}
