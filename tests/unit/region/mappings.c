/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/mappings.h"

#include "os/limits.h"
#include "unit/unit.h"

static void budget_is_an_eighth_of_what_the_system_allows(void **state)
{
	uint32_t budget = (uint32_t)(lg_os_mappings_max() / 8);

	(void)state;
	lg_mappings_start();
	for (uint32_t i = 0; i < budget; i++)
		assert_true(lg_mappings_take(1));
	assert_false(lg_mappings_take(1));
	assert_false(lg_mappings_take(1)); /* being refused takes nothing */
	lg_mappings_give(1);
	assert_true(lg_mappings_take(1));
	assert_false(lg_mappings_take(1));
	lg_mappings_give(budget);
}

static void what_does_not_fit_is_refused_whole(void **state)
{
	uint32_t budget = (uint32_t)(lg_os_mappings_max() / 8);

	(void)state;
	lg_mappings_start();
	assert_true(lg_mappings_take(budget - 1));
	assert_false(lg_mappings_take(2));
	assert_true(lg_mappings_take(1));
	lg_mappings_give(budget);
	assert_false(lg_mappings_take(budget + 1));
	assert_true(lg_mappings_take(budget));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budget_is_an_eighth_of_what_the_system_allows),
		cmocka_unit_test(what_does_not_fit_is_refused_whole),
	};

	return UNIT_RUN(tests);
}
