/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A sum of all rows that queries returned, in their order: equal sums, equal answers. */
#ifndef SQLITE_PCACHE_ANSWERS_H
#define SQLITE_PCACHE_ANSWERS_H

#include <sqlite3.h>
#include <stdint.h>

struct answers {
	uint64_t sum;
	uint64_t rows;
};

/* Adds the row that `statement` stands on: types, lengths and bytes of its columns. */
void answers_add(struct answers *answers, sqlite3_stmt *statement);

#endif
