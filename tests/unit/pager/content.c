/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/content.h"

#include "stress/random.h"
#include "unit/unit.h"

enum { BYTES = 4096 };

static _Alignas(64) unsigned char page[BYTES];

static int start(void **state)
{
	(void)state;
	return lg_content_start();
}

static void page_is_zero_only_if_every_byte_is(void **state)
{
	(void)state;
	memset(page, 0, BYTES);
	assert_true(lg_content_is_zero(page, BYTES));
	for (size_t i = 0; i < BYTES; i++) {
		page[i] = (unsigned char)(1U << i % 8);
		assert_false(lg_content_is_zero(page, BYTES));
		page[i] = 0;
	}
	page[64] = 1;
	assert_true(lg_content_is_zero(page, 64)); /* what is behind is not looked at */
}

static void hash_changes_with_every_bit(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		page[i] = (unsigned char)random_next(&random);
	const uint64_t hash = lg_content_hash(page, BYTES);
	for (size_t bit = 0; bit < (size_t)BYTES * 8; bit++) {
		page[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_true(lg_content_hash(page, BYTES) != hash);
		page[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_true(lg_content_hash(page, BYTES) == hash);
}

/* Zeros are what multiplications lose most easily: a single word anywhere among them counts, by value and place. */
static void hash_sees_sparse_pages_apart(void **state)
{
	enum { WORDS = BYTES / 8 };
	static uint64_t hashes[WORDS];

	(void)state;
	memset(page, 0, BYTES);
	const uint64_t zero = lg_content_hash(page, BYTES);
	assert_true(zero != 0);
	for (size_t i = 0; i < WORDS; i++) {
		page[8 * i] = 1;
		hashes[i] = lg_content_hash(page, BYTES);
		page[8 * i] = 0;
		assert_true(hashes[i] != zero);
		for (size_t k = 0; k < i; k++)
			assert_true(hashes[k] != hashes[i]);
	}
}

static void hash_sees_words_that_changed_places(void **state)
{
	(void)state;
	memset(page, 0, BYTES);
	for (size_t i = 0; i + 8 < BYTES; i += 8) {
		page[i] = 1;
		page[i + 8] = 2;
		uint64_t one = lg_content_hash(page, BYTES);
		page[i] = 2;
		page[i + 8] = 1;
		assert_true(lg_content_hash(page, BYTES) != one);
		page[i] = page[i + 8] = 0;
	}
}

/* Constants that generators and hash tables of programs have in memory; they were the hash's own once. */
static void hash_sees_what_stands_behind_famous_constants(void **state)
{
	static const uint64_t famous[] = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
					   0x94d049bb133111eb, 0xd6e8feb86659fd93,
					   0xa0761d6478bd642f, 0xe7037ed1a0b428db,
					   0x8ebc6af09c88c6e3, 0x589965cc75374cc3 };
	uint64_t words[BYTES / 8] = { 0 };

	(void)state;
	for (size_t k = 0; k < sizeof(famous) / sizeof(famous[0]); k++)
		for (size_t i = 0; i + 1 < BYTES / 8; i++) {
			words[i] = famous[k];
			words[i + 1] = 1;
			uint64_t one = lg_content_hash(words, BYTES);
			words[i + 1] = 2;
			assert_true(lg_content_hash(words, BYTES) != one);
			words[i] = words[i + 1] = 0;
		}
}

static void hash_is_never_zero_and_knows_the_length(void **state)
{
	static _Alignas(64) const unsigned char zeros[2 * BYTES];
	uint64_t before = 0;

	(void)state;
	for (size_t bytes = 64; bytes <= sizeof(zeros); bytes += 64) {
		uint64_t hash = lg_content_hash(zeros, bytes);

		assert_true(hash != 0);
		assert_true(hash != before);
		before = hash;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_zero_only_if_every_byte_is),
		cmocka_unit_test(hash_changes_with_every_bit),
		cmocka_unit_test(hash_sees_sparse_pages_apart),
		cmocka_unit_test(hash_sees_words_that_changed_places),
		cmocka_unit_test(hash_sees_what_stands_behind_famous_constants),
		cmocka_unit_test(hash_is_never_zero_and_knows_the_length),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
