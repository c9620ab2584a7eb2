/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The hash: four lanes, each multiplies 64 by 64 to 128 bits and folds, as wyhash and its kin do; lanes so that
 * multiplications overlap. A lane takes 16 bytes, and mixes each half with a secret. A word that equals its secret makes
 * the product zero, and what stands beside it is not seen: the secrets are each process's own, drawn by chance, for any that
 * are known, and famous constants before all others, do stand in programs' memory. Hashes never leave the process.
 */
#include "pager/content.h"

#include "base/bits.h"
#include "os/disk.h"

#include <pthread.h>
#include <string.h>

enum { LANES = 4, STEP = 64 };

static uint64_t secrets[2 * LANES];
static pthread_once_t drawn = PTHREAD_ONCE_INIT;
static int draw_error;

static void draw(void)
{
	draw_error = lg_os_random(secrets, sizeof(secrets));
}

int lg_content_start(void)
{
	(void)pthread_once(&drawn, draw);
	return draw_error;
}

/*
 * Pages are read here while nobody writes to them: they are out of their map, or write-protected there. That is an order
 * between threads that the kernel makes, and ThreadSanitizer cannot see. (One that is pinned may be written to: it stays dirty,
 * whatever is found.)
 */
#define ORDERED_BY_KERNEL __attribute__((no_sanitize("thread")))

ORDERED_BY_KERNEL static uint64_t word_at(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

ORDERED_BY_KERNEL bool lg_content_is_zero(const void *at, size_t bytes)
{
	const char *from = at;

	for (size_t i = 0; i < bytes; i += STEP) {
		uint64_t some = 0;

		for (size_t k = 0; k < STEP; k += sizeof(some))
			some |= word_at(from + i + k);
		if (some != 0)
			return false;
	}
	return true;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void lg_content_begin(struct lg_content *content)
{
	*content = (struct lg_content){ { secrets[0], secrets[1], secrets[2], secrets[3] }, 0 };
}

ORDERED_BY_KERNEL void lg_content_add(struct lg_content *content, const void *at, size_t bytes)
{
	const char *from = at;
	uint64_t lanes[LANES];

	memcpy(lanes, content->lanes, sizeof(lanes));
	for (size_t i = 0; i < bytes; i += STEP)
		for (unsigned k = 0; k < LANES; k++) {
			size_t place = i + k * 16;

			/* The lane is added and not multiplied: a product of 0 then forgets nothing. */
			lanes[k] = lg_rotate_right(lanes[k], 23) +
				   fold(word_at(from + place) ^ secrets[k],
					word_at(from + place + 8) ^ secrets[LANES + k] ^ lanes[k]);
		}
	memcpy(content->lanes, lanes, sizeof(lanes));
	content->bytes += bytes;
}

uint64_t lg_content_end(const struct lg_content *content)
{
	const uint64_t *lanes = content->lanes;
	uint64_t hash = fold(lanes[0] ^ secrets[4], lanes[1] ^ secrets[5]) ^
			lg_rotate_right(fold(lanes[2] ^ secrets[6], lanes[3] ^ secrets[7]), 32) ^
			content->bytes;

	return hash > 1 ? hash : 2;
}

uint64_t lg_content_hash(const void *at, size_t bytes)
{
	struct lg_content content;

	lg_content_begin(&content);
	lg_content_add(&content, at, bytes);
	return lg_content_end(&content);
}
