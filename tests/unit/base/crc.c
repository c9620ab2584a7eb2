/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/crc.h"

#include "unit/unit.h"

/* The check value of the catalogue of CRCs, and RFC 3720 B.4. */
static void crc_of_known_texts(void **state)
{
	unsigned char bytes[32];

	(void)state;
	assert_int_equal(lg_crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(lg_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(lg_crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(lg_crc32c(0, bytes, 32), 0x46dd794e);
	assert_int_equal(lg_crc32c(0, NULL, 0), 0);
}

static void instruction_and_table_agree_at_every_length(void **state)
{
	unsigned char bytes[300];

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + i / 7);
	for (unsigned length = 0; length < sizeof(bytes) - 8; length++)
		for (unsigned from = 0; from < 8; from++)
			assert_int_equal(lg_crc32c(length, bytes + from, length),
					 lg_crc32c_by_table(length, bytes + from, length));
}

static void pieces_give_the_sum_of_the_whole(void **state)
{
	const char text[] = "large memory whose bytes live in a file";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++)
		assert_int_equal(lg_crc32c(lg_crc32c(0, text, cut), text + cut, sizeof(text) - cut),
				 lg_crc32c(0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_of_known_texts),
		cmocka_unit_test(instruction_and_table_agree_at_every_length),
		cmocka_unit_test(pieces_give_the_sum_of_the_whole),
	};

	return UNIT_RUN(tests);
}
