/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a full disk is ENOSPC from the call that hands out memory, and never a SIGBUS or lost bytes
 * in memory already handed out, whatever happens to the disk afterwards.
 * Method: small file systems of each kind. Regions are taken and written to the last, what a refused one took is had by smaller
 * ones; then, each time with another process's file taking every block that is left: rewriting after write-back, LG_DEAD or zeros
 * and rewriting, free and reuse from caches, free and trim, resizing, zeroed regions.
 * Oracle: errno; the child that does it must not die of a signal; stamps over every page.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "stress/account.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { REGIONS_MAX = 1 << 17, DEAD_MAX = 500 };

struct world {
	const char *kind;
	size_t bytes;
	size_t region_bytes; /* 0: mixed */
};

static struct disk disk;
static bool slow_to_refuse;
static size_t stride = 512; /* words from one page that is written to the next */
static uint64_t random_state;
static unsigned count;
static lg_region *regions[REGIONS_MAX];
static uint64_t ids[REGIONS_MAX];

/* Every page, unlike stamp.h: a hole anywhere is a SIGBUS on a full disk. (Not so on btrfs.) */
static void write_all(unsigned i)
{
	uint64_t *words = lg_region_data(regions[i]);

	ids[i] = random_next(&random_state);
	for (size_t at = 0; at < lg_region_size(regions[i]) / sizeof(*words); at += stride)
		words[at] = ids[i] + at;
}

static void claim_all(unsigned i)
{
	const uint64_t *words = lg_region_data(regions[i]);

	for (size_t at = 0; at < lg_region_size(regions[i]) / sizeof(*words); at += stride)
		CLAIM(words[at] == ids[i] + at);
}

/* Where it was, should it die: stderr is shown then. */
static void step(const char *what)
{
	fprintf(stderr, "%s, %u regions\n", what, count);
}

static void claim_and_rewrite(void)
{
	for (unsigned i = 0; i < count; i++)
		claim_all(i);
	for (unsigned i = 0; i < count; i++)
		write_all(i);
}

static void claim_full(void)
{
	CLAIM(errno == ENOSPC || errno == EDQUOT);
	CLAIM(strlen(lg_error()) > 0);
}

static size_t some_bytes(size_t region_bytes)
{
	return region_bytes ? region_bytes : random_size(&random_state, 12, 22);
}

/* Until the disk is full. How many came. */
static unsigned take_all(size_t region_bytes, bool zeroed)
{
	unsigned before = count;

	while (count < REGIONS_MAX) {
		size_t bytes = some_bytes(region_bytes);

		errno = 0;
		regions[count] = zeroed ? lg_region_new_zeroed(bytes) : lg_region_new(bytes);
		if (!regions[count])
			break;
		if (zeroed)
			CLAIM(stamp_all_zero(lg_region_data(regions[count]),
					     lg_region_size(regions[count])));
		write_all(count++);
	}
	CLAIM(count < REGIONS_MAX);
	claim_full();
	return count - before;
}

static void give_back_from(unsigned first)
{
	while (count > first)
		lg_region_free(regions[--count]);
}

static void fill(void)
{
	disk_fill(&disk, "other", false);
	if (!slow_to_refuse)
		disk_fill(&disk, "more", true);
}

static void rewrite_after_write_back(void)
{
	fill();
	claim_and_rewrite();
	disk_sync(&disk);
	fill();
	claim_and_rewrite();
	disk_sync(&disk);
	claim_and_rewrite();
}

static void rewrite_after_dead(void)
{
	for (unsigned i = 0; i < count && i < 2 * DEAD_MAX; i += 2) {
		int result = lg_region_advise(regions[i], 0, 0, LG_DEAD);

		CLAIM(result == 0 || result == -ENOSPC);
	}
	disk_sync(&disk);
	fill();
	for (unsigned i = 0; i < count && i < 2 * DEAD_MAX; i += 2)
		write_all(i);
	disk_sync(&disk);
	claim_and_rewrite();
}

/* Zeros need no block to be kept, but what is written there next does. */
static void rewrite_after_zeros(void)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t *words = lg_region_data(regions[i]);

		for (size_t at = 0; at < lg_region_size(regions[i]) / sizeof(*words); at += stride)
			words[at] = 0;
		CLAIM(lg_region_advise(regions[i], 0, 0, LG_COLD) == 0);
	}
	disk_sync(&disk);
	fill();
	for (unsigned i = 0; i < count; i++)
		write_all(i);
	disk_sync(&disk);
	claim_and_rewrite();
}

static void resize_some(void)
{
	for (unsigned i = 0; i < count && i < 64; i++) {
		size_t bytes = lg_region_size(regions[i]);
		lg_region *larger = lg_region_resize(regions[i], 2 * bytes);
		const uint64_t *words;

		if (!larger) {
			claim_full();
			claim_all(i);
			continue;
		}
		regions[i] = larger;
		words = lg_region_data(larger);
		for (size_t at = 0; at < bytes / sizeof(*words); at += stride)
			CLAIM(words[at] == ids[i] + at);
		write_all(i);
	}
}

/* What is free in caches and pools has its blocks: the other process cannot take them from under it. */
static void reuse_from_caches(size_t region_bytes)
{
	unsigned half = count / 2;

	give_back_from(half);
	fill();
	take_all(region_bytes, false);
	claim_and_rewrite();
}

static void trim_and_take_again(size_t region_bytes)
{
	unsigned half = count / 2;

	give_back_from(half);
	CLAIM(lg_trim() == 0);
	take_all(region_bytes, false);
	claim_and_rewrite();
	give_back_from(count / 2);
	CLAIM(lg_trim() == 0);
	take_all(region_bytes, true);
	claim_and_rewrite();
	/* Trimmed and the space then taken by the other: refused, and the rest unharmed. */
	give_back_from(count / 2);
	CLAIM(lg_trim() == 0);
	fill();
	take_all(region_bytes, false);
	claim_and_rewrite();
}

/* ext4 gives what it has before it refuses. */
static void take_smaller_ones_then(void)
{
	enum { LARGE = 16 << 20, SMALL = 1 << 20 };

	CLAIM(take_all(LARGE, false) > 0);
	CLAIM(take_all(SMALL, false) > 3);
	claim_and_rewrite();
	give_back_from(0);
	CLAIM(lg_trim() == 0);
}

static void live_on_a_full_disk(void *argument)
{
	const struct world *world = argument;
	char option[128];

	/*
	 * btrfs looks for new space at each first write to a page after write-back, also where the page
	 * has its block, and flushes everything before it gives up on that: far too slow for every page.
	 */
	slow_to_refuse = strcmp(world->kind, "btrfs") == 0;
	if (slow_to_refuse)
		stride *= 64;
	if (strcmp(world->kind, "tmpfs") == 0)
		disk_open_tmpfs(&disk, "size=48M");
	else
		disk_open(&disk, world->kind, world->bytes);
	snprintf(option, sizeof(option), "dir:%s", disk.path);
	CLAIM(lg_configure(option) == 0);
	step("take all");
	CLAIM(take_all(world->region_bytes, false) > 3);
	step("rewrite after write-back");
	rewrite_after_write_back();
	step("rewrite after LG_DEAD");
	rewrite_after_dead();
	step("rewrite after zeros");
	rewrite_after_zeros();
	step("resize");
	resize_some();
	claim_and_rewrite();
	step("reuse from caches");
	disk_empty(&disk, "other");
	disk_empty(&disk, "more");
	reuse_from_caches(world->region_bytes);
	disk_empty(&disk, "other");
	disk_empty(&disk, "more");
	step("trim and take again");
	trim_and_take_again(world->region_bytes);
	disk_empty(&disk, "other");
	disk_empty(&disk, "more");
	step("space again");
	give_back_from(0);
	CLAIM(lg_trim() == 0);
	if (strcmp(world->kind, "ext4") == 0)
		take_smaller_ones_then();
	CLAIM(take_all(world->region_bytes, true) > 3);
	claim_and_rewrite();
	give_back_from(0);
	account_claim_nothing_lost();
	disk_close(&disk);
}

static void body(const struct round *round)
{
	static const size_t region_sizes[] = { 4096, 1 << 16, 1 << 20, 1 << 22, 0 };
	struct world world = { round->name, (size_t)64 << 20, 0 };
	unsigned skipped = 0, failed = 0;
	struct child_end end;

	random_state = random_seed();
	if (geteuid() != 0)
		SKIP("only root may mount");
	if (strncmp(round->name, "paged-", 6) == 0)
		world.kind += 6;
	if (strcmp(world.kind, "xfs") == 0)
		world.bytes = (size_t)320 << 20;
	if (strcmp(world.kind, "btrfs") == 0)
		world.bytes = (size_t)256 << 20;
	for (unsigned i = 0; i < sizeof(region_sizes) / sizeof(region_sizes[0]); i++) {
		world.region_bytes = region_sizes[i];
		if (strcmp(world.kind, "btrfs") == 0 && world.region_bytes < (1 << 20))
			continue;
		printf("%s, regions of %zu bytes (0: mixed)\n", world.kind, world.region_bytes);
		end = child_try(live_on_a_full_disk, &world);
		skipped += child_skipped(&end);
		failed += !child_skipped(&end) && !child_ended_well(&end);
		if (!child_ended_well(&end))
			child_print(world.kind, &end);
	}
	CLAIM(failed == 0);
	if (skipped > 0)
		exit(EXIT_SKIPPED);
}

static const struct round rounds[] = {
	{ "ext4", "backing:file,retire_delay:0,interval:50ms" },
	{ "xfs", "backing:file,retire_delay:0,interval:50ms" },
	{ "btrfs", "backing:file,retire_delay:0,interval:50ms" },
	{ "tmpfs", "backing:file,retire_delay:0,interval:50ms" },
	{ "paged-ext4", "backing:paged,paged_memory:4M,retire_delay:0,interval:50ms" },
	{ "paged-xfs", "backing:paged,paged_memory:4M,retire_delay:0,interval:50ms" },
	{ "paged-btrfs", "backing:paged,paged_memory:4M,retire_delay:0,interval:50ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
