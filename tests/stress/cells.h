/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Cells: an oracle for a map. Each 4 KiB block has four cells of 64 bytes, at both its ends and next to
 * its middle; each cell has one owner, a thread, who alone reads and writes it and notes, outside of the map,
 * the version he wrote last. What a cell holds follows from map, cell and version: bytes of another page, an
 * older version, half a cell and lost zeros all show.
 *
 * Two neighbours have one owner, so that an access may go across two pages. The second half of the map is
 * cut into extents, one a thread, in which everything is its own and whole ranges may be discarded; only where one extent
 * ends and the next begins are neighbours two threads'.
 */
#ifndef STRESS_CELLS_H
#define STRESS_CELLS_H

#include "stress/claim.h"
#include "stress/random.h"

#include <stdbool.h>
#include <stdint.h>

enum { CELL_BYTES = 64, CELL_WORDS = 8, CELL_BLOCK = 4096, CELL_SLOTS = 4 };

struct cells {
	uint64_t salt;
	size_t bytes; /* of the map */
	size_t count;
	unsigned threads;
	bool begins_zero;   /* version 0 is zeros; else a pattern like all others */
	uint32_t *versions; /* each its owner's */
};

static inline size_t cell_offset(size_t cell)
{
	static const size_t slots[CELL_SLOTS] = { 0, CELL_BLOCK / 2 - CELL_BYTES, CELL_BLOCK / 2,
						  CELL_BLOCK - CELL_BYTES };

	return cell / CELL_SLOTS * CELL_BLOCK + slots[cell % CELL_SLOTS];
}

/* The first cell that begins at `offset` or behind it. */
static inline size_t cell_from(size_t offset)
{
	size_t cell = offset / CELL_BLOCK * CELL_SLOTS;

	while (cell_offset(cell) < offset)
		cell++;
	return cell;
}

/* Where the extents begin. */
static inline size_t cells_extents(const struct cells *cells)
{
	return cells->bytes / 2 / CELL_BLOCK * CELL_BLOCK;
}

static inline size_t cells_extent_bytes(const struct cells *cells)
{
	return (cells->bytes - cells_extents(cells)) / cells->threads / CELL_BLOCK * CELL_BLOCK;
}

/* Of this thread; the last one's goes to the map's end. */
static inline void cells_extent(const struct cells *cells, unsigned thread, size_t *from,
				size_t *to)
{
	*from = cells_extents(cells) + thread * cells_extent_bytes(cells);
	*to = thread + 1 < cells->threads ? *from + cells_extent_bytes(cells) : cells->bytes;
}

static inline unsigned cell_owner(const struct cells *cells, size_t cell)
{
	size_t offset = cell_offset(cell), first = cells_extents(cells);
	uint64_t pair = cells->salt + (cell + 1) / 2;

	if (offset + CELL_BYTES <= first && offset + CELL_BLOCK > first)
		return 0; /* its neighbour is in the first extent */
	if (offset < first)
		return (unsigned)(random_next(&pair) % cells->threads);
	offset = (offset - first) / cells_extent_bytes(cells);
	return offset < cells->threads ? (unsigned)offset : cells->threads - 1;
}

/*
 * Of the cell and its neighbour, for one access across two blocks, or in the middle of one. SIZE_MAX: the neighbour is another
 * thread's, or there is none.
 */
static inline size_t cell_first_of_pair(const struct cells *cells, size_t cell)
{
	size_t first = cell % 2 == 1 ? cell : cell - 1;

	if (cell == 0 || first + 1 >= cells->count)
		return SIZE_MAX;
	return cell_owner(cells, first) == cell_owner(cells, first + 1) ? first : SIZE_MAX;
}

static inline void cell_make(const struct cells *cells, size_t cell, uint32_t version,
			     uint64_t words[CELL_WORDS])
{
	uint64_t state = cells->salt ^ (uint64_t)cell << 24;

	for (unsigned i = 0; i < CELL_WORDS; i++) {
		uint64_t tag = random_next(&state) >> 32 | 1;

		words[i] = version == 0 && cells->begins_zero ? 0 : (uint64_t)version << 32 | tag;
	}
}

static inline _Noreturn void cell_broken(const struct cells *cells, size_t cell, const uint64_t *is,
					 const uint64_t *was, const char *how)
{
	fprintf(stderr, "%s: map of %zu bytes, salt %llx: cell %zu at offset %zu\n", how,
		cells->bytes, (unsigned long long)cells->salt, cell, cell_offset(cell));
	for (unsigned i = 0; i < CELL_WORDS; i++)
		fprintf(stderr, "  word %u is %016llx, should be %016llx\n", i,
			(unsigned long long)is[i], (unsigned long long)was[i]);
	BROKEN("contents are as written");
}

/* The bytes of the cell are those of its last version. */
static inline void cell_claim(const struct cells *cells, size_t cell, const void *bytes,
			      const char *how)
{
	uint64_t is[CELL_WORDS], was[CELL_WORDS];

	memcpy(is, bytes, sizeof(is));
	cell_make(cells, cell, cells->versions[cell], was);
	if (memcmp(is, was, sizeof(is)) != 0)
		cell_broken(cells, cell, is, was, how);
}

/* A new version, to be written. */
static inline void cell_next(const struct cells *cells, size_t cell, uint64_t words[CELL_WORDS])
{
	cells->versions[cell]++;
	cell_make(cells, cell, cells->versions[cell], words);
}

/*
 * What was discarded of a store that keeps bytes: each word is of some version up to the last. The cell may be a
 * mixture, if it was written back while it changed.
 */
static inline void cell_claim_older(const struct cells *cells, size_t cell, const void *bytes)
{
	uint64_t is[CELL_WORDS], was[CELL_WORDS];

	memcpy(is, bytes, sizeof(is));
	for (unsigned i = 0; i < CELL_WORDS; i++) {
		uint32_t version = (uint32_t)(is[i] >> 32);

		cell_make(cells, cell, version, was);
		if (is[i] != was[i] || version > cells->versions[cell])
			cell_broken(cells, cell, is, was, "discarded");
	}
}

/* Any cell of the thread's; one in `of` is in its extent. */
static inline size_t cells_pick(const struct cells *cells, unsigned thread, uint64_t *random)
{
	size_t cell;

	do
		cell = random_below(random, cells->count);
	while (cell_owner(cells, cell) != thread);
	return cell;
}

/* All memory is there from now: the budget's oracle looks at what the process has. */
static inline void cells_make(struct cells *cells, uint64_t salt, size_t bytes, unsigned threads,
			      bool begins_zero)
{
	size_t blocks = bytes / CELL_BLOCK;

	*cells = (struct cells){ .salt = salt,
				 .bytes = bytes,
				 .count = blocks * CELL_SLOTS + (bytes % CELL_BLOCK >= CELL_BYTES),
				 .threads = threads,
				 .begins_zero = begins_zero };
	cells->versions = malloc(cells->count * sizeof(*cells->versions));
	CLAIM(cells->versions != NULL);
	memset(cells->versions, 0, cells->count * sizeof(*cells->versions));
}

static inline void cells_end(struct cells *cells)
{
	free(cells->versions);
}

/* Version 0 of all cells, where a store begins with it. */
static inline void cells_draw(const struct cells *cells, char *bytes)
{
	for (size_t cell = 0; cell < cells->count; cell++) {
		uint64_t words[CELL_WORDS];

		cell_make(cells, cell, 0, words);
		memcpy(bytes + cell_offset(cell), words, sizeof(words));
	}
}

#endif
