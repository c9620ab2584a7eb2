/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "work.h"

#include <inttypes.h>
#include <stdio.h>

/* splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

struct work_operation work_operation(const struct work *work, uint64_t number)
{
	uint64_t random = mix(work->seed ^ mix(number));
	struct work_operation operation = { .key = random % work->keys, .value_seed = mix(random) };

	operation.is_delete = operation.value_seed % 8 == 0;
	/* Mostly small, some of a thousand bytes. */
	operation.value_bytes = (uint32_t)(operation.value_seed >> 32) % 100;
	if ((operation.value_seed >> 16) % 16 == 0)
		operation.value_bytes *= WORK_VALUE_MAX / 100;
	return operation;
}

void work_key(uint64_t key, char bytes[WORK_KEY_BYTES + 1])
{
	snprintf(bytes, WORK_KEY_BYTES + 1, "key%08" PRIu64, key % 100000000);
}

void work_value(const struct work_operation *operation, unsigned char bytes[WORK_VALUE_MAX])
{
	uint64_t random = operation->value_seed;

	for (uint32_t i = 0; i < operation->value_bytes; i++) {
		if (i % 8 == 0)
			random = mix(random);
		bytes[i] = (unsigned char)(random >> i % 8 * 8);
	}
}
