/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store's work that can be told again: operation i is the same in every process, so a verifier needs no log of it. */
#ifndef EXAMPLES_KV_WORK_H
#define EXAMPLES_KV_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum { WORK_KEY_BYTES = 11, WORK_VALUE_MAX = 1000 };

struct work {
	uint64_t seed;
	uint64_t keys; /* there are so many different ones */
};

struct work_operation {
	uint64_t key;
	bool is_delete; /* else a put; of eight operations about one */
	uint32_t value_bytes;
	uint64_t value_seed;
};

struct work_operation work_operation(const struct work *work, uint64_t number);

/* Keys in the order of their numbers. */
void work_key(uint64_t key, char bytes[WORK_KEY_BYTES + 1]);
void work_value(const struct work_operation *operation, unsigned char bytes[WORK_VALUE_MAX]);

#endif
