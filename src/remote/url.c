/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/url.h"

#include "base/error.h"
#include "remote/percent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_MOST = 65535, NAME_TARGET = 63 };

static const struct {
	const char *prefix;
	uint16_t port;
} schemes[] = {
	[LG_URL_HTTP] = { "http://", 80 },
	[LG_URL_HTTPS] = { "https://", 443 },
	[LG_URL_S3] = { "s3://", 0 },
};

/* What is left of the text, or NULL: none of these schemes. */
static const char *parse_scheme(const char *text, enum lg_url_scheme *scheme)
{
	for (unsigned i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i].prefix);

		if (strncasecmp(text, schemes[i].prefix, length) == 0) {
			*scheme = (enum lg_url_scheme)i;
			return text + length;
		}
	}
	return NULL;
}

static bool is_host(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool is_address(char c)
{
	return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

static int set_host(const char *text, size_t length, bool (*allowed)(char c), struct lg_url *url,
		    size_t at)
{
	if (length == 0 || at + length + 2 > sizeof(url->host))
		return lg_fail(EINVAL, "the URL's host has %zu bytes: it may have 1 to %zu", length,
			       sizeof(url->host) - 3);
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!allowed(c))
			return lg_fail(EINVAL,
				       "the URL's host has a byte 0x%02x, which no host has",
				       (unsigned char)c);
		url->host[at + i] = c;
	}
	url->host[at + length] = '\0';
	return 0;
}

static int parse_port(const char *text, size_t length, struct lg_url *url)
{
	unsigned port = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || port > PORT_MOST)
			port = PORT_MOST + 1;
		else
			port = port * 10 + (unsigned)(text[i] - '0');
	}
	if (length == 0 || port == 0 || port > PORT_MOST)
		return lg_fail(EINVAL, "the URL's port is not a number from 1 to %d", PORT_MOST);
	url->port = port == schemes[url->scheme].port ? 0 : (uint16_t)port;
	return 0;
}

static int refuse_user(void)
{
	return lg_fail(EINVAL, "a URL with a user or password is refused: it would be seen "
			       "wherever the URL is");
}

static int parse_authority(const char *text, size_t length, struct lg_url *url)
{
	size_t host = length;
	int error;

	if (memchr(text, '@', length) != NULL)
		return refuse_user();
	if (length > 0 && text[0] == '[') {
		const char *end = memchr(text, ']', length);

		if (end == NULL)
			return lg_fail(EINVAL, "the URL's address lacks its ']'");
		host = (size_t)(end - text) + 1;
		error = set_host(text + 1, host - 2, is_address, url, 1);
		if (error != 0)
			return error;
		url->host[0] = '[';
		strcat(url->host, "]");
		if (host < length && text[host] != ':')
			return lg_fail(EINVAL,
				       "something other than a port follows the URL's address");
	} else {
		const char *colon = memchr(text, ':', length);

		if (colon != NULL)
			host = (size_t)(colon - text);
		error = set_host(text, host, is_host, url, 0);
	}
	if (error == 0 && host < length)
		error = parse_port(text + host + 1, length - host - 1, url);
	return error;
}

static int set_target(const char *text, size_t length, struct lg_url *url)
{
	char *target = url->target;
	size_t slash = length == 0 || text[0] != '/';

	if (slash)
		*target++ = '/';
	if (lg_percent_encode(text, length, "!$&'()*+,;=:@/?%[]", target,
			      sizeof(url->target) - slash) < 0)
		return lg_fail(EINVAL, "the URL is too long: its path may have %zu bytes, encoded",
			       sizeof(url->target) - 1);
	return 0;
}

static int parse_s3(const char *text, struct lg_url *url)
{
	size_t bucket = strcspn(text, "/"), key = strlen(text + bucket);

	if (bucket == 0 || key < 2)
		return lg_fail(EINVAL, "an S3 URL is s3://bucket/key: this one lacks its %s",
			       bucket == 0 ? "bucket" : "key");
	if (bucket >= sizeof(url->host) || key > sizeof(url->target))
		return lg_fail(EINVAL, "a bucket of %zu and a key of %zu bytes are too long",
			       bucket, key - 1);
	if (memchr(text, '@', bucket) != NULL) /* s3://KEY:SECRET@bucket/key is a habit of others */
		return refuse_user();
	for (size_t i = 0; i < bucket; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 127)
			return lg_fail(EINVAL, "the bucket has a byte 0x%02x, which none has",
				       (unsigned char)text[i]);
	memcpy(url->host, text, bucket);
	url->host[bucket] = '\0';
	memcpy(url->target, text + bucket + 1, key);
	return 0;
}

/* The scheme is known. */
static int parse_http(const char *text, struct lg_url *url)
{
	size_t authority = strcspn(text, "/?#");
	int error = parse_authority(text, authority, url);

	if (error != 0)
		return error;
	return set_target(text + authority, strcspn(text + authority, "#"), url);
}

int lg_url_parse(const char *text, struct lg_url *url)
{
	const char *rest = text != NULL ? parse_scheme(text, &url->scheme) : NULL;

	if (rest == NULL)
		return lg_fail(EINVAL,
			       "a URL begins with s3://, http:// or https://: this one does not");
	url->port = 0;
	return url->scheme == LG_URL_S3 ? parse_s3(rest, url) : parse_http(rest, url);
}

int lg_url_redirect(const struct lg_url *from, const char *location, struct lg_url *to)
{
	const char *rest = parse_scheme(location, &to->scheme);
	size_t scheme = strcspn(location, ":/?#");

	to->port = 0;
	if (rest != NULL && to->scheme != LG_URL_S3)
		return parse_http(rest, to);
	if (rest != NULL || location[scheme] == ':')
		return lg_fail(EINVAL, "a redirect leads to neither http nor https");
	to->scheme = from->scheme;
	if (strncmp(location, "//", 2) == 0)
		return parse_http(location + 2, to);
	to->port = from->port;
	memcpy(to->host, from->host, sizeof(to->host));
	if (location[0] == '/')
		return set_target(location, strcspn(location, "#"), to);
	/* Beside what was asked for. */
	char path[LG_URL_TARGET_BYTES];
	size_t length = strcspn(from->target, "?"), more = strcspn(location, "#");

	while (location[0] != '?' && length > 0 && from->target[length - 1] != '/')
		length--;
	if (length + more >= sizeof(path))
		return lg_fail(EINVAL, "a redirect leads to a URL that is too long");
	memcpy(path, from->target, length);
	memcpy(path + length, location, more);
	return set_target(path, length + more, to);
}

bool lg_url_same_origin(const struct lg_url *one, const struct lg_url *other)
{
	return one->scheme == other->scheme && one->port == other->port &&
	       strcmp(one->host, other->host) == 0;
}

void lg_url_authority(const struct lg_url *url, char text[LG_URL_AUTHORITY_BYTES])
{
	if (url->port != 0)
		snprintf(text, LG_URL_AUTHORITY_BYTES, "%s:%u", url->host, url->port);
	else
		snprintf(text, LG_URL_AUTHORITY_BYTES, "%s", url->host);
}

void lg_url_text(const struct lg_url *url, char text[LG_URL_TEXT_BYTES])
{
	char authority[LG_URL_AUTHORITY_BYTES];

	lg_url_authority(url, authority);
	snprintf(text, LG_URL_TEXT_BYTES, "%s%s%s", schemes[url->scheme].prefix, authority,
		 url->target);
}

void lg_url_name(const struct lg_url *url, char text[LG_URL_NAME_BYTES])
{
	char authority[LG_URL_AUTHORITY_BYTES];
	bool is_s3 = url->scheme == LG_URL_S3;
	size_t length = strcspn(url->target, is_s3 ? "" : "?");

	lg_url_authority(url, authority);
	snprintf(text, LG_URL_NAME_BYTES, "%s%.55s%s%.*s", schemes[url->scheme].prefix, authority,
		 is_s3 ? "/" : "", (int)(length < NAME_TARGET ? length : NAME_TARGET), url->target);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 127) /* a key may have anything */
			*c = '?';
}
