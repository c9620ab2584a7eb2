/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any text as a URL, as where an answer leads from there, and as an endpoint of S3: three lines. Claims: what is taken goes
 * into a request line and a Host header as it is and means the same when it is read again; what is refused is said, without
 * a password.
 */
#include "fuzz/must.h"
#include "remote/s3.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_graphic(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 127)
			return false;
	return true;
}

/* http or https */
static void check_web(const struct lg_url *url)
{
	static struct lg_url again;
	char text[LG_URL_TEXT_BYTES], authority[LG_URL_AUTHORITY_BYTES];

	MUST(url->scheme == LG_URL_HTTP || url->scheme == LG_URL_HTTPS);
	MUST(url->host[0] != '\0' && is_graphic(url->host) && strpbrk(url->host, "/?#@%") == NULL);
	MUST(url->target[0] == '/' && is_graphic(url->target) && strchr(url->target, '#') == NULL);
	lg_url_authority(url, authority);
	MUST(strncmp(authority, url->host, strlen(url->host)) == 0);
	lg_url_text(url, text);
	MUST(strlen(text) < sizeof(text) - 1);
	MUST(lg_url_parse(text, &again) == 0);
	MUST(lg_url_same_origin(url, &again) && strcmp(url->target, again.target) == 0);
}

static void check_name(const struct lg_url *url)
{
	char name[LG_URL_NAME_BYTES];

	lg_url_name(url, name);
	MUST(strlen(name) < sizeof(name) && is_one_line(name) && strchr(name, '\t') == NULL);
	MUST(url->scheme == LG_URL_S3 || strchr(name, '?') == NULL);
}

/* The one that seeds have, where a password stands. */
static bool has_password(const char *text)
{
	const char *start = strstr(text, "://");

	return start != NULL &&
	       memmem(start + 3, strcspn(start + 3, "/?#"), "hunter2@", strlen("hunter2@")) != NULL;
}

/* -EINVAL in words, in which the password is not. */
static void check_refusal(int error, const char *text)
{
	MUST(error == -EINVAL && strlen(lg_error()) > 10 && is_one_line(lg_error()));
	MUST(!has_password(text) || strstr(lg_error(), "hunter2") == NULL);
}

static void check_redirect(const struct lg_url *from, const char *location)
{
	static struct lg_url to;
	int error = lg_url_redirect(from, location, &to);

	if (error == 0)
		check_web(&to);
	else
		check_refusal(error, location);
}

static void check_s3(const struct lg_url *object, const char *endpoint)
{
	static struct lg_url address;

	for (unsigned style = LG_STYLE_AUTO; style <= LG_STYLE_VIRTUAL; style++) {
		int error = lg_s3_address(object, endpoint, "eu-west-1",
					  (enum lg_remote_style)style, &address);

		if (error == 0) {
			check_web(&address);
			MUST(strchr(address.target, '?') == NULL);
		} else {
			check_refusal(error, endpoint);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = next_line(&data, &size), *location = next_line(&data, &size),
	     *endpoint = next_line(&data, &size);
	static struct lg_url url;
	int error = lg_url_parse(text, &url);

	if (error != 0) {
		check_refusal(error, text);
	} else {
		check_name(&url);
		if (url.scheme == LG_URL_S3) {
			check_s3(&url, endpoint);
		} else {
			check_web(&url);
			check_redirect(&url, location);
		}
	}
	free(text);
	free(location);
	free(endpoint);
	return 0;
}
