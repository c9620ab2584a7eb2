/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "answers.h"

#include <stddef.h>
#include <string.h>

static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
	return sum ^ sum >> 32;
}

static uint64_t mix_bytes(uint64_t sum, const unsigned char *bytes, size_t length)
{
	uint64_t word = 0;

	sum = mix(sum, length);
	for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = mix(sum, word);
	}
	word = 0;
	if (length > 0)
		memcpy(&word, bytes, length);
	return mix(sum, word);
}

void answers_add(struct answers *answers, sqlite3_stmt *statement)
{
	int columns = sqlite3_column_count(statement);
	uint64_t sum = answers->sum;

	for (int i = 0; i < columns; i++) {
		int type = sqlite3_column_type(statement, i);
		double real = sqlite3_column_double(statement, i);
		uint64_t bits;

		sum = mix(sum, (uint64_t)type);
		if (type == SQLITE_INTEGER) {
			sum = mix(sum, (uint64_t)sqlite3_column_int64(statement, i));
		} else if (type == SQLITE_FLOAT) {
			memcpy(&bits, &real, sizeof(bits));
			sum = mix(sum, bits);
		} else if (type != SQLITE_NULL) {
			const void *bytes = sqlite3_column_blob(statement, i);

			sum = mix_bytes(sum, bytes, (size_t)sqlite3_column_bytes(statement, i));
		}
	}
	answers->sum = sum;
	answers->rows++;
}
