/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/registry.h"

#include "unit/unit.h"

enum { RECORDS = 100 };

static struct lg_registry registry;
static struct lg_record records[RECORDS];

static int empty_registry(void **state)
{
	(void)state;
	memset(&registry, 0, sizeof(registry));
	memset(records, 0, sizeof(records));
	return 0;
}

static unsigned walk(bool *seen)
{
	unsigned count = 0;

	for (struct lg_record *record = lg_registry_first(&registry); record != NULL;
	     record = record->next, count++)
		seen[record - records] = true;
	return count;
}

/* It lies in zeroed memory and is never initialised. */
static void zeroed_memory_is_an_empty_registry(void **state)
{
	(void)state;
	assert_null(lg_registry_first(&registry));
	assert_null(lg_registry_adopt(&registry));
}

static void added_records_stay_and_each_is_met_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RECORDS; i++) {
		bool seen[RECORDS] = { false };

		lg_registry_add(&registry, &records[i]);
		assert_int_equal(walk(seen), i + 1);
		for (unsigned k = 0; k < RECORDS; k++)
			assert_int_equal(seen[k], k <= i);
	}
}

static void only_abandoned_records_are_adopted_each_by_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RECORDS; i++)
		lg_registry_add(&registry, &records[i]);
	assert_null(lg_registry_adopt(&registry));
	lg_registry_abandon(&registry, &records[3]);
	lg_registry_abandon(&registry, &records[5]);
	struct lg_record *one = lg_registry_adopt(&registry), *other = lg_registry_adopt(&registry);
	assert_true(one == &records[3] || one == &records[5]);
	assert_true(other == &records[3] || other == &records[5]);
	assert_ptr_not_equal(one, other);
	assert_null(lg_registry_adopt(&registry));
}

static void abandoned_record_is_still_met(void **state)
{
	bool seen[RECORDS] = { false };

	(void)state;
	for (unsigned i = 0; i < RECORDS; i++)
		lg_registry_add(&registry, &records[i]);
	for (unsigned i = 0; i < RECORDS; i++)
		lg_registry_abandon(&registry, &records[i]);
	assert_int_equal(walk(seen), RECORDS);
	for (unsigned i = 0; i < RECORDS / 2; i++)
		assert_non_null(lg_registry_adopt(&registry));
	assert_int_equal(walk(seen), RECORDS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty_registry)
	const struct CMUnitTest tests[] = {
		TEST(zeroed_memory_is_an_empty_registry),
		TEST(added_records_stay_and_each_is_met_once),
		TEST(only_abandoned_records_are_adopted_each_by_one),
		TEST(abandoned_record_is_still_met),
	};

	return UNIT_RUN(tests);
}
