/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The oracle knows no tree: of each key it keeps the last operation, in an array. */
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	const struct work *work;
	uint64_t *last; /* [key]: the last operation, counted from 1; 0: none */
	uint64_t at;    /* the next key that a scan may meet */
	uint64_t wrong;
};

static bool is_there(const struct oracle *oracle, uint64_t key, struct work_operation *operation)
{
	if (oracle->last[key] == 0)
		return false;
	*operation = work_operation(oracle->work, oracle->last[key] - 1);
	return !operation->is_delete;
}

static bool is_right(const struct work_operation *operation, const struct tree_item *item)
{
	unsigned char value[WORK_VALUE_MAX];
	char key[WORK_KEY_BYTES + 1];

	work_key(operation->key, key);
	work_value(operation, value);
	return item->key_bytes == WORK_KEY_BYTES && memcmp(item->bytes, key, WORK_KEY_BYTES) == 0 &&
	       item->value_bytes == operation->value_bytes &&
	       memcmp(tree_value(item), value, operation->value_bytes) == 0;
}

static void tell(struct oracle *oracle, const char *what, uint64_t key)
{
	if (oracle->wrong++ < 10)
		fprintf(stderr, "kv: key %" PRIu64 " %s\n", key, what);
}

static int meet(void *argument, const struct tree_item *item)
{
	struct oracle *oracle = argument;
	struct work_operation operation;

	while (oracle->at < oracle->work->keys && !is_there(oracle, oracle->at, &operation))
		oracle->at++;
	if (oracle->at == oracle->work->keys) {
		tell(oracle, "and later ones: the scan goes on", oracle->at);
		return 1;
	}
	if (!is_right(&operation, item)) {
		tell(oracle, "is not what the scan has there, nor are perhaps later ones",
		     oracle->at);
		oracle->at = oracle->work->keys;
		return 1;
	}
	oracle->at++;
	return 0;
}

static void get_all(struct oracle *oracle, const struct tree *tree)
{
	for (uint64_t number = 0; number < oracle->work->keys; number++) {
		struct work_operation operation;
		char key[WORK_KEY_BYTES + 1];

		work_key(number, key);
		const struct tree_item *item = tree_get(tree, key, WORK_KEY_BYTES);
		bool expected = is_there(oracle, number, &operation);
		if (expected && item == NULL)
			tell(oracle, "is lost", number);
		else if (!expected && item != NULL)
			tell(oracle, "should not be there", number);
		else if (expected && !is_right(&operation, item))
			tell(oracle, "has another value", number);
	}
}

int verify(const struct tree *tree, const struct work *work, uint64_t operations)
{
	struct oracle oracle = { .work = work, .last = calloc(work->keys, sizeof(uint64_t)) };
	const char *wrong = tree_check(tree);
	struct work_operation operation;

	if (oracle.last == NULL) {
		fprintf(stderr, "kv: no memory to verify %" PRIu64 " keys\n", work->keys);
		return 1;
	}
	if (wrong != NULL) {
		fprintf(stderr, "kv: %s\n", wrong);
		oracle.wrong++;
	}
	for (uint64_t i = 0; i < operations; i++)
		oracle.last[work_operation(work, i).key] = i + 1;
	(void)tree_scan(tree, NULL, 0, meet, &oracle);
	for (; oracle.at < work->keys; oracle.at++)
		if (is_there(&oracle, oracle.at, &operation))
			tell(&oracle, "is not met by the scan", oracle.at);
	get_all(&oracle, tree);
	free(oracle.last);
	return oracle.wrong > 0;
}
