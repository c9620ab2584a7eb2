/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/bits.h"

#include "unit/unit.h"

static void log2_is_the_highest_set_bit(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t power = (uint64_t)1 << bit;

		assert_int_equal(lg_log2_floor(power), bit);
		assert_int_equal(lg_log2_floor(power | (power - 1)), bit);
	}
}

static void rounding_meets_the_multiples_and_goes_no_further(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 40; bit++) {
		uint64_t power = (uint64_t)1 << bit;

		assert_true(lg_round_up(0, power) == 0);
		assert_true(lg_round_up(1, power) == power);
		assert_true(lg_round_up(power, power) == power);
		assert_true(lg_round_up(power + 1, power) == (bit == 0 ? 2 : 2 * power));
		assert_true(lg_round_down(power - 1, power) == 0);
		assert_true(lg_round_down(power, power) == power);
		assert_true(lg_round_down(2 * power - 1, power) == (bit == 0 ? 1 : power));
	}
}

static void ones_are_as_many_as_asked_and_where_asked(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 64; first++) {
		for (unsigned count = 1; first + count <= 64; count++) {
			uint64_t ones = lg_ones(first, count);

			assert_int_equal(__builtin_popcountll(ones), count);
			assert_int_equal(__builtin_ctzll(ones), first);
			assert_int_equal(63 - __builtin_clzll(ones), first + count - 1);
		}
	}
}

static void rotating_right_brings_low_bits_to_the_top(void **state)
{
	(void)state;
	for (unsigned by = 1; by < 64; by++) {
		assert_true(lg_rotate_right(1, by) == (uint64_t)1 << (64 - by));
		assert_true(lg_rotate_right((uint64_t)1 << by, by) == 1);
	}
	assert_true(lg_rotate_right(0x0123456789abcdef, 8) == 0xef0123456789abcd);
}

static void least_and_most_are_unsigned(void **state)
{
	(void)state;
	assert_true(lg_min(1, UINT64_MAX) == 1);
	assert_true(lg_max(1, UINT64_MAX) == UINT64_MAX);
	assert_true(lg_min(7, 7) == 7);
	assert_true(lg_max(7, 7) == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log2_is_the_highest_set_bit),
		cmocka_unit_test(rounding_meets_the_multiples_and_goes_no_further),
		cmocka_unit_test(ones_are_as_many_as_asked_and_where_asked),
		cmocka_unit_test(rotating_right_brings_low_bits_to_the_top),
		cmocka_unit_test(least_and_most_are_unsigned),
	};

	return UNIT_RUN(tests);
}
