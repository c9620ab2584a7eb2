/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/s3.h"

#include "base/error.h"
#include "remote/percent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_MOST = 63 };

/* One part of a host's name, up to a dot or the end; its length, or 0. */
static size_t label_length(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	bool fine = length > 0 && length <= LABEL_MOST && text[0] != '-' && text[length - 1] != '-';

	return fine && (text[length] == '\0' || text[length] == '.') ? length : 0;
}

static bool is_label(const char *text)
{
	size_t length = label_length(text);

	return length > 0 && text[length] == '\0';
}

/* Labels with dots between them: nothing in it can end the host's name before the endpoint's begins. */
static bool is_name(const char *text)
{
	size_t length;

	while ((length = label_length(text)) > 0 && text[length] == '.')
		text += length + 1;
	return length > 0;
}

static bool is_chinese(const char *region)
{
	return strncmp(region, "cn-", 3) == 0;
}

static int parse_endpoint(const char *endpoint, const char *region, struct lg_url *address)
{
	char text[LG_URL_HOST_BYTES];
	int error;

	if (endpoint[0] == '\0') {
		if (!is_label(region))
			return lg_fail(EINVAL, "option region: '%.63s' is not the name of a region",
				       region);
		snprintf(text, sizeof(text), "https://s3.%s.amazonaws.com%s", region,
			 is_chinese(region) ? ".cn" : "");
		endpoint = text;
	}
	error = lg_url_parse(endpoint, address);
	if (error == 0 && (address->scheme == LG_URL_S3 || strchr(address->target, '?') != NULL))
		return lg_fail(EINVAL,
			       "an endpoint is http://host or https://host, with a port and a "
			       "path if need be: this one is not");
	return error;
}

/* The endpoint's path, the bucket if it goes there, the key. */
static int set_target(const struct lg_url *object, bool in_path, struct lg_url *address)
{
	char *target = address->target;
	size_t length = strlen(target), capacity = sizeof(address->target);
	int more = 0;

	while (length > 0 && target[length - 1] == '/')
		length--;
	target[length++] = '/';
	if (in_path) {
		more = lg_percent_encode(object->host, strlen(object->host), "", target + length,
					 capacity - length);
		if (more >= 0)
			length += (size_t)more;
		if (more >= 0 && length + 1 < capacity)
			target[length++] = '/';
	}
	if (more >= 0)
		more = lg_percent_encode(object->target, strlen(object->target), "/",
					 target + length, capacity - length);
	if (more < 0)
		return lg_fail(EINVAL,
			       "the key is too long: with its bucket it may have %zu bytes, "
			       "encoded",
			       capacity - 1);
	return 0;
}

int lg_s3_address(const struct lg_url *object, const char *endpoint, const char *region,
		  enum lg_remote_style style, struct lg_url *address)
{
	int error = parse_endpoint(endpoint, region, address);
	bool in_path = style == LG_STYLE_PATH;

	if (error != 0)
		return error;
	if (style == LG_STYLE_AUTO)
		in_path = endpoint[0] != '\0' || !is_label(object->host);
	if (!in_path && (!is_name(object->host) || address->host[0] == '['))
		return lg_fail(EINVAL,
			       "bucket '%.63s' cannot be part of a host's name: use style:path",
			       object->host);
	if (!in_path) {
		char host[sizeof(address->host)];
		int length = snprintf(host, sizeof(host), "%s.%s", object->host, address->host);

		if (length < 0 || (size_t)length + 2 > sizeof(host)) /* as of any URL */
			return lg_fail(EINVAL,
				       "the bucket and the endpoint make too long a host's name");
		memcpy(address->host, host, sizeof(host));
	}
	return set_target(object, in_path, address);
}
