/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Who asks S3, and where: options, else the environment, else the files in ~/.aws.
 *
 *   keys      access_key, secret_key, session_token; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN;
 *             the profile's aws_access_key_id … in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), then in
 *             AWS_CONFIG_FILE (~/.aws/config). The first place that has both keys is the one. An option
 *             `profile` comes before the environment's keys.
 *   profile   AWS_PROFILE, "default"
 *   region    AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1
 *   endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's endpoint_url, none: AWS itself
 */
#ifndef LG_REMOTE_CREDENTIALS_H
#define LG_REMOTE_CREDENTIALS_H

#include "remote/options.h"

#include <stdbool.h>

struct lg_credentials {
	bool anonymous; /* no keys, and nothing is signed */
	char access_key[sizeof(((struct lg_remote_options *)NULL)->access_key)];
	char secret_key[sizeof(((struct lg_remote_options *)NULL)->secret_key)];
	char session_token[sizeof(((struct lg_remote_options *)NULL)->session_token)];
	char region[sizeof(((struct lg_remote_options *)NULL)->region)];
	char endpoint[sizeof(((struct lg_remote_options *)NULL)->endpoint)]; /* "": AWS */
};

/*
 * -EACCES in words: there are none, and anonymous was not asked for. -EINVAL: half of a pair. -errno: a file
 * cannot be read. Nothing in words is a secret.
 */
int lg_credentials_find(const struct lg_remote_options *options, struct lg_credentials *found);

/* The keys are the same, and a request signed with one fails as with the other. */
bool lg_credentials_equal(const struct lg_credentials *one, const struct lg_credentials *other);

void lg_credentials_wipe(struct lg_credentials *credentials);

#endif
