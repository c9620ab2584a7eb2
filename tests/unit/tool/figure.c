/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/figure.h"

#include "unit/unit.h"

static char text[LG_FIGURE_BYTES];

static void counts_are_exact_where_they_fit(void **state)
{
	(void)state;
	assert_string_equal(lg_figure_count(0, 6, text), "0");
	assert_string_equal(lg_figure_count(999999, 6, text), "999999");
	assert_string_equal(lg_figure_count(1234567, 7, text), "1234567");
	assert_string_equal(lg_figure_count(1234567, 6, text), "1.23M");
	assert_string_equal(lg_figure_count(999999999, 6, text), "1G");
	assert_string_equal(lg_figure_count(UINT64_MAX, 6, text), "18.4E");
	for (uint64_t count = 1; count < UINT64_MAX / 3; count = count * 3 + 1)
		assert_in_range(strlen(lg_figure_count(count, 6, text)), 1, 6);
}

static void rates_have_what_can_be_read(void **state)
{
	(void)state;
	assert_string_equal(lg_figure_rate(0, 7, text), "0");
	assert_string_equal(lg_figure_rate(0.25, 7, text), "0.25");
	assert_string_equal(lg_figure_rate(12.34, 7, text), "12.3");
	assert_string_equal(lg_figure_rate(1234.5, 7, text), "1235");
	assert_string_equal(lg_figure_rate(12345678, 7, text), "12.3M");
	assert_string_equal(lg_figure_rate(1e30, 7, text), "1e+12E");
	for (double rate = 1e-9; rate < 1e20; rate *= 1.7)
		assert_in_range(strlen(lg_figure_rate(rate, 7, text)), 1, 7);
}

static void bytes_have_units_of_1024(void **state)
{
	(void)state;
	assert_string_equal(lg_figure_bytes(0, text), "0");
	assert_string_equal(lg_figure_bytes(512, text), "512");
	assert_string_equal(lg_figure_bytes(4096, text), "4K");
	assert_string_equal(lg_figure_bytes(1023 * 1024, text), "0.999M");
	assert_string_equal(lg_figure_bytes(1.5 * (1 << 30), text), "1.5G");
	for (unsigned shift = 12; shift <= 63; shift++) {
		double bytes = (double)((uint64_t)1 << shift);

		assert_in_range(strlen(lg_figure_bytes(bytes, text)), 2, 5);
		assert_in_range(strlen(lg_figure_bytes(bytes * 0.99, text)), 2, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_exact_where_they_fit),
		cmocka_unit_test(rates_have_what_can_be_read),
		cmocka_unit_test(bytes_have_units_of_1024),
	};

	return UNIT_RUN(tests);
}
