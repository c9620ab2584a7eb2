/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A record: a row's values as SQLite stores them (https://www.sqlite.org/fileformat2.html#record_format).
 *
 * The values are the file's. What SQLite adds from the table's declaration when it reads is not here: a
 * column declared INTEGER PRIMARY KEY is NULL in the record (it is the rowid), a whole number in a REAL
 * column is an integer, a column added later by ALTER TABLE is missing in older rows.
 */
#ifndef BUFFER_POOL_RECORD_H
#define BUFFER_POOL_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

struct value {
	enum value_kind kind;
	int64_t integer;
	double real;
	const unsigned char *bytes; /* of text (UTF-8) and blobs, inside the record */
	size_t count;
};

struct record {
	const unsigned char *types, *types_end;
	const unsigned char *body, *end;
};

/* 0, or -1: it is no record. */
int record_open(struct record *record, const unsigned char *bytes, size_t count);

/* 1 and the next value, 0 after the last, -1: the record is broken. */
int record_next(struct record *record, struct value *value);

/* As SQL literals, separated by commas, as SQLite's function quote() writes them. 0, or -1: broken. */
int record_print(FILE *stream, const unsigned char *bytes, size_t count);

#endif
