/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: after SIGKILL at any moment, also in the middle of writing back, a file has all that a sync returned
 * 0 for; and a program that is started again goes on from it.
 * Method: a child maps a file and writes rounds: each page of a round gets the round's number, then the
 * child syncs, then it tells the parent by a pipe; meanwhile small memory and a COLD make pages leave all the
 * time. The parent kills it after some messages, maps the file itself and starts the next child where
 * this one ended.
 * Oracle: no block of 4 KiB, which a disk writes at once, is older than the last round that was synced, and none is
 * newer than the last that was begun.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <fcntl.h>

#define MIB ((size_t)1 << 20)
#define BYTES (6 * MIB)

enum { BLOCK = 4096, BLOCKS = 6 << 8, KILLS = 6 };

static char path[] = "/var/tmp/lgalloc-test.XXXXXX";

static void fill_block(uint64_t *block, uint64_t number, uint64_t round)
{
	for (unsigned i = 0; i < BLOCK / sizeof(*block); i++)
		block[i] = round << 32 | number << 12 | i;
}

static uint64_t round_of(const uint64_t *block, uint64_t number)
{
	uint64_t expected[BLOCK / sizeof(*block)], round = block[0] >> 32;

	fill_block(expected, number, round);
	CLAIM(round == 0 || memcmp(block, expected, BLOCK) == 0);
	return round;
}

static uint64_t *map_file(lg_pager **pager, lg_map **map)
{
	*pager = lg_pager_new("memory:2M,page:64K");
	CLAIM(*pager != NULL);
	*map = lg_map_file(*pager, path, BYTES, NULL);
	CLAIM(*map != NULL);
	return lg_map_data(*map);
}

static _Noreturn void write_rounds(int out, uint64_t round)
{
	lg_pager *pager;
	lg_map *map;
	uint64_t *data = map_file(&pager, &map);

	for (;; round++) {
		for (uint64_t i = 0; i < BLOCKS; i++) {
			fill_block(data + i * (BLOCK / sizeof(*data)), i, round);
			if (i % 100 == 0)
				(void)lg_map_advise(map, i * BLOCK, 16 * BLOCK, LG_COLD);
		}
		CLAIM(lg_map_sync(map, 0, 0) == 0);
		CLAIM(write(out, &round, sizeof(round)) == sizeof(round));
	}
}

/* What is in the file: at least the round `synced`, and of later ones up to `begun` whatever was written back. */
struct rounds_there {
	uint64_t synced;
	uint64_t begun;
};

/* A child goes on, and is killed while it writes the round after the last it synced. */
static void run_and_kill(struct rounds_there *there, unsigned messages)
{
	uint64_t round = there->begun;
	int ends[2];

	CLAIM(pipe(ends) == 0);
	pid_t child = process_fork();
	if (child == 0)
		write_rounds(ends[1], there->begun + 1);
	close(ends[1]);
	for (unsigned i = 0; i < messages; i++)
		CLAIM(read(ends[0], &round, sizeof(round)) == sizeof(round));
	CLAIM(kill(child, SIGKILL) == 0);
	int status = process_wait(child);
	CLAIM(WIFSIGNALED(status));
	CLAIM(WTERMSIG(status) == SIGKILL);
	while (read(ends[0], &round, sizeof(round)) == sizeof(round))
		; /* it may have synced once more before it was killed */
	close(ends[0]);
	if (round > there->begun)
		there->synced = round;
	there->begun = round + 1;
}

static void claim_file(const struct rounds_there *there)
{
	lg_pager *pager;
	lg_map *map;
	uint64_t *data = map_file(&pager, &map);

	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t round = round_of(data + i * (BLOCK / sizeof(*data)), i);

		if (round < there->synced || round > there->begun) {
			fprintf(stderr, "block %llu is of round %llu, %llu was synced\n",
				(unsigned long long)i, (unsigned long long)round,
				(unsigned long long)there->synced);
			BROKEN("what was synced is there");
		}
	}
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

int main(void)
{
	int fd = mkstemp(path);
	struct rounds_there there = { 0, 0 };

	CLAIM(fd >= 0);
	close(fd);
	alarm((unsigned)clock_hang_seconds());
	for (unsigned i = 0; i < KILLS; i++) {
		run_and_kill(&there, i % 3);
		claim_file(&there);
	}
	CLAIM(unlink(path) == 0);
	return EXIT_SUCCESS;
}
