/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Signatures that AWS publishes: its test suite of version 4, and the examples in S3's own documentation. */
#include "remote/signature.h"

#include "unit/unit.h"

#include <errno.h>

#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const struct lg_signer suite = {
	.access_key = "AKIDEXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
	.time = "20150830T123600Z",
};

static const struct lg_signer s3 = {
	.access_key = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
	.time = "20130524T000000Z",
};

static void assert_suite(const char *method, const char *target,
			 const struct lg_signed_header *more, const char *expected)
{
	struct lg_signed_header headers[4] = { { "host", "example.amazonaws.com" } };
	struct lg_signed_request request = { method, target, LG_SIGNATURE_NOTHING, headers, 1 };
	char value[512], whole[512];
	char names[128] = "host";

	for (; more != NULL && more->name != NULL; more++) {
		headers[request.count++] = *more;
		strcat(strcat(names, ";"), more->name);
	}
	headers[request.count++] = (struct lg_signed_header){ "x-amz-date", suite.time };
	assert_int_equal(lg_signature_make(&suite, &request, value, sizeof(value)), 0);
	snprintf(whole, sizeof(whole),
		 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=%s;x-amz-date, Signature=%s",
		 names, expected);
	assert_string_equal(value, whole);
}

static void signatures_of_the_test_suite(void **state)
{
	static const struct {
		const char *method, *target, *signature;
	} vectors[] = {
		{ "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
		{ "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
		{ "GET", "/?Param2=value2&Param1=value1",
		  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
		{ "GET", "/?Param1=value1",
		  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
		{ "GET", "/?Param1=value2&Param1=value1",
		  "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694" },
		{ "GET", "/" UNRESERVED,
		  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
		{ "GET", "/?" UNRESERVED "=" UNRESERVED,
		  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
		{ "GET", "/%E1%88%B4",
		  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
		{ "GET", "/?%E1%88%B4=bar",
		  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_suite(vectors[i].method, vectors[i].target, NULL, vectors[i].signature);
}

static void headers_of_the_test_suite_are_signed(void **state)
{
	const struct lg_signed_header doubled[] = { { "my-header1", "value2,value2,value1" },
						    { NULL, NULL } };
	const struct lg_signed_header trimmed[] = { { "my-header1", "value1" },
						    { "my-header2", "\"a b c\"" },
						    { NULL, NULL } };

	(void)state;
	assert_suite("GET", "/", doubled,
		     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
	assert_suite("GET", "/", trimmed,
		     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

static void assert_s3(const char *target, const char *range, const char *expected)
{
	struct lg_signed_header headers[4] = { { "host", "examplebucket.s3.amazonaws.com" } };
	struct lg_signed_request request = { "GET", target, LG_SIGNATURE_NOTHING, headers, 1 };
	char value[512];

	if (range != NULL)
		headers[request.count++] = (struct lg_signed_header){ "range", range };
	headers[request.count++] =
		(struct lg_signed_header){ "x-amz-content-sha256", LG_SIGNATURE_NOTHING };
	headers[request.count++] = (struct lg_signed_header){ "x-amz-date", s3.time };
	assert_int_equal(lg_signature_make(&s3, &request, value, sizeof(value)), 0);
	assert_string_equal(strstr(value, "Signature=") + strlen("Signature="), expected);
}

static void signatures_of_the_examples_of_s3(void **state)
{
	(void)state;
	assert_s3("/test.txt", "bytes=0-9",
		  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	assert_s3("/?lifecycle", NULL,
		  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	assert_s3("/?max-keys=2&prefix=J", NULL,
		  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void what_does_not_fit_is_an_error(void **state)
{
	const struct lg_signed_header host = { "host", "h" };
	struct lg_signed_request request = { "GET", "/", LG_SIGNATURE_NOTHING, &host, 1 };
	char value[512], query[512] = "/?";
	size_t enough;

	(void)state;
	assert_int_equal(lg_signature_make(&suite, &request, value, sizeof(value)), 0);
	enough = strlen(value) + 1;
	for (size_t capacity = 0; capacity < enough; capacity++)
		assert_int_equal(lg_signature_make(&suite, &request, value, capacity),
				 -ENAMETOOLONG);
	assert_int_equal(lg_signature_make(&suite, &request, value, enough), 0);
	for (unsigned i = 0; i < 65; i++)
		strcat(query, "a=b&");
	request.target = query;
	assert_int_equal(lg_signature_make(&suite, &request, value, sizeof(value)), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_of_the_test_suite),
		cmocka_unit_test(headers_of_the_test_suite_are_signed),
		cmocka_unit_test(signatures_of_the_examples_of_s3),
		cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return UNIT_RUN(tests);
}
