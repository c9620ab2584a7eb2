/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/key.h"

#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

static void strips_to(const char *target, const char *left)
{
	char text[LG_URL_TARGET_BYTES];

	snprintf(text, sizeof(text), "%s", target);
	lg_key_strip(text);
	assert_string_equal(text, left);
}

static void signatures_are_left_out(void **state)
{
	(void)state;
	strips_to("/a/b", "/a/b");
	strips_to("/a?", "/a?");
	strips_to("/a?b=c", "/a?b=c");
	strips_to("/a?X-Amz-Signature=1&b=c&x-amz-date=2&versionId=3", "/a?b=c&versionId=3");
	strips_to("/a?X-Amz-Signature=1", "/a");
	strips_to("/a?x=1&X-Goog-Signature=2", "/a?x=1");
	strips_to("/a?Expires=5&Signature=6&AWSAccessKeyId=7&x", "/a?x");
	strips_to("/a?Expires=5&Policy=6", "/a?Expires=5&Policy=6"); /* nothing is signed */
	strips_to("/a?sv=1&sp=r&sig=2&x=3", "/a?x=3");
	strips_to("/a?sv=1&sp=r", "/a?sv=1&sp=r");
	strips_to("/a?xsig=1&Signatures=2", "/a?xsig=1&Signatures=2");
	strips_to("/a?b&&c", "/a?b&&c");
}

static void set_up(struct lg_object *object)
{
	memset(object, 0, sizeof(*object));
	object->url.scheme = LG_URL_S3;
	object->address.scheme = LG_URL_HTTPS;
	strcpy(object->address.host, "host");
	strcpy(object->address.target, "/bucket/key");
	strcpy(object->credentials.access_key, "AKID");
	strcpy(object->etag, "\"abc\"");
	object->bytes = 1000;
	object->is_known = true;
}

static struct lg_key key_of(const struct lg_object *object)
{
	struct lg_key key;

	assert_true(lg_key_of_version(object, &key));
	return key;
}

static void differs(const struct lg_object *object, const struct lg_object *other)
{
	struct lg_key one = key_of(object), two = key_of(other);

	assert_memory_not_equal(&one, &two, sizeof(one));
}

static void all_that_matters_is_in_the_key(void **state)
{
	static struct lg_object object, other;
	struct lg_key one, two;

	(void)state;
	set_up(&object);
	set_up(&other);
	one = key_of(&object);
	two = key_of(&other);
	assert_memory_equal(&one, &two, sizeof(one));
	strcpy(other.address.target, "/bucket/kez");
	differs(&object, &other);
	set_up(&other);
	strcpy(other.address.host, "most");
	differs(&object, &other);
	set_up(&other);
	other.address.port = 9;
	differs(&object, &other);
	set_up(&other);
	other.address.scheme = LG_URL_HTTP;
	differs(&object, &other);
	set_up(&other);
	strcpy(other.credentials.access_key, "AKIE");
	differs(&object, &other);
	other.credentials.anonymous = true;
	differs(&object, &other);
	set_up(&other);
	strcpy(other.etag, "\"abd\"");
	differs(&object, &other);
	set_up(&other);
	other.bytes = 1001;
	differs(&object, &other);
	set_up(&other);
	strcpy(other.credentials.secret_key, "another");
	strcat(other.address.target, "?X-Amz-Signature=5");
	two = key_of(&other);
	assert_memory_equal(&one, &two, sizeof(one));
	lg_key_of_block(&one, 0, &two);
	assert_memory_not_equal(&one, &two, sizeof(one));
}

static void only_strong_etags_name_bytes(void **state)
{
	static struct lg_object object;
	struct lg_key key;

	(void)state;
	set_up(&object);
	strcpy(object.etag, "W/\"abc\"");
	assert_false(lg_key_of_version(&object, &key));
	object.etag[0] = '\0';
	assert_false(lg_key_of_version(&object, &key));
	set_up(&object);
	object.is_known = false;
	assert_false(lg_key_of_version(&object, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_left_out),
		cmocka_unit_test(all_that_matters_is_in_the_key),
		cmocka_unit_test(only_strong_etags_name_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
