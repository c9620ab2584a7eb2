/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a database does all day, in steps: filling a table, making indexes, finding rows by key and by range,
 * joins and sums, sorting, changing, savepoints and rollback, large blobs, deleting, VACUUM.
 *
 * The same rows and seed give the same statements, and so the same answers and the same contents, whatever
 * the page cache.
 */
#ifndef SQLITE_PCACHE_WORKLOAD_H
#define SQLITE_PCACHE_WORKLOAD_H

#include "answers.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct workload {
	sqlite3 *db;
	int64_t rows; /* of the table, about 300 bytes each */
	uint64_t seed;
	const char *steps; /* names with commas between them; NULL: all, in their order */
	bool quiet;        /* no line for each step */
	struct answers answers;
	double seconds;  /* of all steps; filled in */
	uint64_t random; /* the generator's state */
};

/* True: every name in the list is one of a step. Otherwise *wrong is where the first other one begins. */
bool workload_knows(const char *steps, const char **wrong);

/* Names of all steps, with commas. */
const char *workload_steps(void);

/* 0, or -1 after one line on stderr that says which step failed, with SQLite's message. */
int workload_run(struct workload *workload);

#endif
