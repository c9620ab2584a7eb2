/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Point reads by several threads. Each returns 0, or -1 after a message. */
#ifndef BUFFER_POOL_READS_H
#define BUFFER_POOL_READS_H

#include "database.h"

#include <stdbool.h>

enum { READS_THREADS_MAX = 64 };

struct reads {
	const struct database *database;
	uint32_t root;
	unsigned threads;
};

/*
 * Prints the rows with these rowids, a line each, in the order given whatever thread read them: the rowid
 * and the values, as SQL. A rowid without a row is a message and the result -1, after all the others.
 */
int reads_get(const struct reads *reads, const int64_t *rowids, size_t count);

struct reads_load {
	uint64_t count;
	unsigned hot_percent; /* nine reads in ten go to this first part of the rowids */
	bool checked; /* the file is of --generate: compare every row with what it must be */
};

/* Reads rows at random between the first and the last rowid; prints rate and the pool's counters. */
int reads_measure(const struct reads *reads, const struct reads_load *load);

#endif
