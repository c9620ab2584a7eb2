/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A policy beside a model of it: the same calls to both, the same victims from both, the policy's walk after
 * each. A model is a policy that keeps its pages in plain arrays and searches them.
 */
#ifndef UNIT_PAGER_MODEL_H
#define UNIT_PAGER_MODEL_H

#include "unit/unit.h"

#include "pager/policy.h"

enum { MODEL_PAGES = 4096, NONE = -1 };

/* Handles in a row; row[0] is the front. */
struct row {
	uint32_t at[MODEL_PAGES];
	unsigned count;
};

static inline void row_insert(struct row *row, unsigned place, uint32_t handle)
{
	assert_true(row->count < MODEL_PAGES);
	assert_true(place <= row->count);
	memmove(row->at + place + 1, row->at + place, (row->count - place) * sizeof(uint32_t));
	row->at[place] = handle;
	row->count++;
}

static inline uint32_t row_take(struct row *row, unsigned place)
{
	uint32_t handle = row->at[place];

	assert_true(place < row->count);
	row->count--;
	memmove(row->at + place, row->at + place + 1, (row->count - place) * sizeof(uint32_t));
	return handle;
}

static inline int row_find(const struct row *row, uint32_t handle)
{
	for (unsigned i = 0; i < row->count; i++)
		if (row->at[i] == handle)
			return (int)i;
	return NONE;
}

static inline void row_remove(struct row *row, uint32_t handle)
{
	int place = row_find(row, handle);

	assert_true(place != NONE);
	(void)row_take(row, (unsigned)place);
}

static inline uint64_t model_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A policy, its state, and what it has. */
struct pair {
	const struct lg_policy_ops *ops;
	const struct lg_policy_ops *model;
	void *state;
	void *model_state;
	struct row held;
	struct row free;
	uint64_t keys[MODEL_PAGES];
	uint64_t random;
};

static inline void pair_check(struct pair *pair)
{
	lg_policy_check(pair->ops, pair->state);
}

static inline void pair_fill(struct pair *pair, uint64_t key, enum lg_reference how)
{
	uint32_t handle =
		row_take(&pair->free, (unsigned)(model_random(&pair->random) % pair->free.count));

	pair->keys[handle] = key;
	row_insert(&pair->held, pair->held.count, handle);
	pair->ops->fill(pair->state, handle, key, how);
	pair->model->fill(pair->model_state, handle, key, how);
}

static inline uint32_t pair_victim(struct pair *pair)
{
	uint32_t handle = pair->ops->victim(pair->state);

	assert_int_equal(handle, pair->model->victim(pair->model_state));
	if (handle == UINT32_MAX)
		assert_int_equal(pair->held.count, 0);
	else
		row_remove(&pair->held, handle);
	return handle;
}

/* Some victims, of which some are put back, one of these is used again, and the others are gone. */
static inline void pair_evict(struct pair *pair, unsigned count)
{
	struct row kept = { .count = 0 };

	for (unsigned i = 0; i < count; i++) {
		uint32_t handle = pair_victim(pair);

		if (handle == UINT32_MAX)
			break;
		if (model_random(&pair->random) % 3 == 0)
			row_insert(&kept, 0, handle);
		else
			row_insert(&pair->free, pair->free.count, handle);
	}
	for (unsigned i = 0; i < kept.count; i++) {
		uint32_t handle = kept.at[i];

		pair->ops->put_back(pair->state, handle, pair->keys[handle]);
		pair->model->put_back(pair->model_state, handle, pair->keys[handle]);
		row_insert(&pair->held, pair->held.count, handle);
		pair_check(pair);
	}
}

static inline bool pair_holds_key(const struct pair *pair, uint64_t key)
{
	for (unsigned i = 0; i < pair->held.count; i++)
		if (pair->keys[pair->held.at[i]] == key)
			return true;
	return false;
}

static inline void pair_step(struct pair *pair, uint32_t keys)
{
	uint64_t random = model_random(&pair->random);
	uint64_t key = (random >> 8) % keys;
	enum lg_reference how = (enum lg_reference)((random >> 40) % 3);
	unsigned some = pair->held.count > 0 ? (unsigned)((random >> 48) % pair->held.count) : 0;

	if (random % 16 < 7) {
		if (pair->free.count > 0 && !pair_holds_key(pair, key))
			pair_fill(pair, key, how);
	} else if (random % 16 < 11) {
		if (pair->held.count > 0) {
			pair->ops->touch(pair->state, pair->held.at[some], how & 1);
			pair->model->touch(pair->model_state, pair->held.at[some], how & 1);
		}
	} else if (random % 16 < 15) {
		pair_evict(pair, 1 + (unsigned)(random >> 60));
	} else if (pair->held.count > 0) {
		uint32_t handle = row_take(&pair->held, some);

		pair->ops->remove(pair->state, handle);
		pair->model->remove(pair->model_state, handle);
		row_insert(&pair->free, pair->free.count, handle);
	}
	pair_check(pair);
}

/* Random calls to both, then all that is left in the order in which it leaves. */
static inline void pair_run(const struct lg_policy_ops *ops, const struct lg_policy_ops *model,
			    uint32_t capacity, uint32_t target, uint64_t seed)
{
	static struct pair pair;

	memset(&pair, 0, sizeof(pair));
	pair.ops = ops;
	pair.model = model;
	pair.random = seed;
	pair.state = ops->create(capacity, target, NULL);
	pair.model_state = model->create(capacity, target, NULL);
	assert_non_null(pair.state);
	assert_non_null(pair.model_state);
	for (uint32_t i = 0; i < capacity; i++)
		row_insert(&pair.free, i, i);
	pair_check(&pair);
	for (unsigned step = 0; step < 4000; step++) {
		pair_step(&pair, 2 * capacity + 1);
		if (step % 1000 == 999 && ops->retarget != NULL) {
			target = 1 + (uint32_t)(model_random(&pair.random) % capacity);
			ops->retarget(pair.state, target);
			model->retarget(pair.model_state, target);
			pair_check(&pair);
		}
	}
	while (pair_victim(&pair) != UINT32_MAX)
		pair_check(&pair);
	ops->destroy(pair.state);
	model->destroy(pair.model_state);
}

static inline void pair_run_all(const struct lg_policy_ops *ops, const struct lg_policy_ops *model)
{
	for (uint32_t capacity = 1; capacity <= 200; capacity = capacity * 2 + 1)
		for (uint64_t seed = 0; seed < 8; seed++)
			pair_run(ops, model, capacity, 1 + (uint32_t)seed * capacity / 8, seed);
}

/* --- sequences by hand ------------------------------------------------------------------------------ */

/*
 * Plays a script on a policy: "r3" fills page 3 by reading, "w3" by writing, "p3" ahead; "R3" touches it by
 * reading, "W3" by writing; "x3" removes it; "=3" wants it for victim; "=-" wants none; "<3" puts it back.
 * Page 3 is handle 3 with key 3.
 */
static inline void play(const struct lg_policy_ops *ops, uint32_t target, const char *script)
{
	void *state = ops->create(32, target, NULL);

	assert_non_null(state);
	for (const char *at = script; *at != '\0';) {
		char what = *at++;
		char *end = (char *)(uintptr_t)at;
		uint32_t page = *at == '-' ? (end++, UINT32_MAX) : (uint32_t)strtoul(at, &end, 10);

		switch (what) {
		case 'r':
			ops->fill(state, page, page, LG_REFERENCE_READ);
			break;
		case 'w':
			ops->fill(state, page, page, LG_REFERENCE_WRITE);
			break;
		case 'p':
			ops->fill(state, page, page, LG_REFERENCE_PREFETCH);
			break;
		case 'R':
			ops->touch(state, page, LG_REFERENCE_READ);
			break;
		case 'W':
			ops->touch(state, page, LG_REFERENCE_WRITE);
			break;
		case 'x':
			ops->remove(state, page);
			break;
		case '<':
			ops->put_back(state, page, page);
			break;
		case '=': {
			uint32_t victim = ops->victim(state);
			if (victim != page)
				print_error("%s: at %s: victim %d\n", script, at, (int)victim);
			assert_int_equal(victim, page);
			break;
		}
		default:
			assert_int_equal(what, ' ');
			end = (char *)(uintptr_t)at;
		}
		at = end;
		lg_policy_check(ops, state);
	}
	ops->destroy(state);
}

#endif
