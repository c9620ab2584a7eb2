/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: on a full disk a spill whose space is reserved takes every page, again and again; one that is not, and
 * a named file, answer -ENOSPC for pages without space and keep every other; with space again all is
 * as before. A spill there is no room for is -ENOSPC when it is opened, and takes nothing.
 * Method: small file systems of each kind, which another program's file fills to the last block; pages in
 * random order, one by one and in runs.
 * Oracle: errors, and the version of each page that was written last.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "fault/pages.h"
#include "store/file.h"
#include "store/spill.h"
#include "stress/random.h"
#include "stress/rounds.h"

enum { PAGES = 2048, RUN = 16, ANY = -1 };

static struct disk disk;
static bool slow_to_refuse; /* btrfs flushes everything before it gives up on a block */
static unsigned least = 1;  /* pages at once */
static uint64_t random_state;
static uint64_t *memory;
static int64_t versions[PAGES];

static void fill(void)
{
	disk_fill(&disk, "other", false);
	if (!slow_to_refuse)
		disk_fill(&disk, "more", true);
}

static void empty(void)
{
	disk_empty(&disk, "other");
	disk_empty(&disk, "more");
	disk_sync(&disk);
}

/* Every page once, in an order that fragments: how many were refused. */
static unsigned write_all(struct lg_store *store, int64_t version, unsigned run)
{
	unsigned runs = PAGES / run, refused = 0;
	unsigned start = (unsigned)random_next(&random_state) % runs;

	for (unsigned k = 0; k < runs; k++) {
		unsigned first = (start + k * 769) % runs * run;

		for (unsigned i = 0; i < run; i++)
			pages_fill(memory + i * PAGE_WORDS, first + i, (uint64_t)version);
		int error = pages_write(store, memory, first, run);
		CLAIM(error == 0 || error == -ENOSPC);
		refused += error != 0 ? run : 0;
		/* One page is written or not; of a run some may be. */
		for (unsigned i = 0; i < run && (error == 0 || run > 1); i++)
			versions[first + i] = error == 0 ? version : ANY;
	}
	return refused;
}

static void claim_all(struct lg_store *store)
{
	for (unsigned page = 0; page < PAGES; page += RUN) {
		CLAIM(pages_read(store, memory, page, RUN) == 0);
		for (unsigned i = 0; i < RUN; i++)
			CLAIM(versions[page + i] == ANY ||
			      pages_hold(memory + i * PAGE_WORDS, page + i,
					 (uint64_t)versions[page + i]));
	}
}

static void spill_with_its_space(void)
{
	struct lg_store *store = NULL, *none = NULL;

	memset(versions, 0, sizeof(versions));
	CLAIM(lg_spill_open(disk.path, PAGES * PAGE_BYTES, true, &store) == 0);
	fill();
	CLAIM(lg_spill_open(disk.path, PAGES * PAGE_BYTES, true, &none) == -ENOSPC);
	CLAIM(strstr(lg_error(), disk.path) != NULL);
	CLAIM(write_all(store, 1, least) == 0);
	claim_all(store);
	disk_sync(&disk);
	fill();
	CLAIM(write_all(store, 2, RUN) == 0);
	CLAIM(store->calls->discard(store, 0, PAGES * PAGE_BYTES / 2) == 0);
	fill();
	CLAIM(write_all(store, 3, least) == 0);
	claim_all(store);
	store->calls->close(store);
	empty();
	/* What was refused took nothing that stays. */
	for (unsigned i = 0; i < 20; i++) {
		CLAIM(lg_spill_open(disk.path, (uint64_t)4 << 30, true, &store) == -ENOSPC);
		CLAIM(lg_spill_open(disk.path, PAGES * PAGE_BYTES, true, &store) == 0);
		store->calls->close(store);
	}
}

static void store_without(struct lg_store *store)
{
	memset(versions, 0, sizeof(versions));
	CLAIM(write_all(store, 1, RUN) == 0);
	CLAIM(store->calls->discard(store, 0, PAGES * PAGE_BYTES / 2) == 0);
	for (unsigned i = 0; i < PAGES / 2; i++)
		versions[i] = ANY;
	CLAIM(store->calls->flush(store) == 0);
	fill();
	(void)write_all(store, 2, least);
	claim_all(store);
	(void)write_all(store, 3, RUN);
	claim_all(store);
	empty();
	CLAIM(write_all(store, 4, least) == 0);
	CLAIM(store->calls->flush(store) == 0);
	claim_all(store);
	store->calls->close(store);
}

/* Made on a full disk: its length is there, and not one block. */
static void file_without_space(void)
{
	struct lg_store *store = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/file", disk.path);
	CLAIM(lg_file_store_open(path, 0, PAGES * PAGE_BYTES, false, true, &store) == 0);
	CLAIM(store->begins_zero);
	memset(versions, 0, sizeof(versions));
	fill();
	unsigned refused = write_all(store, 1, least);
	CLAIM(refused > PAGES / 2 || slow_to_refuse);
	claim_all(store);
	empty();
	CLAIM(write_all(store, 2, least) == 0);
	claim_all(store);
	CLAIM(store->calls->flush(store) == 0);
	store_without(store);
}

static void live_on_a_full_disk(void *argument)
{
	const char *kind = argument;
	struct lg_store *store = NULL;
	size_t megabytes = strcmp(kind, "xfs") == 0 ? 320 : strcmp(kind, "btrfs") == 0 ? 256 : 64;

	memory = pages_new(RUN);
	slow_to_refuse = strcmp(kind, "btrfs") == 0;
	least = slow_to_refuse ? RUN : 1;
	disk_open(&disk, kind, megabytes << 20);
	fprintf(stderr, "spill with its space\n");
	spill_with_its_space();
	fprintf(stderr, "spill without\n");
	CLAIM(lg_spill_open(disk.path, PAGES * PAGE_BYTES, false, &store) == 0);
	store_without(store);
	fprintf(stderr, "file\n");
	file_without_space();
	disk_close(&disk);
}

static void body(const struct round *round)
{
	random_state = random_seed();
	if (geteuid() != 0)
		SKIP("only root may mount");
	if (!child_claim(round->name, live_on_a_full_disk, (void *)(uintptr_t)round->name))
		exit(EXIT_SKIPPED);
}

static const struct round rounds[] = {
	{ "ext4", "" },
	{ "xfs", "" },
	{ "btrfs", "" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
