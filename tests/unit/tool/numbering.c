/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/unit.h"

#include "tool/numbering.h"

static void things_keep_the_number_they_got_first(void **state)
{
	enum { THINGS = 100000 };
	struct lg_numbering numbering = { 0 };
	uint32_t number;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < THINGS; i++) {
			assert_true(lg_numbering_of(&numbering, i << 40, i % 7, &number));
			assert_int_equal(number, i);
		}
	}
	assert_int_equal(numbering.count, THINGS);
	for (uint32_t i = 0; i < THINGS; i++)
		assert_true(numbering.things[i].a == (uint64_t)i << 40 &&
			    numbering.things[i].b == i % 7);
	lg_numbering_end(&numbering);
	assert_int_equal(numbering.count, 0);
}

static void both_words_tell_things_apart(void **state)
{
	struct lg_numbering numbering = { 0 };
	uint32_t number;

	(void)state;
	for (uint64_t a = 0; a < 50; a++)
		for (uint64_t b = 0; b < 50; b++) {
			assert_true(lg_numbering_of(&numbering, a, b, &number));
			assert_int_equal(number, a * 50 + b);
		}
	lg_numbering_end(&numbering);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(things_keep_the_number_they_got_first),
		cmocka_unit_test(both_words_tell_things_apart),
	};

	return UNIT_RUN(tests);
}
