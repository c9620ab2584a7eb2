/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Staging buffers have the memory that is charged for them, and no more, whatever the kernel makes of huge pages. */
#include "pager/staging.h"

#include "os/map.h"
#include "pager/budget.h"
#include "pager/frame.h"
#include "pager/pager.h"
#include "unit/pager/sigbus.h"
#include "unit/smaps.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>

#define PAGE ((size_t)4096)
#define HUGE ((size_t)2 << 20)

static lg_pager *pager;

static int open_pager(void **state)
{
	(void)state;
	pager = lg_pager_new("memory:512M,page:4K");
	assert_non_null(pager);
	return 0;
}

static int free_pager(void **state)
{
	(void)state;
	(void)lg_staging_drop(pager);
	assert_int_equal(lg_budget_charged(pager), 0);
	return lg_pager_free(pager);
}

static void *take(size_t bytes)
{
	void *buffer;

	assert_int_equal(lg_staging_take(pager, bytes, 0, false, &buffer), 0);
	assert_int_equal((uintptr_t)buffer % HUGE, 0);
	return buffer;
}

static bool is_huge(const void *buffer)
{
	return lg_staging_place(pager, buffer) >= LG_STAGING_BUFFERS - LG_STAGING_HUGE;
}

static void only_who_wants_all_of_a_buffer_has_a_huge_page(void **state)
{
	void *small, *large;

	(void)state;
	small = take(PAGE);
	assert_int_equal(lg_budget_charged(pager), PAGE);
	large = take(HUGE);
	assert_int_equal(lg_budget_charged(pager), PAGE + HUGE);
	assert_false(is_huge(small));
	assert_true(is_huge(large));
	if (lg_os_advise(large, HUGE, LG_OS_HUGEPAGE) == 0) { /* the kernel knows of them */
		assert_true(smaps_has_flag(small, " nh"));
		assert_true(smaps_has_flag(large, " hg"));
	}
	lg_staging_give(pager, small);
	lg_staging_give(pager, large);
	assert_ptr_equal(take(PAGE), small); /* which have their memory yet */
	assert_ptr_equal(take(HUGE), large);
	assert_int_equal(lg_budget_charged(pager), PAGE + HUGE);
	lg_staging_give(pager, small);
	lg_staging_give(pager, large);
}

static void all_others_serve_who_finds_no_huge_one(void **state)
{
	enum { TAKEN = LG_STAGING_HUGE + 2 };
	bool taken[LG_STAGING_BUFFERS] = { false };
	void *buffers[TAKEN];

	(void)state;
	for (unsigned i = 0; i < TAKEN; i++) {
		buffers[i] = take(HUGE);
		assert_true(is_huge(buffers[i]) == (i < LG_STAGING_HUGE));
		assert_false(taken[lg_staging_place(pager, buffers[i])]);
		taken[lg_staging_place(pager, buffers[i])] = true;
		memset(buffers[i], 1, HUGE);
	}
	assert_int_equal(lg_budget_charged(pager), TAKEN * HUGE);
	assert_int_equal(lg_staging_drop(pager), 0); /* somebody has them */
	for (unsigned i = 0; i < TAKEN; i++)
		lg_staging_give(pager, buffers[i]);
	assert_int_equal(lg_staging_drop(pager), TAKEN * HUGE);
	assert_int_equal(lg_budget_charged(pager), 0);
	for (unsigned i = 0; i < TAKEN; i++) {
		uint64_t resident = 0;

		assert_int_equal(lg_os_resident(buffers[i], HUGE, &resident), 0);
		assert_int_equal(resident, 0);
	}
	assert_true(is_huge(take(HUGE)));
	assert_int_equal(lg_budget_charged(pager), HUGE);
	lg_staging_give(pager, buffers[0]);
}

static void who_wants_little_never_has_a_huge_page(void **state)
{
	enum { TAKEN = LG_STAGING_BUFFERS - LG_STAGING_HUGE };
	void *buffers[TAKEN];

	(void)state;
	for (unsigned i = 0; i < TAKEN; i++) {
		buffers[i] = take(i % 2 == 0 ? PAGE : HUGE - PAGE);
		assert_false(is_huge(buffers[i]));
	}
	assert_int_equal(lg_budget_charged(pager), TAKEN / 2 * HUGE);
	for (unsigned i = 0; i < TAKEN; i++)
		lg_staging_give(pager, buffers[i]);
}

/* Or one touch in an empty part of a table would cost 2 MiB that nobody counts, where the kernel always uses huge pages. */
static void tables_are_not_huge(void **state)
{
	void *table;

	(void)state;
	assert_int_equal(lg_os_map_table(2 * HUGE, &table), 0);
	if (lg_os_advise(table, 2 * HUGE, LG_OS_NOHUGEPAGE) == 0) {
		lg_os_unreserve(table, 2 * HUGE);
		assert_int_equal(lg_os_map_table(2 * HUGE, &table), 0);
		assert_true(smaps_has_flag(table, " nh"));
	}
	lg_os_unreserve(table, 2 * HUGE);
}

#define IN_A_PAGER(test) cmocka_unit_test_setup_teardown(test, open_pager, free_pager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_PAGER(only_who_wants_all_of_a_buffer_has_a_huge_page),
		IN_A_PAGER(all_others_serve_who_finds_no_huge_one),
		IN_A_PAGER(who_wants_little_never_has_a_huge_page),
		cmocka_unit_test(tables_are_not_huge),
	};

	return UNIT_RUN(tests);
}
