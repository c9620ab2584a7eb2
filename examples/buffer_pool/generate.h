/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A SQLite file from nothing, written in one pass from the leaves up: a table
 *     (id INTEGER PRIMARY KEY, name TEXT, number INTEGER, share REAL, data BLOB)
 * whose row `rowid` is known to both the writer and whoever reads it. `data` is short but in every 100th
 * row, where it runs over some pages.
 */
#ifndef BUFFER_POOL_GENERATE_H
#define BUFFER_POOL_GENERATE_H

#include <stddef.h>
#include <stdint.h>

enum { GENERATE_ROW_BYTES_MAX = 32 << 10 };
#define GENERATE_ROWS_MAX ((int64_t)1 << 40)

/* The record of row `rowid` (from 1), as it is in the file; returns its bytes. */
size_t generate_row(int64_t rowid, unsigned char row[GENERATE_ROW_BYTES_MAX]);

/* Rows 1 … rows. 0, or -1 after a message, and then there is no file. */
int generate_database(const char *path, const char *table, int64_t rows);

#endif
