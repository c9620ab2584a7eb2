/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "generate.h"

#include "bytes.h"
#include "database.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, LOCAL_MAX = PAGE - 35, LOCAL_MIN = (PAGE - 12) * 32 / 255 - 23 };
enum { LEVELS_MAX = 8, CELL_MAX = 2 + 4 + 9, FANOUT = (PAGE - 12) / CELL_MAX };

/* A page that children are added to. It is written when it has so many that two stay for the next. */
struct level {
	uint32_t children[FANOUT + 2];
	int64_t last_rowids[FANOUT + 2];
	uint32_t count;
};

struct writer {
	FILE *file;
	uint32_t page_count;
	unsigned char leaf[PAGE];
	uint32_t leaf_cells, leaf_start; /* cells are put from the page's end downwards */
	int64_t leaf_last;
	struct level levels[LEVELS_MAX]; /* 0: above the leaves */
};

static uint64_t hash_of(uint64_t key)
{
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
	key = (key ^ key >> 27) * 0x94d049bb133111ebu;
	return key ^ key >> 31;
}

size_t generate_row(int64_t rowid, unsigned char row[GENERATE_ROW_BYTES_MAX])
{
	uint64_t random = hash_of((uint64_t)rowid);
	double share = (double)(random % 1024) + 0.125;
	size_t data_bytes = rowid % 100 == 0 ? 3000 + random % 20000 : random % 60;
	size_t header = 1, at;
	char name[32];
	size_t name_bytes = (size_t)snprintf(name, sizeof(name), "row %" PRId64 "'s name", rowid);
	uint64_t bits;

	row[header++] = 0; /* id: NULL, as it is the rowid */
	header += bytes_put_varint(row + header, 13 + 2 * name_bytes);
	row[header++] = 6; /* number: 8 bytes */
	row[header++] = 7; /* share: a double */
	header += bytes_put_varint(row + header, 12 + 2 * data_bytes);
	row[0] = (unsigned char)header;
	at = header;
	memcpy(row + at, name, name_bytes);
	at += name_bytes;
	bytes_put4(row + at, (uint32_t)(random >> 32));
	bytes_put4(row + at + 4, (uint32_t)random);
	memcpy(&bits, &share, sizeof(bits));
	bytes_put4(row + at + 8, (uint32_t)(bits >> 32));
	bytes_put4(row + at + 12, (uint32_t)bits);
	at += 16;
	for (size_t i = 0; i < data_bytes; i++)
		row[at++] = (unsigned char)(random >> i % 7 * 8) ^ (unsigned char)i;
	return at;
}

/* Appends a page; its number, or 0: errno says why. */
static uint32_t put_page(struct writer *writer, const unsigned char page[PAGE])
{
	static const unsigned char unused[PAGE];

	if (writer->page_count == DATABASE_LOCK_BYTE / PAGE) {
		if (fwrite(unused, PAGE, 1, writer->file) != 1)
			return 0;
		writer->page_count++;
	}
	if (fwrite(page, PAGE, 1, writer->file) != 1)
		return 0;
	return ++writer->page_count;
}

/* Writes the first `count` children of a level as one page and tells the level above. */
static int put_interior(struct writer *writer, unsigned number, uint32_t count);

static int add_child(struct writer *writer, unsigned number, uint32_t page, int64_t last_rowid)
{
	struct level *level = &writer->levels[number];

	level->children[level->count] = page;
	level->last_rowids[level->count++] = last_rowid;
	return level->count == FANOUT + 2 ? put_interior(writer, number, FANOUT) : 0;
}

static int put_interior(struct writer *writer, unsigned number, uint32_t count)
{
	struct level *level = &writer->levels[number];
	unsigned char page[PAGE] = { 0x05 };
	uint32_t start = PAGE, last = count - 1, number_of_page;
	int64_t last_rowid = level->last_rowids[last];

	for (uint32_t i = 0; i < last; i++) {
		unsigned char cell[CELL_MAX];
		size_t length = 4 + bytes_put_varint(cell + 4, (uint64_t)level->last_rowids[i]);

		bytes_put4(cell, level->children[i]);
		start -= (uint32_t)length;
		memcpy(page + start, cell, length);
		bytes_put2(page + 12 + 2 * i, start);
	}
	bytes_put2(page + 3, last);
	bytes_put2(page + 5, start);
	bytes_put4(page + 8, level->children[last]);
	number_of_page = put_page(writer, page);
	if (number_of_page == 0)
		return -1;
	level->count -= count;
	memmove(level->children, level->children + count,
		level->count * sizeof(level->children[0]));
	memmove(level->last_rowids, level->last_rowids + count,
		level->count * sizeof(level->last_rowids[0]));
	return add_child(writer, number + 1, number_of_page, last_rowid);
}

static void start_leaf(struct writer *writer)
{
	memset(writer->leaf, 0, PAGE);
	writer->leaf[0] = 0x0d;
	writer->leaf_cells = 0;
	writer->leaf_start = PAGE;
}

static int put_leaf(struct writer *writer)
{
	uint32_t page;

	bytes_put2(writer->leaf + 3, writer->leaf_cells);
	bytes_put2(writer->leaf + 5, writer->leaf_start);
	page = put_page(writer, writer->leaf);
	start_leaf(writer);
	return page != 0 ? add_child(writer, 0, page, writer->leaf_last) : -1;
}

/* The part of a row that is not in its leaf; the pages are one after the other. */
static int put_overflow(struct writer *writer, const unsigned char *row, size_t count)
{
	while (count > 0) {
		unsigned char page[PAGE] = { 0 };
		size_t here = count < PAGE - 4 ? count : PAGE - 4;
		uint32_t next = writer->page_count + 2;

		/* The page after this one, unless that is the one never used. */
		if (writer->page_count == DATABASE_LOCK_BYTE / PAGE ||
		    writer->page_count + 1 == DATABASE_LOCK_BYTE / PAGE)
			next++;
		bytes_put4(page, count > here ? next : 0);
		memcpy(page + 4, row, here);
		if (put_page(writer, page) == 0)
			return -1;
		row += here;
		count -= here;
	}
	return 0;
}

static int put_row(struct writer *writer, int64_t rowid)
{
	unsigned char row[GENERATE_ROW_BYTES_MAX], head[18];
	size_t count = generate_row(rowid, row), local = count, head_bytes, cell_bytes;

	head_bytes = bytes_put_varint(head, count);
	head_bytes += bytes_put_varint(head + head_bytes, (uint64_t)rowid);
	if (count > LOCAL_MAX) {
		local = LOCAL_MIN + (count - LOCAL_MIN) % (PAGE - 4);
		local = local <= LOCAL_MAX ? local : LOCAL_MIN;
	}
	cell_bytes = head_bytes + local + (local < count ? 4 : 0);
	if (8 + 2 * (writer->leaf_cells + 1) + cell_bytes > writer->leaf_start &&
	    put_leaf(writer) != 0)
		return -1;
	writer->leaf_start -= (uint32_t)cell_bytes;
	bytes_put2(writer->leaf + 8 + 2 * writer->leaf_cells++, writer->leaf_start);
	unsigned char *cell = writer->leaf + writer->leaf_start;
	memcpy(cell, head, head_bytes);
	memcpy(cell + head_bytes, row, local);
	writer->leaf_last = rowid;
	if (local == count)
		return 0;
	uint32_t first = writer->page_count + 1;
	bytes_put4(cell + head_bytes + local,
		   first == DATABASE_LOCK_BYTE / PAGE + 1 ? first + 1 : first);
	return put_overflow(writer, row + local, count - local);
}

/* What is left on each level, upwards, until one page has all: the root. 0: it could not be written. */
static uint32_t put_rest(struct writer *writer)
{
	unsigned number = 0;

	if (put_leaf(writer) != 0)
		return 0;
	for (; writer->levels[number].count > 1 || writer->levels[number + 1].count > 0; number++)
		if (put_interior(writer, number, writer->levels[number].count) != 0)
			return 0;
	return writer->levels[number].children[0];
}

/* Page 1: the file's header, and sqlite_schema with its one row. */
static int put_first_page(struct writer *writer, const char *table, uint32_t root)
{
	static const unsigned char versions[] = { 1, 1, 0, 64, 32, 32 };
	unsigned char page[PAGE] = "SQLite format 3", row[512];
	char sql[256];
	size_t name_bytes = strlen(table), sql_bytes, count = 1, head_bytes;
	unsigned char head[10], *cell;

	sql_bytes = (size_t)snprintf(
		sql, sizeof(sql),
		"CREATE TABLE %s(id INTEGER PRIMARY KEY, name TEXT, number INTEGER, "
		"share REAL, data BLOB)",
		table);
	bytes_put2(page + 16, PAGE);
	memcpy(page + 18, versions, sizeof(versions));
	bytes_put4(page + 24, 1); /* changes, and at 92 the same: the page count is valid */
	bytes_put4(page + 28, writer->page_count);
	bytes_put4(page + 40, 1);
	bytes_put4(page + 44, 4); /* format of the schema */
	bytes_put4(page + 56, 1); /* UTF-8 */
	bytes_put4(page + 92, 1);
	bytes_put4(page + 96, 3040000); /* the SQLite version whose rules are followed */
	row[count++] = 13 + 2 * 5;
	count += bytes_put_varint(row + count, 13 + 2 * name_bytes);
	count += bytes_put_varint(row + count, 13 + 2 * name_bytes);
	row[count++] = 4;
	count += bytes_put_varint(row + count, 13 + 2 * sql_bytes);
	row[0] = (unsigned char)count;
	count += (size_t)sprintf((char *)row + count, "table%s%s", table, table);
	bytes_put4(row + count, root);
	memcpy(row + count + 4, sql, sql_bytes);
	count += 4 + sql_bytes;
	page[100] = 0x0d;
	bytes_put2(page + 103, 1);
	head_bytes = bytes_put_varint(head, count);
	head[head_bytes++] = 1; /* the rowid */
	cell = page + PAGE - head_bytes - count;
	bytes_put2(page + 105, (uint32_t)(cell - page));
	bytes_put2(page + 108, (uint32_t)(cell - page));
	memcpy(cell, head, head_bytes);
	memcpy(cell + head_bytes, row, count);
	rewind(writer->file);
	return fwrite(page, PAGE, 1, writer->file) == 1 && fflush(writer->file) == 0 ? 0 : -1;
}

static int put_database(struct writer *writer, const char *table, int64_t rows)
{
	static const unsigned char first[PAGE];
	uint32_t root;

	start_leaf(writer);
	if (put_page(writer, first) == 0)
		return -1;
	for (int64_t rowid = 1; rowid <= rows; rowid++)
		if (put_row(writer, rowid) != 0)
			return -1;
	root = put_rest(writer);
	return root != 0 ? put_first_page(writer, table, root) : -1;
}

int generate_database(const char *path, const char *table, int64_t rows)
{
	static struct writer writer; /* some 30 KiB, once */
	int error;

	for (const char *c = table; *c != '\0'; c++)
		if (!isalpha((unsigned char)*c) && *c != '_')
			return database_fail(table, "may have letters and _ only", 0);
	if (strlen(table) == 0 || strlen(table) > 60)
		return database_fail(table, "must have 1 to 60 letters", 0);
	writer.file = fopen(path, "wxe");
	if (writer.file == NULL)
		return database_fail(path, "cannot create", errno);
	error = put_database(&writer, table, rows) != 0 ? errno : 0;
	if (fclose(writer.file) != 0 && error == 0)
		error = errno;
	if (error == 0)
		return 0;
	if (unlink(path) != 0)
		database_fail(path, "cannot remove what was written", errno);
	return database_fail(path, "cannot write", error);
}
