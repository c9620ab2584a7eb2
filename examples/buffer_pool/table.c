/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "table.h"

#include "bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* 2^32 pages of at least two children each need no more levels. */
enum { DEPTH_MAX = 32 };
enum { INTERIOR_TABLE = 0x05, LEAF_TABLE = 0x0d };
enum { ROW_BYTES_FIRST = 64 << 10 };

/* A pinned b-tree page, its header looked at. */
struct node {
	struct frame *frame;
	const unsigned char *data, *end; /* end of what is used */
	const unsigned char *cells;      /* two bytes each: where a cell is */
	uint32_t count;
	uint32_t right; /* interior: the child after the last cell */
	bool leaf;
};

/* A cell: of a leaf a row, of an interior page a child and the greatest rowid in it. */
struct cell {
	int64_t rowid;
	uint32_t child;
	uint64_t row_bytes;
	const unsigned char *content;
};

static int fail(struct reader *reader, uint32_t page, const char *problem, int error)
{
	reader->problem = problem;
	reader->page = page;
	reader->error = error;
	return -1;
}

int reader_fail(const struct reader *reader)
{
	fprintf(stderr, "buffer_pool: %s: page %u: %s%s%s\n", reader->database->path, reader->page,
		reader->problem, reader->error != 0 ? ": " : "",
		reader->error != 0 ? strerror(reader->error) : "");
	return -1;
}

int reader_open(struct reader *reader, const struct database *database)
{
	*reader = (struct reader){ .database = database, .problem = "" };
	reader->region = lg_region_new(ROW_BYTES_FIRST);
	if (reader->region == NULL)
		return database_fail("memory for a row", lg_error(), 0);
	return 0;
}

void reader_close(struct reader *reader)
{
	lg_region_free(reader->region);
}

static int pin(struct reader *reader, uint32_t page, struct frame **frame)
{
	int error;

	if (page == 0 || page > reader->database->page_count)
		return fail(reader, page, "is named by the file but not in it", 0);
	error = pool_pin(reader->database->pool, page, frame);
	return error == 0 ? 0 : fail(reader, page, "cannot be read", -error);
}

static void unpin(struct reader *reader, struct frame *frame)
{
	pool_unpin(reader->database->pool, frame);
}

static int node_open(struct reader *reader, uint32_t page, struct node *node)
{
	if (pin(reader, page, &node->frame) != 0)
		return -1;
	node->data = node->frame->data;
	node->end = node->data + reader->database->usable_bytes;

	/* Page 1 starts with the file's header; offsets count from the page's start all the same. */
	const unsigned char *header = node->data + (page == 1 ? DATABASE_HEADER_BYTES : 0);

	node->leaf = header[0] == LEAF_TABLE;
	if (!node->leaf && header[0] != INTERIOR_TABLE) {
		fail(reader, page, "is no page of a table's b-tree", 0);
		goto unpin_frame;
	}
	node->count = bytes_get2(header + 3);
	node->right = node->leaf ? 0 : bytes_get4(header + 8);
	node->cells = header + (node->leaf ? 8 : 12);
	if ((size_t)(node->end - node->cells) / 2 < node->count) {
		fail(reader, page, "has more cells than room", 0);
		goto unpin_frame;
	}
	return 0;

unpin_frame:
	unpin(reader, node->frame);
	return -1;
}

static int cell_open(struct reader *reader, const struct node *node, uint32_t i, struct cell *cell)
{
	const unsigned char *at = node->data + bytes_get2(node->cells + 2 * (size_t)i);
	uint64_t rowid = 0;
	size_t length;

	if (at < node->cells + 2 * (size_t)node->count || at + 4 > node->end)
		goto broken;
	if (node->leaf) {
		length = bytes_get_varint(at, node->end, &cell->row_bytes);
		if (length == 0)
			goto broken;
		at += length;
	} else {
		cell->child = bytes_get4(at);
		at += 4;
	}
	length = bytes_get_varint(at, node->end, &rowid);
	if (length == 0)
		goto broken;
	cell->rowid = (int64_t)rowid;
	cell->content = at + length;
	return 0;

broken:
	return fail(reader, node->frame->page, "has a cell outside itself", 0);
}

/* The first cell whose rowid is not less; node->count if there is none. */
static int node_search(struct reader *reader, const struct node *node, int64_t rowid,
		       uint32_t *place, struct cell *cell)
{
	uint32_t low = 0, high = node->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (cell_open(reader, node, middle, cell) != 0)
			return -1;
		if (cell->rowid < rowid)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return low < node->count ? cell_open(reader, node, low, cell) : 0;
}

/* How much of a row is in its leaf; the file format's own formula and letters. */
static size_t local_bytes(size_t usable, uint64_t row_bytes)
{
	size_t x = usable - 35;
	size_t m = (usable - 12) * 32 / 255 - 23;

	if (row_bytes <= x)
		return (size_t)row_bytes;
	size_t k = m + (size_t)((row_bytes - m) % (usable - 4));
	return k <= x ? k : m;
}

/* The rest of a row: a list of pages, each the next one's number and then content. */
static int read_overflow(struct reader *reader, uint32_t page, size_t filled)
{
	size_t usable = reader->database->usable_bytes;

	while (filled < reader->count) {
		struct frame *frame;
		size_t left = reader->count - filled;
		size_t here = left < usable - 4 ? left : usable - 4;

		if (pin(reader, page, &frame) != 0)
			return -1;
		memcpy((unsigned char *)lg_region_data(reader->region) + filled, frame->data + 4,
		       here);
		page = bytes_get4(frame->data);
		unpin(reader, frame);
		filled += here;
	}
	return 1;
}

/* Copies the row out and unpins the node. 1 or -1. */
static int take_row(struct reader *reader, struct node *node, const struct cell *cell)
{
	const struct database *database = reader->database;
	size_t local = local_bytes(database->usable_bytes, cell->row_bytes),
	       room = (size_t)(node->end - cell->content);
	uint32_t page = node->frame->page, overflow = 0;
	int result = -1;

	/* Before a region of that size is asked for: no row is larger than the file. */
	if (cell->row_bytes > (uint64_t)database->page_count * database->page_bytes ||
	    room < local + (local < cell->row_bytes ? 4 : 0)) {
		fail(reader, page, "has a row larger than its place", 0);
		goto unpin_frame;
	}
	if (cell->row_bytes > lg_region_size(reader->region)) {
		lg_region *larger = lg_region_resize(reader->region, (size_t)cell->row_bytes);

		if (larger == NULL) {
			fail(reader, page, "has a row larger than memory", errno);
			goto unpin_frame;
		}
		reader->region = larger;
	}
	reader->rowid = cell->rowid;
	reader->count = (size_t)cell->row_bytes;
	memcpy(lg_region_data(reader->region), cell->content, local);
	if (local < reader->count)
		overflow = bytes_get4(cell->content + local);
	result = 1;
unpin_frame:
	unpin(reader, node->frame);
	return result == 1 ? read_overflow(reader, overflow, local) : -1;
}

/*
 * From the root to the leaf where `rowid` is or would be, which stays pinned. *bound is the greatest rowid
 * that leaf may have; INT64_MAX on the right edge.
 */
static int descend(struct reader *reader, uint32_t root, int64_t rowid, struct node *node,
		   int64_t *bound)
{
	uint32_t page = root;

	*bound = INT64_MAX;
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		struct cell cell;
		uint32_t place;

		if (node_open(reader, page, node) != 0)
			return -1;
		if (node->leaf)
			return 0;
		if (node_search(reader, node, rowid, &place, &cell) != 0) {
			unpin(reader, node->frame);
			return -1;
		}
		page = place < node->count ? cell.child : node->right;
		if (place < node->count)
			*bound = cell.rowid;
		unpin(reader, node->frame);
	}
	return fail(reader, root, "is the root of a b-tree that goes in circles", 0);
}

int table_find(struct reader *reader, uint32_t root, int64_t rowid)
{
	struct node node;
	struct cell cell;
	uint32_t place;
	int64_t bound;

	if (descend(reader, root, rowid, &node, &bound) != 0)
		return -1;
	if (node_search(reader, &node, rowid, &place, &cell) != 0) {
		unpin(reader, node.frame);
		return -1;
	}
	if (place == node.count || cell.rowid != rowid) {
		unpin(reader, node.frame);
		return 0;
	}
	return take_row(reader, &node, &cell);
}

int table_next(struct reader *reader, uint32_t root, int64_t rowid)
{
	struct node node;
	struct cell cell;
	uint32_t place;
	int64_t bound;

	/* A leaf may end before its bound, whose row was deleted: then the next leaf has the answer. */
	for (;;) {
		if (descend(reader, root, rowid, &node, &bound) != 0)
			return -1;
		if (node_search(reader, &node, rowid, &place, &cell) != 0) {
			unpin(reader, node.frame);
			return -1;
		}
		if (place < node.count)
			return take_row(reader, &node, &cell);
		unpin(reader, node.frame);
		if (bound == INT64_MAX)
			return 0;
		if (bound < rowid)
			return fail(reader, root, "is the root of a b-tree out of order", 0);
		rowid = bound + 1;
	}
}

int table_last(struct reader *reader, uint32_t root)
{
	struct node node;
	struct cell cell;
	int64_t bound;

	if (descend(reader, root, INT64_MAX, &node, &bound) != 0)
		return -1;
	if (node.count == 0) {
		unpin(reader, node.frame);
		return 0;
	}
	if (cell_open(reader, &node, node.count - 1, &cell) != 0) {
		unpin(reader, node.frame);
		return -1;
	}
	return take_row(reader, &node, &cell);
}
