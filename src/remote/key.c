/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/key.h"

#include <string.h>
#include <strings.h>

/* --- signatures in URLs ------------------------------------------------------------------------- */

static size_t name_length(const char *parameter)
{
	return strcspn(parameter, "=&");
}

static bool is_named(const char *parameter, const char *name)
{
	size_t length = strlen(name);

	return name_length(parameter) == length && strncasecmp(parameter, name, length) == 0;
}

static bool is_one_of(const char *parameter, const char *const *names)
{
	for (; *names != NULL; names++)
		if (is_named(parameter, *names))
			return true;
	return false;
}

static const char *next_of(const char *parameter)
{
	const char *end = strchr(parameter, '&');

	return end != NULL ? end + 1 : NULL;
}

static bool has(const char *query, const char *name)
{
	while (query != NULL && !is_named(query, name))
		query = next_of(query);
	return query != NULL;
}

/* Amazon's and Google's by prefix; older ones, CloudFront's and Azure's have plain names beside the signature. */
static bool is_of_signature(const char *query, const char *parameter)
{
	static const char *const with_signature[] = { "Signature",      "Expires",
						      "AWSAccessKeyId", "GoogleAccessId",
						      "Key-Pair-Id",    "Policy",
						      "Hash-Algorithm", NULL };
	static const char *const with_sig[] = { "sig", "se",  "st",  "sp",    "sv",
						"sr",  "spr", "sip", "skoid", "sktid",
						"skt", "ske", "sks", "skv",   NULL };

	return strncasecmp(parameter, "X-Amz-", 6) == 0 ||
	       strncasecmp(parameter, "X-Goog-", 7) == 0 ||
	       (has(query, "Signature") && is_one_of(parameter, with_signature)) ||
	       (has(query, "sig") && is_one_of(parameter, with_sig));
}

void lg_key_strip(char *target)
{
	char *query = strchr(target, '?'), copy[LG_URL_TARGET_BYTES], *to;

	if (query == NULL || strlen(query) >= sizeof(copy))
		return;
	strcpy(copy, query + 1);
	to = query;
	for (const char *at = copy; at != NULL; at = next_of(at)) {
		size_t length = strcspn(at, "&");

		if (is_of_signature(copy, at))
			continue;
		*to = to == query ? '?' : '&';
		memcpy(to + 1, at, length);
		to += length + 1;
	}
	*to = '\0';
}

/* --- hashes ------------------------------------------------------------------------------------- */

/* With its length, or two fields could be told apart otherwise. */
static void add(struct lg_sha256 *hash, const char *text)
{
	uint64_t length = strlen(text);

	lg_sha256_add(hash, &length, sizeof(length));
	lg_sha256_add(hash, text, length);
}

bool lg_key_of_version(const struct lg_object *object, struct lg_key *key)
{
	struct lg_url url = object->address;
	struct lg_sha256 hash;
	char authority[LG_URL_AUTHORITY_BYTES];

	if (!object->is_known || object->etag[0] == '\0' || lg_answer_is_weak(object->etag))
		return false;
	lg_key_strip(url.target);
	lg_url_authority(&url, authority);
	lg_sha256_start(&hash);
	add(&hash, "lgalloc cache 1");
	add(&hash, url.scheme == LG_URL_HTTP ? "http" : "https");
	add(&hash, authority);
	add(&hash, url.target);
	add(&hash, lg_object_is_signed(object) ? object->credentials.access_key : "");
	add(&hash, object->etag);
	lg_sha256_add(&hash, &object->bytes, sizeof(object->bytes));
	lg_sha256_end(&hash, key->bytes);
	return true;
}

void lg_key_of_block(const struct lg_key *version, uint64_t block, struct lg_key *key)
{
	struct lg_sha256 hash;

	lg_sha256_start(&hash);
	lg_sha256_add(&hash, version->bytes, sizeof(version->bytes));
	lg_sha256_add(&hash, &block, sizeof(block));
	lg_sha256_end(&hash, key->bytes);
}
