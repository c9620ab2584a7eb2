/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/url.h"

#include "unit/unit.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>

static void assert_parses(const char *text, const char *whole)
{
	struct lg_url url;
	char again[LG_URL_TEXT_BYTES];

	assert_int_equal(lg_url_parse(text, &url), 0);
	lg_url_text(&url, again);
	assert_string_equal(again, whole);
}

static void http_urls_are_made_fit_for_a_request(void **state)
{
	(void)state;
	assert_parses("http://host", "http://host/");
	assert_parses("HTTP://Host:80/A?b=c#d", "http://host/A?b=c");
	assert_parses("https://h:443/", "https://h/");
	assert_parses("https://h:8443/", "https://h:8443/");
	assert_parses("http://[::1]:8080/x", "http://[::1]:8080/x");
	assert_parses("http://h/a b\r\nHost: x", "http://h/a%20b%0D%0AHost:%20x");
	assert_parses("http://h/\xc3\xa4%41", "http://h/%C3%A4%41");
	assert_parses("http://h?q", "http://h/?q");
	assert_parses("http://h/a/../b", "http://h/a/../b");
}

static void s3_urls_are_bucket_and_key(void **state)
{
	struct lg_url url;

	(void)state;
	assert_int_equal(lg_url_parse("s3://bucket/a/b?c#d%20", &url), 0);
	assert_int_equal(url.scheme, LG_URL_S3);
	assert_string_equal(url.host, "bucket");
	assert_string_equal(url.target, "a/b?c#d%20");
}

static void what_is_no_url_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"ftp://h/",
		"http:/h",
		"/path",
		"http://",
		"http:///path",
		"http://h:0/",
		"http://h:x/",
		"http://h:65536/",
		"http://h:/",
		"http://a b/",
		"http://h\n/",
		"http://[::1/",
		"http://[]/",
		"http://[::1]x/",
		"s3://",
		"s3://bucket",
		"s3://bucket/",
		"s3:///key",
		"s3://bu\nket/key",
		"s3://b cket/key",
		"http://[x]/",
	};
	struct lg_url url;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lg_url_parse(bad[i], &url), -EINVAL);
		assert_string_not_equal(lg_error(), "");
	}
	assert_int_equal(lg_url_parse(NULL, &url), -EINVAL);
}

static void passwords_are_refused_and_not_shown(void **state)
{
	struct lg_url url;

	(void)state;
	assert_int_equal(lg_url_parse("https://user:hunter2@host/", &url), -EINVAL);
	assert_null(strstr(lg_error(), "hunter2"));
	assert_int_equal(lg_url_parse("s3://AKID:hunter2@bucket/key", &url), -EINVAL);
	assert_null(strstr(lg_error(), "hunter2"));
}

static void lengths_are_bounded(void **state)
{
	static char text[20000];
	struct lg_url url;

	(void)state;
	for (size_t length = 1; length < 300; length++) {
		snprintf(text, sizeof(text), "http://%0*d/", (int)length, 0);
		assert_int_equal(lg_url_parse(text, &url), length <= 254 ? 0 : -EINVAL);
	}
	for (size_t length = 8170; length < 8210; length++) {
		snprintf(text, sizeof(text), "http://h/%0*d", (int)length, 0);
		assert_int_equal(lg_url_parse(text, &url), length <= 8188 ? 0 : -EINVAL);
		snprintf(text, sizeof(text), "s3://h/%0*d", (int)length, 0);
		assert_int_equal(lg_url_parse(text, &url), length <= 8191 ? 0 : -EINVAL);
	}
}

static void names_for_messages_have_no_query(void **state)
{
	struct lg_url url;
	char name[LG_URL_NAME_BYTES];

	(void)state;
	assert_int_equal(lg_url_parse("https://h:1/p?X-Amz-Signature=abc", &url), 0);
	lg_url_name(&url, name);
	assert_string_equal(name, "https://h:1/p");
	assert_int_equal(lg_url_parse("s3://b/k\ney?x", &url), 0);
	lg_url_name(&url, name);
	assert_string_equal(name, "s3://b/k?ey?x");
}

static void assert_leads(const char *location, const char *whole)
{
	struct lg_url from, to;
	char text[LG_URL_TEXT_BYTES];

	assert_int_equal(lg_url_parse("https://h:8443/a/b?q", &from), 0);
	assert_int_equal(lg_url_redirect(&from, location, &to), 0);
	lg_url_text(&to, text);
	assert_string_equal(text, whole);
}

static void redirects_lead_where_they_say(void **state)
{
	struct lg_url from, to;

	(void)state;
	assert_leads("http://other/x", "http://other/x");
	assert_leads("//other/x", "https://other/x");
	assert_leads("/x?y", "https://h:8443/x?y");
	assert_leads("x", "https://h:8443/a/x");
	assert_leads("?r", "https://h:8443/a/b?r");
	assert_int_equal(lg_url_parse("https://h/", &from), 0);
	assert_int_equal(lg_url_redirect(&from, "file:///etc/passwd", &to), -EINVAL);
	assert_int_equal(lg_url_redirect(&from, "s3://b/k", &to), -EINVAL);
	assert_int_equal(lg_url_redirect(&from, "https://user:pw@h/", &to), -EINVAL);
}

static void origins_are_scheme_host_and_port(void **state)
{
	struct lg_url one, other;

	(void)state;
	assert_int_equal(lg_url_parse("https://h/a", &one), 0);
	assert_int_equal(lg_url_parse("https://H:443/b", &other), 0);
	assert_true(lg_url_same_origin(&one, &other));
	assert_int_equal(lg_url_parse("http://h:443/a", &other), 0);
	assert_false(lg_url_same_origin(&one, &other));
	assert_int_equal(lg_url_parse("https://h.evil/a", &other), 0);
	assert_false(lg_url_same_origin(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_urls_are_made_fit_for_a_request),
		cmocka_unit_test(s3_urls_are_bucket_and_key),
		cmocka_unit_test(what_is_no_url_is_refused),
		cmocka_unit_test(passwords_are_refused_and_not_shown),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(names_for_messages_have_no_query),
		cmocka_unit_test(redirects_lead_where_they_say),
		cmocka_unit_test(origins_are_scheme_host_and_port),
	};

	return UNIT_RUN(tests);
}
