/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: what a program has locked or protected inside a map is written when the map is synced or closed, where the kernel would
 * not let it leave as well; what it has made unreadable is -EFAULT, and nothing else is held up or lost by it.
 * Method: some of a map is changed so, in the middle of a page; then it is synced, made to leave, or closed. A store of
 * the user's, to whom an address that cannot be read would be the end; ways to move pages; pages of 4 KiB to 2 MiB.
 * Oracle: what the store has; a deadline; SIGSEGV ends the child.
 */
#include "fault/child.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

enum { BYTES = 8 << 20, CELL = 4096, CELLS = BYTES / CELL, FIRST = 517, COUNT = 2 };

struct way {
	const char *options;
	size_t page;
	int protection; /* PROTECT_LOCK: of memory that is locked */
};

enum { PROTECT_LOCK = -1 };

static lg_pager *pager;
static lg_map *map;
static char *data;
static struct shelf shelf;

static int change(int protection)
{
	char *at = data + (size_t)FIRST * CELL;

	return protection == PROTECT_LOCK ? mlock2(at, (size_t)COUNT * CELL, MLOCK_ONFAULT) :
					    mprotect(at, (size_t)COUNT * CELL, protection);
}

static bool is_changed(size_t cell)
{
	return cell >= FIRST && cell < FIRST + COUNT;
}

static void write_all(char what)
{
	for (size_t i = 1; i <= CELLS;
	     i++) { /* those that change last: they are there, and dirty */
		size_t cell = (FIRST + COUNT - 1 + i) % CELLS;

		data[cell * CELL + 1] = (char)(what + (char)cell);
	}
}

static size_t cells_in_store(char what)
{
	size_t cells = 0;

	for (size_t cell = 0; cell < CELLS; cell++)
		cells += shelf.bytes[cell * CELL + 1] == (char)(what + (char)cell);
	return cells;
}

/* Also a page that comes back by a read, and is as the store has it. */
static void read_all(void)
{
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	for (size_t cell = 0; cell < CELLS; cell++)
		(void)*(volatile char *)&data[cell * CELL + 1];
}

/* Those beside the unreadable in its page wait with it. */
static void sync_some(const struct way *way)
{
	size_t cells = way->page / CELL;
	int expected = way->protection == PROT_NONE ? -EFAULT : 0;

	CLAIM(lg_map_sync(map, 0, 0) == expected);
	CLAIM(cells_in_store('b') >= CELLS - (expected == 0 ? 0 : cells + COUNT));
	if (expected == 0)
		return;
	CLAIM(change(PROT_READ | PROT_WRITE) == 0);
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	CLAIM(cells_in_store('b') == CELLS);
	CLAIM(change(way->protection) == 0);
}

static void run(void *argument)
{
	const struct way *way = argument;

	pager = lg_pager_new(way->options);
	CLAIM(pager != NULL);
	shelf_make(&shelf, BYTES);
	map = lg_map_store(pager, &shelf_ops, &shelf, BYTES, NULL);
	CLAIM(map != NULL);
	data = lg_map_data(map);
	write_all('a');
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	read_all();
	if (change(way->protection) != 0)
		SKIP("%s", strerror(errno));
	CLAIM(lg_map_sync(map, 0, 0) == 0 || way->protection == PROT_NONE);
	CLAIM(change(PROT_READ | PROT_WRITE) == 0);
	write_all('b');
	CLAIM(change(way->protection) == 0);
	sync_some(way);

	CLAIM(change(PROT_READ | PROT_WRITE) == 0);
	write_all('c');
	CLAIM(change(way->protection) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	for (size_t cell = 0; cell < CELLS; cell++)
		CLAIM((is_changed(cell) && way->protection == PROT_NONE) ||
		      data[cell * CELL + 1] == (char)('c' + (char)cell));
	CLAIM(lg_map_close(map) == 0);
	CLAIM(cells_in_store('c') == CELLS);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	static const struct way ways[] = {
		{ "memory:16M,page:4K,faults:inline", 4096, 0 },
		{ "memory:16M,page:64K,faults:inline", 65536, 0 },
		{ "memory:32M,page:2M,faults:inline", 2 * MIB, 0 },
		{ "memory:16M,page:64K,faults:inline,without:wp", 65536, 0 },
		{ "memory:32M,page:2M,faults:inline,without:wp", 2 * MIB, 0 },
		{ "memory:4M,page:64K,faults:inline,without:move", 65536, 0 },
	};
	static const int protections[] = { PROTECT_LOCK, PROT_READ, PROT_NONE,
					   PROT_READ | PROT_WRITE | PROT_EXEC };
	unsigned skipped = 0, tried = 0;

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (unsigned k = 0; k < sizeof(protections) / sizeof(protections[0]); k++) {
			struct way way = { ways[i].options, ways[i].page, protections[k] };
			char what[100];

			snprintf(what, sizeof(what), "%s, protection %d", way.options,
				 way.protection);
			skipped += !child_claim(what, run, &way);
			tried++;
		}
	if (skipped == tried)
		SKIP("none of %u ways can be tried here", tried);
	return EXIT_SUCCESS;
}
