/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any answer: lines of a header, then, behind an empty line, a body. Claims: numbers make sense or were not said; texts are
 * of one line, so that one that goes into the next request is no header more; waiting has a bound.
 */
#include "fuzz/must.h"
#include "remote/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUE_BYTES = 64, WAIT_MOST_MS = 86400000 };

static void check_text(const char *text, size_t capacity)
{
	MUST(strnlen(text, capacity) < capacity && is_one_line(text));
}

static void check_answer(const struct lg_answer *answer)
{
	MUST(answer->status >= 0 && answer->status < 1000);
	MUST(!(answer->has_range && answer->bad_range));
	if (answer->has_range)
		MUST(answer->first <= answer->last && answer->last < answer->total &&
		     answer->total <= INT64_MAX);
	MUST(answer->length == LG_ANSWER_NONE || answer->length <= INT64_MAX);
	MUST(answer->total == LG_ANSWER_NONE || answer->total <= INT64_MAX);
	check_text(answer->etag, sizeof(answer->etag));
	check_text(answer->modified, sizeof(answer->modified));
	check_text(answer->date, sizeof(answer->date));
	check_text(answer->retry_after, sizeof(answer->retry_after));
	check_text(answer->region, sizeof(answer->region));
	check_text(answer->location, sizeof(answer->location));
	MUST(lg_answer_wait_ms(answer, 0) <= WAIT_MOST_MS);
	MUST(lg_answer_wait_ms(answer, INT64_MAX) <= WAIT_MOST_MS);
}

static void check_element(const char *body, size_t length, const char *name)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	char value[VALUE_BYTES] = "";

	if (!lg_answer_element(body, length, name, value, sizeof(value)))
		return;
	MUST(value[0] != '\0' && strnlen(value, sizeof(value)) < sizeof(value));
	MUST(strspn(value, fine) == strlen(value));
	MUST(memmem(body, length, value, strlen(value)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lg_answer answer;
	int64_t seconds;
	bool more = true;

	lg_answer_start(&answer);
	while (more && size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end != NULL ? (size_t)(end - data) + 1 : size;
		char *line = malloc(length); /* as it comes: with its end, and without a zero */

		MUST(line != NULL);
		memcpy(line, data, length);
		lg_answer_line(&answer, line, length);
		(void)lg_answer_date(answer.date, &seconds);
		check_answer(&answer);
		free(line);
		data += length;
		size -= length;
		more = length > 2;
	}
	char *body = malloc(size + (size == 0));
	MUST(body != NULL);
	if (size > 0)
		memcpy(body, data, size);
	check_element(body, size, "Code");
	check_element(body, size, "Region");
	free(body);
	return 0;
}
