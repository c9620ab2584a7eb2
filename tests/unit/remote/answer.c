/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/answer.h"

#include "unit/unit.h"

static struct lg_answer answer;

static void line(const char *text)
{
	lg_answer_line(&answer, text, strlen(text));
}

static void lines_are_understood(void **state)
{
	(void)state;
	lg_answer_start(&answer);
	line("HTTP/1.1 206 Partial Content\r\n");
	line("content-LENGTH: 10\r\n");
	line("Content-Range:bytes 5-14/100\r\n");
	line("ETag:  \"a b\" \r\n");
	line("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	line("Retry-After: 3\r\n");
	line("x-amz-bucket-region: eu-west-1\r\n");
	line("Location: /there\r\n");
	line("\r\n");
	assert_int_equal(answer.status, 206);
	assert_int_equal(answer.length, 10);
	assert_true(answer.has_range);
	assert_int_equal(answer.first, 5);
	assert_int_equal(answer.last, 14);
	assert_int_equal(answer.total, 100);
	assert_string_equal(answer.etag, "\"a b\"");
	assert_string_equal(answer.modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(lg_answer_wait_ms(&answer, 0), 3000);
	assert_string_equal(answer.region, "eu-west-1");
	assert_string_equal(answer.location, "/there");
	line("HTTP/1.1 200 OK\r\n");
	assert_int_equal(answer.status, 200);
	assert_false(answer.has_range);
	assert_int_equal(answer.length, LG_ANSWER_NONE);
	assert_string_equal(answer.etag, "");
}

static void ranges_have_to_make_sense(void **state)
{
	static const char *const bad[] = {
		"bytes 5-4/100",
		"bytes 0-100/100",
		"bytes -5/100",
		"bytes 0-4",
		"bytes 0-4/*",
		"bytes 0-4/5x",
		"octets 0-4/5",
		"",
		"bytes 99999999999999999999-1/2",
		"bytes 0 - 4/ 5",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lg_answer_start(&answer);
		snprintf(text, sizeof(text), "Content-Range: %s\r\n", bad[i]);
		line(text);
		assert_false(answer.has_range);
		assert_true(answer.bad_range);
	}
	lg_answer_start(&answer);
	line("Content-Range: bytes */0\r\n");
	assert_false(answer.has_range);
	assert_false(answer.bad_range);
	assert_int_equal(answer.total, 0);
	line("Content-Range: bytes 0-9/100\r\n");
	assert_true(answer.has_range);
	line("Content-Range: bytes 50-\r\n"); /* of two the last counts */
	assert_false(answer.has_range);
	assert_true(answer.bad_range);
}

/* They go into the next request, as If-Match, or into the signature's scope. */
static void no_value_is_another_line(void **state)
{
	(void)state;
	lg_answer_start(&answer);
	line("ETag: \"a\"\rX-Other: b\r\n");
	assert_string_equal(answer.etag, "");
	line("Last-Modified: now\vthen\r\n");
	assert_string_equal(answer.modified, "");
	line("x-amz-bucket-region: eu\x7fwest\r\n");
	assert_string_equal(answer.region, "");
	line("ETag: \"a\tb\"\r\n");
	assert_string_equal(answer.etag, "\"a\tb\"");
}

static void what_does_not_fit_is_as_not_said(void **state)
{
	static char text[20000];

	(void)state;
	lg_answer_start(&answer);
	snprintf(text, sizeof(text), "ETag: \"%0300d\"\r\n", 0);
	line(text);
	assert_string_equal(answer.etag, "");
	snprintf(text, sizeof(text), "Location: /%015000d\r\n", 0);
	line(text);
	assert_string_equal(answer.location, "");
	line("Content-Length: 99999999999999999999\r\n");
	assert_int_equal(answer.length, LG_ANSWER_NONE);
	line("Content-Length: 5x\r\n");
	assert_int_equal(answer.length, LG_ANSWER_NONE);
}

static void dates_are_those_of_http(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(lg_answer_date("Sun, 06 Nov 1994 08:49:37 GMT", &seconds));
	assert_int_equal(seconds, 784111777);
	assert_false(lg_answer_date("Sun, 06 Nov 1994 08:49:37", &seconds));
	assert_false(lg_answer_date("Sun, 06 Nox 1994 08:49:37 GMT", &seconds));
	assert_false(lg_answer_date("Sun, 06 anF 1994 08:49:37 GMT", &seconds));
	assert_false(lg_answer_date("", &seconds));
	lg_answer_start(&answer);
	line("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	assert_int_equal(lg_answer_wait_ms(&answer, 784111770), 7000);
	assert_int_equal(lg_answer_wait_ms(&answer, 784111780), 0);
	line("Retry-After: -1\r\n");
	assert_int_equal(lg_answer_wait_ms(&answer, 0), 0);
	line("Retry-After: 999999999\r\n");
	assert_int_equal(lg_answer_wait_ms(&answer, 0), 86400000);
}

static bool element(const char *body, const char *name, char *value)
{
	return lg_answer_element(body, strlen(body), name, value, 16);
}

static void elements_are_plain_words(void **state)
{
	char value[16];

	(void)state;
	assert_true(element("<Error><Code>SlowDown</Code>", "Code", value));
	assert_string_equal(value, "SlowDown");
	assert_false(element("<Code></Code>", "Code", value));
	assert_false(element("<Code>Slow", "Code", value));
	assert_false(element("<Code>a b</Code>", "Code", value));
	assert_false(element("<Code>0123456789abcdef</Code>", "Code", value));
	assert_false(element("<Other>x</Other>", "Code", value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_understood),
		cmocka_unit_test(ranges_have_to_make_sense),
		cmocka_unit_test(no_value_is_another_line),
		cmocka_unit_test(what_does_not_fit_is_as_not_said),
		cmocka_unit_test(dates_are_those_of_http),
		cmocka_unit_test(elements_are_plain_words),
	};

	return UNIT_RUN(tests);
}
