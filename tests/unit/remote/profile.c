/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/profile.h"

#include "unit/unit.h"

#include <errno.h>
#include <unistd.h>

static const char text[] = "# a comment\n"
			   "stray = 1\n"
			   "[default]\n"
			   "aws_access_key_id=AK1\r\n"
			   "  aws_secret_access_key = nested\n"
			   "aws_secret_access_key = a=b/c+d  \n"
			   "; another\n"
			   "\n"
			   "[ work ] # why not\n"
			   "region = eu-west-1\n"
			   "empty =\n"
			   "odd = one\rtwo: three\n"
			   "[default]\n"
			   "region = us-west-2";

static void assert_value(const char *section, const char *key, const char *expected)
{
	char value[32];

	assert_true(lg_profile_find(text, strlen(text), section, key, value, sizeof(value)));
	assert_string_equal(value, expected);
}

static void values_are_found_in_their_sections(void **state)
{
	char value[32] = "kept";

	(void)state;
	assert_value("default", "aws_access_key_id", "AK1");
	assert_value("default", "aws_secret_access_key", "a=b/c+d");
	assert_value("default", "region", "us-west-2");
	assert_value("work", "region", "eu-west-1");
	assert_value("work", "empty", "");
	assert_false(lg_profile_find(text, strlen(text), "work", "odd", value, sizeof(value)));
	assert_false(lg_profile_find(text, strlen(text), "default", "stray", value, sizeof(value)));
	assert_false(lg_profile_find(text, strlen(text), "other", "region", value, sizeof(value)));
	assert_false(lg_profile_find(text, strlen(text), "default", "region", value, 9));
	assert_string_equal(value, "kept");
}

/* Cut anywhere and with any byte changed: the sanitizers are the oracle. */
static void any_text_is_survived(void **state)
{
	size_t length = strlen(text);
	char value[16];

	(void)state;
	for (size_t cut = 0; cut <= length; cut++) {
		char *copy = malloc(cut + 1);

		memcpy(copy, text, cut);
		(void)lg_profile_find(copy, cut, "default", "region", value, sizeof(value));
		for (size_t i = 0; i < cut; i++)
			for (unsigned char c = 0; c < 128; c = (unsigned char)(c * 3 + 1)) {
				copy[i] = (char)c;
				(void)lg_profile_find(copy, cut, "default", "region", value,
						      sizeof(value));
				copy[i] = text[i];
			}
		free(copy);
	}
}

static void files_are_read_or_said_why_not(void **state)
{
	struct lg_profile profile;
	char path[] = "/tmp/lgalloc-profile-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lg_profile_read(path, &profile), 0);
	assert_int_equal(profile.length, strlen(text));
	lg_profile_end(&profile);
	assert_int_equal(ftruncate(fd, 2 << 20), 0);
	assert_int_equal(lg_profile_read(path, &profile), -EFBIG);
	close(fd);
	unlink(path);
	assert_int_equal(lg_profile_read(path, &profile), -ENOENT);
	assert_int_equal(lg_profile_read("/tmp", &profile), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_in_their_sections),
		cmocka_unit_test(any_text_is_survived),
		cmocka_unit_test(files_are_read_or_said_why_not),
	};

	return UNIT_RUN(tests);
}
