/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A space: one row of bytes that is larger than memory, by one of the ways there are to have one.
 *
 *   space=pager          a memory map of a pager of its own
 *   space=pager-file     a file map of it
 *   space=swap           anonymous memory, no huge pages; the runner gives a cgroup and a swap file
 *   space=swap-huge      with huge pages
 *   space=file           a shared mapping of a file, as it comes
 *   space=file-random    with MADV_RANDOM
 *
 * More arguments, all for the pager's: memory=512M (the budget) page=64K policy=NAME prefetch=on options=KEY:VALUE,…
 *
 * What lies there is a pattern by position, so that every byte can be checked wherever it is read: word i
 * is i * PATTERN_STEP + salt. To check a run of words is then an addition and a comparison each, which
 * the compiler makes several of at once.
 */
#ifndef BENCH_SPACE_H
#define BENCH_SPACE_H

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space {
	char *data;
	size_t bytes;
	size_t budget_bytes; /* of the pager, or what memory= says */
	lg_pager *pager;     /* NULL: the kernel's */
	lg_map *map;
	int fd;
};

/* Where a file of this process lies, that nobody else has: in TMPDIR, else /var/tmp. */
enum { SPACE_PATH_BYTES = 4096 };
void space_path(char path[SPACE_PATH_BYTES]);

/* The process's one space. It ends the process if there is none. */
void space_open(struct space *space, size_t bytes);

/* The same with a pager's policy by name, whatever policy= says; NULL: that. */
void space_open_policy(struct space *space, size_t bytes, const char *policy);
void space_close(struct space *space);

/* Nothing of it is in memory any more, and all of it is on disk. */
void space_cold(struct space *space);

/* What is written is on disk: lg_map_sync, fsync; nothing for swap. */
void space_sync(struct space *space);

/* The pager's counters; zeros for the kernel's. */
void space_stats(const struct space *space, struct lg_pager_stats *stats);

/* Tells MiB read and written, and faults, since `before`. */
void space_report(const struct space *space, const struct lg_pager_stats *before);

#define PATTERN_STEP UINT64_C(0x9E3779B97F4A7C15)

static inline void pattern_write(void *at, size_t bytes, uint64_t first_word, uint64_t salt)
{
	uint64_t *words = at;
	uint64_t word = first_word * PATTERN_STEP + salt;

	for (size_t i = 0; i < bytes / 8; i++, word += PATTERN_STEP)
		words[i] = word;
}

static inline bool pattern_holds(const void *at, size_t bytes, uint64_t first_word, uint64_t salt)
{
	const uint64_t *words = at;
	uint64_t word = first_word * PATTERN_STEP + salt;
	uint64_t wrong = 0;

	for (size_t i = 0; i < bytes / 8; i++, word += PATTERN_STEP)
		wrong |= words[i] ^ word;
	return wrong == 0;
}

/* All of the space from `offset`, with the salt 1; a wrong byte ends the process. */
void space_write(struct space *space, size_t offset, size_t bytes);
void space_check(struct space *space, size_t offset, size_t bytes);

#endif
