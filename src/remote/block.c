/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/block.h"

#include "base/bits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the block that begins here. */
static uint32_t length_at(const struct lg_blocks *blocks, uint64_t offset)
{
	return (uint32_t)lg_min(LG_CACHE_BLOCK, blocks->bytes - offset);
}

static bool get(const struct lg_blocks *blocks, char *buffer, uint64_t offset)
{
	struct lg_key key;

	lg_key_of_block(&blocks->version, offset / LG_CACHE_BLOCK, &key);
	return lg_cache_get(blocks->cache, &key, buffer, length_at(blocks, offset));
}

void lg_blocks_keep(const struct lg_blocks *blocks, const char *data, uint64_t length,
		    uint64_t offset)
{
	uint64_t at = lg_round_up(offset, LG_CACHE_BLOCK);

	for (uint32_t bytes; at < offset + length; at += bytes) {
		struct lg_key key;

		bytes = length_at(blocks, at);
		if (at + bytes > offset + length)
			return;
		lg_key_of_block(&blocks->version, at / LG_CACHE_BLOCK, &key);
		lg_cache_put(blocks->cache, &key, data + (at - offset), bytes);
	}
}

/* In one request. */
static int bring(const struct lg_blocks *blocks, char *buffer, uint64_t length, uint64_t offset,
		 bool ahead)
{
	int error = length > 0 ? blocks->bring(blocks->context, buffer, length, offset, ahead) : 0;

	if (error == 0)
		lg_blocks_keep(blocks, buffer, length, offset);
	return error;
}

/* Some of the block that begins at `start`. */
static int read_part(const struct lg_blocks *blocks, char *buffer, uint64_t length, uint64_t offset,
		     uint64_t start, bool ahead)
{
	char *block = malloc(LG_CACHE_BLOCK);
	int error = 0;

	if (block == NULL)
		return -ENOMEM;
	if (!get(blocks, block, start))
		error = bring(blocks, block, length_at(blocks, start), start, ahead);
	if (error == 0)
		memcpy(buffer, block + (offset - start), length);
	free(block);
	return error;
}

int lg_blocks_read(const struct lg_blocks *blocks, char *buffer, uint64_t length, uint64_t offset,
		   bool ahead)
{
	uint64_t end = offset + length,
		 missing = 0; /* whole blocks before `at`, not yet asked for */
	int error = 0;

	for (uint64_t at = offset, next; error == 0 && at < end; at = next) {
		uint64_t start = lg_round_down(at, LG_CACHE_BLOCK);
		char *to = buffer + (at - offset);

		next = lg_min(start + length_at(blocks, start), end);
		bool whole = at == start && next == start + length_at(blocks, start);
		if (whole && !get(blocks, to, at)) {
			missing += next - at;
			continue;
		}
		error = bring(blocks, to - missing, missing, at - missing, ahead);
		missing = 0;
		if (error == 0 && !whole)
			error = read_part(blocks, to, next - at, at, start, ahead);
	}
	if (error == 0)
		error = bring(blocks, buffer + length - missing, missing, end - missing, ahead);
	return error;
}
