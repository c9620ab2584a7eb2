/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/s3.h"

#include "unit/unit.h"

#include <errno.h>

static void assert_address(const char *object, const char *endpoint, const char *region,
			   enum lg_remote_style style, const char *expected)
{
	struct lg_url url, address;
	char text[LG_URL_TEXT_BYTES];

	assert_int_equal(lg_url_parse(object, &url), 0);
	assert_int_equal(lg_s3_address(&url, endpoint, region, style, &address), 0);
	lg_url_text(&address, text);
	assert_string_equal(text, expected);
}

static void buckets_at_aws_are_hosts(void **state)
{
	(void)state;
	assert_address("s3://b/k", "", "us-east-1", LG_STYLE_AUTO,
		       "https://b.s3.us-east-1.amazonaws.com/k");
	assert_address("s3://b/k", "", "cn-north-1", LG_STYLE_AUTO,
		       "https://b.s3.cn-north-1.amazonaws.com.cn/k");
	assert_address("s3://a.b/k", "", "us-east-1", LG_STYLE_AUTO,
		       "https://s3.us-east-1.amazonaws.com/a.b/k");
	assert_address("s3://B_c/k", "", "us-east-1", LG_STYLE_AUTO,
		       "https://s3.us-east-1.amazonaws.com/B_c/k");
	assert_address("s3://b/k", "", "us-east-1", LG_STYLE_PATH,
		       "https://s3.us-east-1.amazonaws.com/b/k");
}

static void buckets_elsewhere_are_paths(void **state)
{
	(void)state;
	assert_address("s3://b/k", "http://127.0.0.1:9000", "x", LG_STYLE_AUTO,
		       "http://127.0.0.1:9000/b/k");
	assert_address("s3://b/k", "https://h/base/", "x", LG_STYLE_AUTO, "https://h/base/b/k");
	assert_address("s3://b/k", "https://h", "x", LG_STYLE_VIRTUAL, "https://b.h/k");
}

static void keys_are_encoded_once(void **state)
{
	(void)state;
	assert_address("s3://b/a b/=&+%41?#\xc3\xa4//.", "http://h", "x", LG_STYLE_AUTO,
		       "http://h/b/a%20b/%3D%26%2B%2541%3F%23%C3%A4//.");
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
	static char text[LG_URL_TARGET_BYTES + 16];
	struct lg_url url, address;

	(void)state;
	assert_int_equal(lg_url_parse("s3://B_c/k", &url), 0);
	assert_int_equal(lg_s3_address(&url, "", "us-east-1", LG_STYLE_VIRTUAL, &address), -EINVAL);
	assert_int_equal(lg_s3_address(&url, "http://[::1]", "x", LG_STYLE_VIRTUAL, &address),
			 -EINVAL);
	assert_int_equal(lg_s3_address(&url, "", "evil.com/", LG_STYLE_AUTO, &address), -EINVAL);
	assert_int_equal(lg_s3_address(&url, "s3://x/y", "", LG_STYLE_AUTO, &address), -EINVAL);
	assert_int_equal(lg_s3_address(&url, "http://h/?q", "", LG_STYLE_AUTO, &address), -EINVAL);
	snprintf(text, sizeof(text), "s3://b/");
	memset(text + 7, ' ', 3000);
	assert_int_equal(lg_url_parse(text, &url), 0);
	assert_int_equal(lg_s3_address(&url, "http://h", "", LG_STYLE_AUTO, &address), -EINVAL);
}

/* A bucket's name is whoever's: signed requests go to the endpoint in any case. */
static void no_bucket_is_another_host(void **state)
{
	static const char *const urls[] = { "s3://evil.com#.x/k",
					    "s3://evil.com?.x/k",
					    "s3://evil.com:1.x/k",

					    "s3://evil.com%2f.x/k",
					    "s3://evil.com\\.x/k",
					    "s3://a..b/k",
					    "s3://a./k",
					    "s3://.a/k",
					    "s3://-a.b/k" };
	struct lg_url url, address;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		assert_int_equal(lg_url_parse(urls[i], &url), 0);
		assert_int_equal(lg_s3_address(&url, "", "us-east-1", LG_STYLE_VIRTUAL, &address),
				 -EINVAL);
		assert_int_equal(lg_s3_address(&url, "", "us-east-1", LG_STYLE_AUTO, &address), 0);
		assert_string_equal(address.host, "s3.us-east-1.amazonaws.com");
	}
	assert_address("s3://a.b-c.d/k", "", "us-east-1", LG_STYLE_VIRTUAL,
		       "https://a.b-c.d.s3.us-east-1.amazonaws.com/k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_at_aws_are_hosts),
		cmocka_unit_test(buckets_elsewhere_are_paths),
		cmocka_unit_test(keys_are_encoded_once),
		cmocka_unit_test(no_bucket_is_another_host),
		cmocka_unit_test(what_cannot_be_asked_for_is_refused),
	};

	return UNIT_RUN(tests);
}
