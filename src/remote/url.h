/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * URLs: s3://bucket/key, whose key is taken as it is written, and http:// and https://, whose path and query are
 * made fit for a request line.
 *
 * User and password in a URL are refused: they would be seen wherever the URL is.
 */
#ifndef LG_REMOTE_URL_H
#define LG_REMOTE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lg_url_scheme { LG_URL_HTTP, LG_URL_HTTPS, LG_URL_S3 };

enum { LG_URL_HOST_BYTES = 256, LG_URL_TARGET_BYTES = 8192, LG_URL_TEXT_BYTES = 8704 };

struct lg_url {
	enum lg_url_scheme scheme;
	uint16_t port;                /* 0: the scheme's own */
	char host[LG_URL_HOST_BYTES]; /* lower case; of s3 the bucket */
	char target[LG_URL_TARGET_BYTES]; /* from the slash on, with the query; of s3 the key, without slash */
};

/* 0, or -EINVAL in words, which show nothing that may be a secret. */
int lg_url_parse(const char *text, struct lg_url *url);

/* Where an answer of `from` sends us: an http or https URL, or a path. The same errors. */
int lg_url_redirect(const struct lg_url *from, const char *location, struct lg_url *to);

/* Scheme, host and port are the same. */
bool lg_url_same_origin(const struct lg_url *one, const struct lg_url *other);

/* As it is asked for: http and https only. */
void lg_url_text(const struct lg_url *url, char text[LG_URL_TEXT_BYTES]);

/* host, or host:port if it is not the scheme's own. */
enum { LG_URL_AUTHORITY_BYTES = LG_URL_HOST_BYTES + 8 };
void lg_url_authority(const struct lg_url *url, char text[LG_URL_AUTHORITY_BYTES]);

/* For messages: without the query, where signatures are, and not longer than they. */
enum { LG_URL_NAME_BYTES = 128 };
void lg_url_name(const struct lg_url *url, char text[LG_URL_NAME_BYTES]);

#endif
