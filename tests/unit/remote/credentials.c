/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/credentials.h"

#include "unit/unit.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[] = "/tmp/lgalloc-home-XXXXXX";
static struct lg_remote_options options;
static struct lg_credentials found;

static void write_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/.aws/%s", home, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/.aws/%s", home, name);
	unlink(path);
}

static int start(void **state)
{
	static const char *const names[] = { "AWS_ACCESS_KEY_ID",
					     "AWS_SECRET_ACCESS_KEY",
					     "AWS_SESSION_TOKEN",
					     "AWS_PROFILE",
					     "AWS_REGION",
					     "AWS_DEFAULT_REGION",
					     "AWS_ENDPOINT_URL",
					     "AWS_ENDPOINT_URL_S3",
					     "AWS_SHARED_CREDENTIALS_FILE",
					     "AWS_CONFIG_FILE" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	remove_file("credentials");
	remove_file("config");
	lg_remote_options_start(&options);
	return 0;
}

static void assert_keys(const char *access, const char *secret, const char *token)
{
	assert_int_equal(lg_credentials_find(&options, &found), 0);
	assert_string_equal(found.access_key, access);
	assert_string_equal(found.secret_key, secret);
	assert_string_equal(found.session_token, token);
}

static void nothing_is_an_error_unless_anonymous(void **state)
{
	(void)state;
	assert_int_equal(lg_credentials_find(&options, &found), -EACCES);
	options.anonymous = 1;
	assert_keys("", "", "");
	assert_true(found.anonymous);
	assert_string_equal(found.region, "us-east-1");
	assert_string_equal(found.endpoint, "");
}

static void options_come_before_the_environment_before_files(void **state)
{
	(void)state;
	write_file("config", "[default]\naws_access_key_id=c\naws_secret_access_key=cs\n"
			     "region=c-region\nendpoint_url=http://c\n");
	assert_keys("c", "cs", "");
	assert_string_equal(found.region, "c-region");
	assert_string_equal(found.endpoint, "http://c");
	write_file("credentials", "[default]\naws_access_key_id=f\naws_secret_access_key=fs\n"
				  "aws_session_token=ft\n");
	assert_keys("f", "fs", "ft");
	setenv("AWS_ACCESS_KEY_ID", "e", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
	setenv("AWS_DEFAULT_REGION", "d-region", 1);
	setenv("AWS_ENDPOINT_URL", "http://e", 1);
	assert_keys("e", "es", "");
	assert_string_equal(found.region, "d-region");
	assert_string_equal(found.endpoint, "http://e");
	setenv("AWS_REGION", "e-region", 1);
	setenv("AWS_ENDPOINT_URL_S3", "http://e3", 1);
	strcpy(options.access_key, "o");
	strcpy(options.secret_key, "os");
	strcpy(options.session_token, "ot");
	assert_keys("o", "os", "ot");
	assert_string_equal(found.region, "e-region");
	assert_string_equal(found.endpoint, "http://e3");
	strcpy(options.region, "o-region");
	strcpy(options.endpoint, "http://o");
	assert_keys("o", "os", "ot");
	assert_string_equal(found.region, "o-region");
	assert_string_equal(found.endpoint, "http://o");
}

static void profiles_are_sections(void **state)
{
	(void)state;
	write_file("credentials", "[work]\naws_access_key_id=w\naws_secret_access_key=ws\n");
	write_file("config", "[profile work]\nregion=w-region\n[work]\nregion=wrong\n");
	setenv("AWS_PROFILE", "work", 1);
	assert_keys("w", "ws", "");
	assert_string_equal(found.region, "w-region");
	setenv("AWS_ACCESS_KEY_ID", "e", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
	assert_keys("e", "es", "");
	strcpy(options.profile, "work");
	assert_keys("w", "ws", "");
	strcpy(options.profile, "other");
	assert_int_equal(lg_credentials_find(&options, &found), -EACCES);
}

static void half_a_pair_is_refused_and_not_shown(void **state)
{
	(void)state;
	setenv("AWS_SECRET_ACCESS_KEY", "hunter2", 1);
	assert_int_equal(lg_credentials_find(&options, &found), -EINVAL);
	assert_null(strstr(lg_error(), "hunter2"));
	strcpy(options.access_key, "hunter3");
	assert_int_equal(lg_credentials_find(&options, &found), -EINVAL);
	assert_null(strstr(lg_error(), "hunter3"));
	assert_string_equal(found.access_key, "");
}

/* It would be a header more in each request. */
static void a_token_of_two_lines_is_none(void **state)
{
	(void)state;
	strcpy(options.access_key, "a");
	strcpy(options.secret_key, "as");
	strcpy(options.session_token, "token\r\nX-Other: x");
	assert_keys("a", "as", "");
}

static void other_files_can_be_named(void **state)
{
	char path[128];

	(void)state;
	write_file("other", "[default]\naws_access_key_id=n\naws_secret_access_key=ns\n");
	snprintf(path, sizeof(path), "%s/.aws/other", home);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	assert_keys("n", "ns", "");
	remove_file("other");
}

static void only_the_same_keys_are_equal(void **state)
{
	struct lg_credentials one = { .access_key = "a", .secret_key = "b", .session_token = "c" };
	struct lg_credentials other = one;

	(void)state;
	assert_true(lg_credentials_equal(&one, &other));
	strcpy(other.session_token, "d");
	assert_false(lg_credentials_equal(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_an_error_unless_anonymous, start),
		cmocka_unit_test_setup(options_come_before_the_environment_before_files, start),
		cmocka_unit_test_setup(profiles_are_sections, start),
		cmocka_unit_test_setup(half_a_pair_is_refused_and_not_shown, start),
		cmocka_unit_test_setup(a_token_of_two_lines_is_none, start),
		cmocka_unit_test_setup(other_files_can_be_named, start),
		cmocka_unit_test_setup(only_the_same_keys_are_equal, start),
	};
	char path[128];

	if (mkdtemp(home) == NULL)
		return 1;
	setenv("HOME", home, 1);
	snprintf(path, sizeof(path), "%s/.aws", home);
	if (mkdir(path, 0700) != 0)
		return 1;
	int failed = UNIT_RUN(tests);
	start(NULL);
	rmdir(path);
	rmdir(home);
	return failed;
}
