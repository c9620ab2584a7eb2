/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keys.h"

#include "file.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

enum { BUFFER_BYTES = 4 << 20 };

/* splitmix64's last step: every bit of the key reaches every bit of the result, one to one. */
static uint64_t hash_of(uint64_t key)
{
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
	key = (key ^ key >> 27) * 0x94d049bb133111ebu;
	return key ^ key >> 31;
}

int keys_generate(const char *path, uint64_t count, uint64_t seed)
{
	struct file file;
	uint64_t state = hash_of(seed), bytes = count * sizeof(uint64_t), chunk;
	lg_region *region = lg_region_new(BUFFER_BYTES);

	if (region == NULL)
		return file_fail("memory for keys", lg_error(), 0);
	if (file_create(&file, path, bytes, NULL) != 0)
		goto free_region;
	uint64_t *keys = lg_region_data(region);

	for (uint64_t offset = 0; offset < bytes; offset += chunk) {
		chunk = bytes - offset < BUFFER_BYTES ? bytes - offset : BUFFER_BYTES;
		for (size_t i = 0; i < chunk / sizeof(*keys); i++)
			keys[i] = hash_of(state += 0x9e3779b97f4a7c15u);
		if (file_write(&file, keys, (size_t)chunk, offset) != 0)
			goto discard_file;
	}
	lg_region_free(region);
	return file_finish(&file);

discard_file:
	file_discard(&file);
free_region:
	lg_region_free(region);
	return -1;
}

/* Calls use(argument, keys, count) for the whole file, piece by piece, until it returns non-zero. */
static int each_piece(const char *path,
		      int (*use)(void *argument, const uint64_t *keys, size_t count),
		      void *argument)
{
	struct file file;
	int result = 0;
	uint64_t chunk;
	lg_region *region = lg_region_new(BUFFER_BYTES);

	if (region == NULL)
		return file_fail("memory for keys", lg_error(), 0);
	if (file_open(&file, path) != 0) {
		lg_region_free(region);
		return -1;
	}
	for (uint64_t offset = 0; result == 0 && offset < file.bytes; offset += chunk) {
		chunk = file.bytes - offset < BUFFER_BYTES ? file.bytes - offset : BUFFER_BYTES;
		result = file_read(&file, lg_region_data(region), (size_t)chunk, offset);
		if (result == 0)
			result = use(argument, lg_region_data(region),
				     (size_t)(chunk / sizeof(uint64_t)));
	}
	file_close(&file);
	lg_region_free(region);
	return result;
}

struct digest {
	uint64_t count, sum, exclusive_or, hash_sum;
	uint64_t last;
	uint64_t unsorted_at; /* the first key smaller than the one before it, counted from 1; 0: none */
};

static int digest_keys(void *argument, const uint64_t *keys, size_t count)
{
	struct digest *digest = argument;

	for (size_t i = 0; i < count; i++) {
		if (keys[i] < digest->last && digest->unsorted_at == 0)
			digest->unsorted_at = digest->count + i + 1;
		digest->last = keys[i];
		digest->sum += keys[i];
		digest->exclusive_or ^= keys[i];
		digest->hash_sum +=
			hash_of(keys[i] + 1); /* 0 is its own hash and would count for nothing */
	}
	digest->count += count;
	return 0;
}

int keys_verify(const char *input, const char *sorted)
{
	struct digest before = { 0 }, after = { 0 };

	if (each_piece(input, digest_keys, &before) != 0 ||
	    each_piece(sorted, digest_keys, &after) != 0)
		return -1;
	if (after.unsorted_at != 0) {
		fprintf(stderr,
			"external_sort: %s: key %" PRIu64 " is smaller than the one before it\n",
			sorted, after.unsorted_at);
		return -1;
	}
	if (before.count != after.count) {
		fprintf(stderr, "external_sort: %s has %" PRIu64 " keys, %s %" PRIu64 "\n", input,
			before.count, sorted, after.count);
		return -1;
	}
	if (before.sum != after.sum || before.exclusive_or != after.exclusive_or ||
	    before.hash_sum != after.hash_sum)
		return file_fail(sorted, "in order, but has other keys than the input", 0);
	printf("%" PRIu64 " keys in order, the input's: sum %016" PRIx64 " xor %016" PRIx64
	       " hash %016" PRIx64 "\n",
	       after.count, after.sum, after.exclusive_or, after.hash_sum);
	return 0;
}

static int print_some(void *argument, const uint64_t *keys, size_t count)
{
	const uint64_t *every = argument;

	for (size_t i = 0; i < count; i++)
		if (hash_of(keys[i]) % *every == 0 && printf("%" PRIu64 "\n", keys[i]) < 0)
			return file_fail("standard output", "cannot write", errno);
	return 0;
}

int keys_sample(const char *path, uint64_t every)
{
	if (each_piece(path, print_some, &every) != 0)
		return -1;
	return fflush(stdout) == 0 ? 0 : file_fail("standard output", "cannot write", errno);
}
