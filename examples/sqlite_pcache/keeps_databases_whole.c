/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Goal: no database is damaged when regions cannot be had, nor by threads with a connection each.
 * Oracle: a failure is SQLITE_NOMEM and the transaction is as if it had never been; PRAGMA integrity_check; money
 * that threads move between accounts stays the same in sum.
 *
 *     keeps_databases_whole DIRECTORY
 */
#include "requirement.h"
#include "sqlite_pcache.h"

#include <lgalloc/lgalloc.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- regions that cannot be had -------------------------------------------------------------------------- */

static int granted = -1; /* so many more are granted, then none; negative: no end */
static int refusals;

static bool refuse(void)
{
	if (granted < 0 || granted-- > 0)
		return false;
	granted = 0;
	refusals++;
	errno = ENOMEM;
	return true;
}

/* In front of the library's, which they call. */
lg_region *lg_region_new(size_t bytes)
{
	lg_region *(*next)(size_t);

	*(void **)&next = dlsym(RTLD_NEXT, "lg_region_new");
	return refuse() ? NULL : next(bytes);
}

void *lg_calloc(size_t count, size_t bytes)
{
	void *(*next)(size_t, size_t);

	*(void **)&next = dlsym(RTLD_NEXT, "lg_calloc");
	return refuse() ? NULL : next(count, bytes);
}

/* --- databases --------------------------------------------------------------------------------------------- */

static sqlite3 *open_database(const char *path, int more_flags)
{
	sqlite3 *db = NULL;
	int result = sqlite3_open_v2(
		path, &db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | more_flags, NULL);

	REQUIRE(result == SQLITE_OK, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, 60000);
	return db;
}

static int attempt(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static void execute(sqlite3 *db, const char *text)
{
	REQUIRE(attempt(db, text) == SQLITE_OK, "%s: %s", text, sqlite3_errmsg(db));
}

static int64_t number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement = NULL;

	REQUIRE(sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK, "%s: %s", text,
		sqlite3_errmsg(db));
	REQUIRE(sqlite3_step(statement) == SQLITE_ROW, "%s: %s", text, sqlite3_errmsg(db));
	int64_t value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static void check_sound(sqlite3 *db)
{
	REQUIRE(number(db,
		       "SELECT count(*) = 1 AND max(integrity_check) = 'ok' FROM pragma_integrity_check") ==
			1,
		"the database is damaged");
}

/* --- no memory ----------------------------------------------------------------------------------------------- */

static const char changes[] =
	"BEGIN; UPDATE t SET a = a + 1, b = b || 'longer'; SAVEPOINT s; DELETE FROM t WHERE a % 3 = 0;"
	"INSERT INTO t SELECT a + 100000, zeroblob(3000) FROM t WHERE a % 5 = 1;"
	"CREATE TEMP TABLE u AS SELECT * FROM t WHERE a % 2; DROP TABLE u; ROLLBACK TO s;"
	"CREATE INDEX i ON t(b); DROP INDEX i; COMMIT";

/* The changes with so many regions granted. True: it failed, and then nothing must have changed. */
static bool survive(sqlite3 *db, const char *text, int grant)
{
	int64_t sum = number(db, "SELECT total(a) + total(length(b)) FROM t");
	int result;

	sqlite3_db_release_memory(db);
	granted = grant;
	result = attempt(db, text);
	granted = -1;
	if (result != SQLITE_OK) {
		REQUIRE((result & 0xff) == SQLITE_NOMEM, "with %d regions: %s", grant,
			sqlite3_errmsg(db));
		if (!sqlite3_get_autocommit(db))
			execute(db, "ROLLBACK");
		REQUIRE(number(db, "SELECT total(a) + total(length(b)) FROM t") == sum,
			"with %d regions: a failed transaction left something", grant);
	}
	check_sound(db);
	return result != SQLITE_OK;
}

static void run_out_of_memory(const char *path, const char *setting)
{
	int failed = 0;

	for (int grant = 0; grant < 200; grant++) {
		sqlite3 *db = open_database(path, 0);

		execute(db, setting);
		execute(db, "PRAGMA synchronous=off");
		execute(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
		execute(db,
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
			"INSERT INTO t SELECT i * 7, zeroblob(100 + i % 500) FROM n");
		refusals = 0;
		failed += survive(db, changes, grant);
		int refused = refusals;
		failed += survive(db, "VACUUM", grant);
		sqlite3_close(db);
		unlink(path);
		if (refused + refusals == 0)
			break;
		REQUIRE(grant < 199, "%s: still refused after %d regions", path, grant);
	}
	REQUIRE(failed > 0, "%s: nothing ever failed", path);
	printf("%s, %s: %d failures, nothing lost\n", path, setting, failed);
}

/* --- threads --------------------------------------------------------------------------------------------------- */

enum { THREADS = 4, TRANSFERS = 400, ACCOUNTS = 2000 };

struct bank {
	const char *path;
	int flags;
	unsigned number;
	pthread_t thread;
};

/* One of several statements may find the database locked: then all begin again. */
static bool transfer(sqlite3 *db, unsigned from, unsigned to, bool keep)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "BEGIN IMMEDIATE; UPDATE account SET money = money - 7 WHERE id = %u;"
		 "UPDATE account SET money = money + 7 WHERE id = %u; %s",
		 from, to, keep ? "COMMIT" : "ROLLBACK");
	int result = attempt(db, text);
	if (result == SQLITE_OK)
		return true;
	REQUIRE((result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED, "%s: %s", text,
		sqlite3_errmsg(db));
	if (!sqlite3_get_autocommit(db))
		attempt(db, "ROLLBACK");
	return false;
}

static bool look(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, "SELECT sum(money) FROM account", -1, &statement, NULL);

	if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
		REQUIRE(sqlite3_column_int64(statement, 0) == ACCOUNTS * 100, "money came or went");
		sqlite3_finalize(statement);
		return true;
	}
	sqlite3_finalize(statement);
	return false;
}

static void *move_money(void *argument)
{
	struct bank *bank = argument;
	sqlite3 *db = open_database(bank->path, bank->flags);
	unsigned random = bank->number + 1;

	execute(db, "PRAGMA cache_size=20; PRAGMA synchronous=off");
	for (unsigned i = 0; i < TRANSFERS; i++) {
		random = random * 1103515245 + 12345;
		while (!transfer(db, random >> 8 & 1023, random >> 19 & 1023, i % 4 != 0))
			sched_yield();
		if (i % 16 == 0)
			while (!look(db))
				sched_yield();
		if (i % 64 == 0)
			sqlite3_db_release_memory(db);
	}
	sqlite3_close(db);
	return NULL;
}

static void share(const char *path, int flags, const char *setting)
{
	struct bank banks[THREADS];
	sqlite3 *db = open_database(path, flags);

	execute(db, setting);
	execute(db, "PRAGMA synchronous=off");
	execute(db, "CREATE TABLE account(id INTEGER PRIMARY KEY, money, notes)");
	execute(db, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)"
		    "INSERT INTO account SELECT i, 100, zeroblob(200) FROM n");
	for (unsigned i = 0; i < THREADS; i++) {
		banks[i] = (struct bank){ .path = path, .flags = flags, .number = i };
		REQUIRE(pthread_create(&banks[i].thread, NULL, move_money, &banks[i]) == 0,
			"thread %u", i);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(banks[i].thread, NULL);
	REQUIRE(look(db), "%s", sqlite3_errmsg(db));
	check_sound(db);
	sqlite3_close(db);
	printf("%s, %s: %d transfers by %d threads\n", path, setting, THREADS * TRANSFERS, THREADS);
}

static uint64_t bytes_in_use(void)
{
	struct lg_stats stats;

	lg_stats_read(&stats);
	return stats.in_use_bytes;
}

int main(int count, char **words)
{
	REQUIRE(count == 2 && chdir(words[1]) == 0, "usage: keeps_databases_whole DIRECTORY");
	REQUIRE(lg_pcache_install() == SQLITE_OK, "before SQLite's first use");
	run_out_of_memory("small.db", "PRAGMA page_size=1024; PRAGMA cache_size=100");
	run_out_of_memory(
		"large.db",
		"PRAGMA page_size=16384; PRAGMA cache_size=4000; PRAGMA journal_mode=wal");
	run_out_of_memory(":memory:", "PRAGMA page_size=4096");
	share("wal.db", 0, "PRAGMA journal_mode=wal");
	share("rollback.db", 0, "PRAGMA journal_mode=truncate");
	share("file:shared?mode=memory&cache=shared", 0, "PRAGMA cache_size=50");
	REQUIRE(bytes_in_use() == 0, "%llu bytes are left", (unsigned long long)bytes_in_use());
	sqlite3_shutdown();
	return 0;
}
