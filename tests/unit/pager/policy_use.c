/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Policies in a pager: which there may be, what they learn of it, and what it thinks of them. */
#include "pager/budget.h"
#include "pager/pager.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static uint32_t target;

static void *create_for_target(uint32_t capacity, uint32_t first, void *argument)
{
	target = first;
	return lg_policy_fifo.create(capacity, first, argument);
}

static void note_target(void *state, uint32_t next)
{
	(void)state;
	target = next;
}

/* Of most of the memory: large maps that are hardly touched do not count, nor does a little more of one size. */
static void policy_knows_how_many_of_its_pages_fit(void **state)
{
	static struct lg_policy_ops ops;
	lg_pager *pager = lg_pager_new("memory:8M,page:64K,prefetch:off");
	lg_map *large, *small;

	(void)state;
	ops = lg_policy_fifo;
	ops.name = "aims";
	ops.create = create_for_target;
	ops.retarget = note_target;
	assert_int_equal(lg_policy_register(&ops, NULL), 0);
	large = lg_map_memory(pager, 16 * MIB, "policy:aims,page:256K");
	small = lg_map_memory(pager, 1024 * MIB, "policy:aims,page:4K,reserve:lazy");
	assert_int_equal(target, 8 * MIB / (256 * KIB));
	memset(lg_map_data(small), 's', 2 * MIB);
	memset(lg_map_data(large), 'l', 16 * MIB);
	assert_int_equal(target, 8 * MIB / (256 * KIB));
	memset(lg_map_data(small), 's', 32 * MIB);
	assert_int_equal(target, 8 * MIB / (4 * KIB));
	assert_int_equal(lg_pager_resize(pager, 4 * MIB), 0);
	assert_int_equal(target, 4 * MIB / (4 * KIB));
	assert_int_equal(lg_map_close(small), 0);
	memset(lg_map_data(large), 'l', 16 * MIB);
	assert_int_equal(target, 4 * MIB / (256 * KIB));
	assert_int_equal(lg_map_close(large), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static uint64_t tables_of(lg_pager *pager)
{
	uint64_t signals = lg_pager_lock(pager);

	lg_budget_note_tables(pager);
	lg_pager_unlock(pager, signals);
	return lg_load_relaxed(&pager->tables);
}

/* One page each has a handle that is large. */
static void policies_of_few_pages_have_small_tables(void **state)
{
	static const char *const others[] = { "s3fifo", "fifo", "lifo", "plru", "prnd", "wiro_f" };
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	lg_pager *pager = lg_pager_new("memory:64M,page:4K,prefetch:off,policy:clock");
	lg_map *map = lg_map_memory(pager, 128 * MIB, NULL), *few[OTHERS];
	char options[40];

	(void)state;
	memset(lg_map_data(map), 'm', 128 * MIB);
	uint64_t before = tables_of(pager);
	for (unsigned i = 0; i < OTHERS; i++) {
		snprintf(options, sizeof(options), "policy:%s", others[i]);
		few[i] = lg_map_memory(pager, MIB, options);
		assert_non_null(few[i]);
		*(volatile char *)lg_map_data(few[i]) = 'f';
	}
	assert_in_range(tables_of(pager) - before, OTHERS, OTHERS * 32 * KIB);
	for (unsigned i = 0; i < OTHERS; i++)
		assert_int_equal(lg_map_close(few[i]), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

/* Whatever maps the pager had, and though each policy has pages when memory is wanted. */
static void all_policies_there_can_be_work_in_one_pager(void **state)
{
	enum { POLICIES = LG_POLICY_BUILTIN + LG_POLICY_USERS };
	static struct lg_policy_ops own[LG_POLICY_USERS];
	static char names[LG_POLICY_USERS][LG_POLICY_NAME_BYTES];
	lg_pager *pager = lg_pager_new("memory:4M,page:4K,prefetch:off");
	lg_map *maps[POLICIES];
	char options[64];

	(void)state;
	for (unsigned i = 1; i < LG_POLICY_USERS; i++) { /* beside "aims" */
		own[i] = lg_policy_fifo;
		own[i].name = names[i];
		snprintf(names[i], sizeof(names[i]), "own%u", i);
		assert_int_equal(lg_policy_register(&own[i], NULL), 0);
	}
	for (unsigned i = 0; i < 2 * POLICIES; i++) {
		struct lg_policy policy;

		assert_true(lg_policy_at(i % POLICIES, &policy));
		snprintf(options, sizeof(options), "policy:%s", policy.ops->name);
		lg_map *map = lg_map_memory(pager, MIB, options);
		assert_non_null(map);
		if (i < POLICIES)
			assert_int_equal(lg_map_close(map), 0);
		else
			maps[i - POLICIES] = map;
	}
	for (size_t at = 0; at < MIB; at += 4 * KIB)
		for (unsigned i = 0; i < POLICIES; i++)
			((char *)lg_map_data(maps[i]))[at] = (char)i;
	for (unsigned i = 0; i < POLICIES; i++)
		for (size_t at = 0; at < MIB; at += 4 * KIB)
			assert_int_equal(((char *)lg_map_data(maps[i]))[at], i);
	for (unsigned i = 0; i < POLICIES; i++)
		assert_int_equal(lg_map_close(maps[i]), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_knows_how_many_of_its_pages_fit),
		cmocka_unit_test(policies_of_few_pages_have_small_tables),
		cmocka_unit_test(all_policies_there_can_be_work_in_one_pager),
	};

	return UNIT_RUN(tests);
}
