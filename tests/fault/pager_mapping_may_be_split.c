/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program may advise, lock, unlock and protect parts of a map as it likes, anywhere in a page, though the kernel makes
 * several mappings of it then and neither copies nor moves across them, nor between what is locked, or protected, and what is not:
 * no touch fails, and contents are right.
 * Method: each such call, before the first touch, while pages are in the map, in limbo and in the store, and taken back; ways to
 * serve faults and to move pages; pages of 4 KiB to 2 MiB. Writes in order, and in an order of no kind.
 * Oracle: what was written; SIGBUS ends the child.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <sys/mman.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { BYTES = 20 << 20, PARTS = 4, RARE = 16, CELL = 4096, CELLS = BYTES / CELL };

struct part {
	void *at;
	size_t bytes;
};

struct change {
	const char *name;
	int (*make)(struct part part);
	int (*take_back)(struct part part);
};

struct
try {
	const char *options;
	const struct change *change;
};

static int advise(struct part part)
{
	return madvise(part.at, part.bytes, MADV_SEQUENTIAL);
}

static int advise_nothing(struct part part)
{
	return madvise(part.at, part.bytes, MADV_NORMAL);
}

static int lock(struct part part)
{
	return mlock2(part.at, part.bytes, MLOCK_ONFAULT);
}

static int unlock(struct part part)
{
	return munlock(part.at, part.bytes);
}

static int protect(struct part part)
{
	return mprotect(part.at, part.bytes, PROT_READ);
}

static int unprotect(struct part part)
{
	return mprotect(part.at, part.bytes, PROT_READ | PROT_WRITE);
}

static const struct change changes[] = {
	{ "advise", advise, advise_nothing },
	{ "lock", lock, unlock },
	{ "protect", protect, unprotect },
};

/* Some 64 KiB of each MiB of the first few, never where a page of more than 4 KiB begins or ends. */
static void each_part(char *data, int (*call)(struct part part))
{
	for (size_t i = 0; i < PARTS; i++) {
		struct part part = { data + i * MIB + (i * 9 + 1) * CELL, 61 * KIB / CELL * CELL };

		if (call(part) != 0)
			SKIP("%s", strerror(errno));
	}
}

static unsigned char expected[CELLS];

static void write_in_order(volatile char *data, unsigned round)
{
	for (size_t cell = 0; cell < CELLS; cell++)
		data[cell * CELL] = (char)(expected[cell] = (unsigned char)(cell * 7 + round));
}

static void write_in_no_order(volatile char *data, unsigned round)
{
	for (size_t i = 0; i < CELLS / RARE; i++) {
		size_t cell = i * 2654435761u % CELLS;

		data[cell * CELL + 9] = 1; /* and its neighbour of the other kind */
		data[cell * CELL] = (char)(expected[cell] = (unsigned char)(cell + round));
	}
}

static void claim_contents(const volatile char *data)
{
	for (size_t cell = 0; cell < CELLS; cell++) {
		size_t other = cell * 40503 % CELLS;

		CLAIM((unsigned char)data[cell * CELL] == expected[cell]);
		CLAIM(cell % RARE != 0 || (unsigned char)data[other * CELL] == expected[other]);
	}
}

static void write_all(char *data, unsigned round)
{
	write_in_order(data, round);
	claim_contents(data);
	write_in_no_order(data, round);
	claim_contents(data);
}

static void run(void *argument)
{
	const struct try *try = argument;
	const struct change *change = try->change;
	lg_pager *pager = lg_pager_new(try->options);

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, BYTES, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	if (change->make != protect) { /* which is for what was written */
		each_part(data, change->make);
		write_all(data, 1);
		each_part(data, change->take_back);
	}
	write_all(data, 2);
	each_part(data, change->make);
	claim_contents(data);
	if (change->make != protect)
		write_all(data, 3);
	each_part(data, change->take_back);
	claim_contents(data);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

int main(void)
{
	static const char *const options[] = {
		"memory:4M,page:4K",
		"memory:4M,page:16K",
		"memory:16M,page:2M",
		"memory:4M,page:16K,without:move",
		"memory:4M,page:16K,without:wp",
		"memory:4M,page:16K,faults:threads",
	};
	unsigned skipped = 0, tried = 0;

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		for (unsigned k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
			struct try try = { options[i], &changes[k] };
			char what[100];

			snprintf(what, sizeof(what), "%s, %s", options[i], changes[k].name);
			skipped += !child_claim(what, run, &try);
			tried++;
		}
	if (skipped == tried)
		SKIP("none of %u ways can be tried here", tried);
	return EXIT_SUCCESS;
}
