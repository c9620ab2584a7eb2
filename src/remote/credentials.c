/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/credentials.h"

#include "base/error.h"
#include "remote/line.h"
#include "remote/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

/* Both files, and what the profile's section is called in each. */
struct files {
	struct lg_profile credentials;
	struct lg_profile config;
	char name[sizeof(((struct lg_remote_options *)NULL)->profile)];
	char section[sizeof(((struct lg_remote_options *)NULL)->profile) + 8];
};

static const char *variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A value that does not fit, or cannot stand in a request, is as none, and is found missing later. */
static bool set(char *to, size_t capacity, const char *from)
{
	if (from == NULL || from[0] == '\0' || strlen(from) >= capacity ||
	    !lg_line_holds(from, strlen(from)))
		return false;
	memcpy(to, from, strlen(from) + 1);
	return true;
}

static int read_file(const char *name, const char *home_name, struct lg_profile *profile)
{
	const char *path = variable(name), *home = variable("HOME");
	char text[PATH_BYTES];

	if (path == NULL) {
		if (home == NULL ||
		    snprintf(text, sizeof(text), "%s/%s", home, home_name) >= (int)sizeof(text))
			return 0;
		path = text;
	}
	int error = lg_profile_read(path, profile);
	return error == -ENOENT ? 0 : error;
}

static int open_files(const struct lg_remote_options *options, struct files *files)
{
	const char *name = options->profile[0] != '\0' ? options->profile : variable("AWS_PROFILE");

	*files = (struct files){ .name = "default" };
	(void)set(files->name, sizeof(files->name), name);
	snprintf(files->section, sizeof(files->section), "%s%s",
		 strcmp(files->name, "default") == 0 ? "" : "profile ", files->name);
	int error =
		read_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &files->credentials);
	if (error == 0)
		error = read_file("AWS_CONFIG_FILE", ".aws/config", &files->config);
	return error;
}

static void close_files(struct files *files)
{
	lg_profile_end(&files->credentials);
	lg_profile_end(&files->config);
}

/* 1: here they are; 0: they are not here; -EINVAL: half of them. */
static int check_pair(const struct lg_credentials *found, const char *where)
{
	bool access = found->access_key[0] != '\0', secret = found->secret_key[0] != '\0';

	if (access != secret)
		return lg_fail(EINVAL, "%s have an %s key, but no %s key", where,
			       access ? "access" : "secret", access ? "secret" : "access");
	return access;
}

static void clear_keys(struct lg_credentials *found)
{
	explicit_bzero(found->access_key, sizeof(found->access_key));
	explicit_bzero(found->secret_key, sizeof(found->secret_key));
	explicit_bzero(found->session_token, sizeof(found->session_token));
}

static int from_options(const struct lg_remote_options *options, struct lg_credentials *found)
{
	(void)set(found->access_key, sizeof(found->access_key), options->access_key);
	(void)set(found->secret_key, sizeof(found->secret_key), options->secret_key);
	(void)set(found->session_token, sizeof(found->session_token), options->session_token);
	return check_pair(found, "the options");
}

static int from_environment(struct lg_credentials *found)
{
	(void)set(found->access_key, sizeof(found->access_key), variable("AWS_ACCESS_KEY_ID"));
	(void)set(found->secret_key, sizeof(found->secret_key), variable("AWS_SECRET_ACCESS_KEY"));
	(void)set(found->session_token, sizeof(found->session_token),
		  variable("AWS_SESSION_TOKEN"));
	return check_pair(found, "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

static int from_file(const struct lg_profile *file, const char *section, const char *where,
		     struct lg_credentials *found)
{
	clear_keys(found);
	if (file->text == NULL)
		return 0;
	(void)lg_profile_find(file->text, file->length, section, "aws_access_key_id",
			      found->access_key, sizeof(found->access_key));
	(void)lg_profile_find(file->text, file->length, section, "aws_secret_access_key",
			      found->secret_key, sizeof(found->secret_key));
	(void)lg_profile_find(file->text, file->length, section, "aws_session_token",
			      found->session_token, sizeof(found->session_token));
	return check_pair(found, where);
}

static int from_files(const struct files *files, struct lg_credentials *found)
{
	int have = from_file(&files->credentials, files->name, "the credentials file's profile",
			     found);

	return have != 0 ? have :
			   from_file(&files->config, files->section, "the config file's profile",
				     found);
}

/* `unreadable`: why the files could not be read, in words already; who has keys otherwise does not need them. */
static int find_keys(const struct lg_remote_options *options, const struct files *files,
		     int unreadable, struct lg_credentials *found)
{
	if (options->anonymous != 0) {
		found->anonymous = true;
		return 0;
	}
	int have = from_options(options, found);
	if (have == 0 && options->profile[0] == '\0')
		have = from_environment(found);
	if (have == 0)
		have = from_files(files, found);
	if (have != 0)
		return have < 0 ? have : 0;
	if (unreadable != 0)
		return unreadable;
	return lg_fail(EACCES,
		       "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
		       "profile %s in ~/.aws/credentials; or anonymous:on",
		       files->name);
}

/* A setting of the profile, in either file. */
static bool find_setting(const struct files *files, const char *key, char *value, size_t capacity)
{
	const struct lg_profile *config = &files->config, *other = &files->credentials;

	return (config->text != NULL && lg_profile_find(config->text, config->length,
							files->section, key, value, capacity)) ||
	       (other->text != NULL &&
		lg_profile_find(other->text, other->length, files->name, key, value, capacity));
}

static void find_place(const struct lg_remote_options *options, const struct files *files,
		       struct lg_credentials *found)
{
	size_t region = sizeof(found->region), endpoint = sizeof(found->endpoint);

	if (!set(found->region, region, options->region) &&
	    !set(found->region, region, variable("AWS_REGION")) &&
	    !set(found->region, region, variable("AWS_DEFAULT_REGION")) &&
	    !find_setting(files, "region", found->region, region))
		(void)set(found->region, region, "us-east-1");
	if (!set(found->endpoint, endpoint, options->endpoint) &&
	    !set(found->endpoint, endpoint, variable("AWS_ENDPOINT_URL_S3")) &&
	    !set(found->endpoint, endpoint, variable("AWS_ENDPOINT_URL")))
		(void)find_setting(files, "endpoint_url", found->endpoint, endpoint);
}

int lg_credentials_find(const struct lg_remote_options *options, struct lg_credentials *found)
{
	struct files files;
	int unreadable = open_files(options, &files);

	memset(found, 0, sizeof(*found));
	int error = find_keys(options, &files, unreadable, found);
	if (error == 0)
		find_place(options, &files, found);
	else
		lg_credentials_wipe(found);
	close_files(&files);
	return error;
}

bool lg_credentials_equal(const struct lg_credentials *one, const struct lg_credentials *other)
{
	return strcmp(one->access_key, other->access_key) == 0 &&
	       strcmp(one->secret_key, other->secret_key) == 0 &&
	       strcmp(one->session_token, other->session_token) == 0;
}

void lg_credentials_wipe(struct lg_credentials *credentials)
{
	explicit_bzero(credentials, sizeof(*credentials));
}
