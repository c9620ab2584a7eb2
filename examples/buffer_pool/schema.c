/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "record.h"
#include "table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { COLUMN_TYPE, COLUMN_NAME, COLUMN_TABLE, COLUMN_ROOT, COLUMNS };
enum { SCHEMA_ROOT = 1 };

static bool is_text(const struct value *value, const char *text)
{
	return value->kind == VALUE_TEXT && value->count == strlen(text) &&
	       strncasecmp((const char *)value->bytes, text, value->count) == 0;
}

/* The first columns of the row that was read last. 0, or -1. */
static int columns_of(struct reader *reader, struct value columns[COLUMNS])
{
	struct record record;

	if (record_open(&record, reader_row(reader), reader->count) != 0)
		goto broken;
	for (int i = 0; i < COLUMNS; i++)
		if (record_next(&record, &columns[i]) != 1)
			goto broken;
	return 0;

broken:
	reader->problem = "has a broken row of sqlite_schema";
	reader->page = SCHEMA_ROOT;
	reader->error = 0;
	return -1;
}

/* Tables without rowids are indexes in truth, and virtual ones have no page. */
static int check_root(struct reader *reader, int64_t page)
{
	struct frame *frame;
	unsigned char kind;
	const struct database *database = reader->database;

	if (page == 0)
		return database_fail(database->path, "the table is a virtual one", 0);
	if (page < 0 || page > database->page_count)
		return database_fail(database->path, "the table's root is not in the file", 0);
	int error = pool_pin(database->pool, (uint32_t)page, &frame);
	if (error != 0)
		return database_fail(database->path, "cannot read the table's root", -error);
	kind = frame->data[page == SCHEMA_ROOT ? DATABASE_HEADER_BYTES : 0];
	pool_unpin(database->pool, frame);
	if (kind == 0x02 || kind == 0x0a)
		return database_fail(database->path, "the table is a WITHOUT ROWID one", 0);
	return 0;
}

int table_root(struct reader *reader, const char *name, uint32_t *root)
{
	struct value columns[COLUMNS];
	int found;

	if (strcasecmp(name, "sqlite_schema") == 0 || strcasecmp(name, "sqlite_master") == 0) {
		*root = SCHEMA_ROOT;
		return 0;
	}
	for (int64_t rowid = INT64_MIN;; rowid = reader->rowid + 1) {
		found = table_next(reader, SCHEMA_ROOT, rowid);
		if (found == 0)
			break;
		if (found < 0 || columns_of(reader, columns) != 0)
			return reader_fail(reader);
		if (is_text(&columns[COLUMN_NAME], name) && is_text(&columns[COLUMN_TYPE], "view"))
			return database_fail(name, "is a view", 0);
		if (is_text(&columns[COLUMN_NAME], name) &&
		    is_text(&columns[COLUMN_TYPE], "table")) {
			if (check_root(reader, columns[COLUMN_ROOT].integer) != 0)
				return -1;
			*root = (uint32_t)columns[COLUMN_ROOT].integer;
			return 0;
		}
		if (reader->rowid == INT64_MAX)
			break;
	}
	fprintf(stderr, "buffer_pool: %s: has no table %s\n", reader->database->path, name);
	return -1;
}
