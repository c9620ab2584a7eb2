/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Rows by rowid: a descent of a table's b-tree, root to leaf, and on along the row's overflow pages
 * (https://www.sqlite.org/fileformat2.html, "B-tree Pages").
 *
 * One page is pinned at a time, as the pool asks for: a page's child, or the row's part on it, is copied
 * out before the page is let go. Nothing in the file is believed: every offset is checked against its
 * page, every page number against the file, every descent and chain has an end.
 */
#ifndef BUFFER_POOL_TABLE_H
#define BUFFER_POOL_TABLE_H

#include "database.h"

#include <lgalloc/lgalloc.h>

#include <stdint.h>

/* One thread's way to look: the row it found last, or why it could not. */
struct reader {
	const struct database *database;
	lg_region *region; /* holds the row; grows with the largest one */
	size_t count;      /* bytes of the row */
	int64_t rowid;
	const char *problem; /* after -1 */
	uint32_t page;       /* the page it was found on */
	int error;           /* an errno value, or 0 */
};

/* 0, or -1: no memory. */
int reader_open(struct reader *reader, const struct database *database);
void reader_close(struct reader *reader);

/* The row's record, of reader->count bytes. Valid until the next look-up. */
static inline const unsigned char *reader_row(const struct reader *reader)
{
	return lg_region_data(reader->region);
}

/* Says on stderr what went wrong. Always -1. */
int reader_fail(const struct reader *reader);

/*
 * Each: 1 and the row, 0: there is no such row, -1 and reader->problem.
 *   table_find   the row `rowid`
 *   table_next   the row with the least rowid from `rowid` on
 *   table_last   the row with the greatest rowid
 */
int table_find(struct reader *reader, uint32_t root, int64_t rowid);
int table_next(struct reader *reader, uint32_t root, int64_t rowid);
int table_last(struct reader *reader, uint32_t root);

/*
 * The root page of the table `name`, found as any row: in the table sqlite_schema, whose root is page 1.
 * 0, or -1 after a message: no such table, a view, a virtual or WITHOUT ROWID table, a broken file.
 */
int table_root(struct reader *reader, const char *name, uint32_t *root);

#endif
