/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/signature.h"

#include "base/sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = 64, DATE_LENGTH = 8, TEXT_BYTES = 512, SECRET_BYTES = 512 };

/* name=value of the query. */
struct parameter {
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
};

static int compare_bytes(const char *one, size_t one_length, const char *other, size_t other_length)
{
	int order = memcmp(one, other, one_length < other_length ? one_length : other_length);

	return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

static int compare(const void *left, const void *right)
{
	const struct parameter *one = left, *other = right;
	int order = compare_bytes(one->name, one->name_length, other->name, other->name_length);

	return order != 0 ? order :
			    compare_bytes(one->value, one->value_length, other->value,
					  other->value_length);
}

/* How many there are, or -ENAMETOOLONG. */
static int split(const char *query, struct parameter *parameters)
{
	int count = 0;

	while (*query != '\0') {
		size_t length = strcspn(query, "&"), name = strcspn(query, "=&");

		if (length > 0) {
			bool has_value = name < length;

			if (count == PARAMETERS)
				return -ENAMETOOLONG;
			parameters[count++] = (struct parameter){ query, name,
								  query + name + has_value,
								  length - name - has_value };
		}
		query += length + (query[length] == '&');
	}
	return count;
}

static void add_text(struct lg_sha256 *hash, const char *text)
{
	lg_sha256_add(hash, text, strlen(text));
}

static int add_query(struct lg_sha256 *hash, const char *query)
{
	struct parameter parameters[PARAMETERS];
	int count = split(query, parameters);

	if (count < 0)
		return count;
	qsort(parameters, (size_t)count, sizeof(parameters[0]), compare);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			add_text(hash, "&");
		lg_sha256_add(hash, parameters[i].name, parameters[i].name_length);
		add_text(hash, "=");
		lg_sha256_add(hash, parameters[i].value, parameters[i].value_length);
	}
	return 0;
}

static void add_names(struct lg_sha256 *hash, const struct lg_signed_request *request)
{
	for (unsigned i = 0; i < request->count; i++) {
		if (i > 0)
			add_text(hash, ";");
		add_text(hash, request->headers[i].name);
	}
}

/* The hash of what the documentation calls the canonical request. */
static int digest_request(const struct lg_signed_request *request, char hex[LG_SHA256_HEX_BYTES])
{
	unsigned char digest[LG_SHA256_BYTES];
	size_t path = strcspn(request->target, "?");
	struct lg_sha256 hash;

	lg_sha256_start(&hash);
	add_text(&hash, request->method);
	add_text(&hash, "\n");
	lg_sha256_add(&hash, request->target, path);
	add_text(&hash, "\n");
	int error = add_query(&hash, request->target + path + (request->target[path] == '?'));
	if (error != 0)
		return error;
	add_text(&hash, "\n");
	for (unsigned i = 0; i < request->count; i++) {
		add_text(&hash, request->headers[i].name);
		add_text(&hash, ":");
		add_text(&hash, request->headers[i].value);
		add_text(&hash, "\n");
	}
	add_text(&hash, "\n");
	add_names(&hash, request);
	add_text(&hash, "\n");
	add_text(&hash, request->body);
	lg_sha256_end(&hash, digest);
	lg_sha256_hex(digest, hex);
	return 0;
}

static int derive_key(const struct lg_signer *signer, unsigned char key[LG_SHA256_BYTES])
{
	char secret[SECRET_BYTES];
	int length = snprintf(secret, sizeof(secret), "AWS4%s", signer->secret_key);

	if (length < 0 || (size_t)length >= sizeof(secret)) {
		explicit_bzero(secret, sizeof(secret));
		return -ENAMETOOLONG;
	}
	lg_hmac_sha256(secret, (size_t)length, signer->time, DATE_LENGTH, key);
	explicit_bzero(secret, sizeof(secret));
	lg_hmac_sha256(key, LG_SHA256_BYTES, signer->region, strlen(signer->region), key);
	lg_hmac_sha256(key, LG_SHA256_BYTES, signer->service, strlen(signer->service), key);
	lg_hmac_sha256(key, LG_SHA256_BYTES, "aws4_request", strlen("aws4_request"), key);
	return 0;
}

/* Over the scope as well: what it is valid for. */
static int sign(const struct lg_signer *signer, const char *scope, const char *request_hex,
		char hex[LG_SHA256_HEX_BYTES])
{
	unsigned char key[LG_SHA256_BYTES], digest[LG_SHA256_BYTES];
	char text[TEXT_BYTES];
	int length = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", signer->time,
			      scope, request_hex);
	int error = derive_key(signer, key);

	if (error != 0 || length < 0 || (size_t)length >= sizeof(text))
		return -ENAMETOOLONG;
	lg_hmac_sha256(key, sizeof(key), text, (size_t)length, digest);
	explicit_bzero(key, sizeof(key));
	lg_sha256_hex(digest, hex);
	return 0;
}

int lg_signature_make(const struct lg_signer *signer, const struct lg_signed_request *request,
		      char *value, size_t capacity)
{
	char request_hex[LG_SHA256_HEX_BYTES], hex[LG_SHA256_HEX_BYTES], scope[TEXT_BYTES];
	int length = snprintf(scope, sizeof(scope), "%.*s/%s/%s/aws4_request", DATE_LENGTH,
			      signer->time, signer->region, signer->service);
	int error = digest_request(request, request_hex);

	if (length < 0 || (size_t)length >= sizeof(scope))
		return -ENAMETOOLONG;
	if (error == 0)
		error = sign(signer, scope, request_hex, hex);
	if (error != 0)
		return error;
	length = snprintf(value, capacity,
			  "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=", signer->access_key,
			  scope);
	for (unsigned i = 0; i < request->count && length >= 0 && (size_t)length < capacity; i++)
		length += snprintf(value + length, capacity - (size_t)length, "%s%s",
				   i > 0 ? ";" : "", request->headers[i].name);
	if (length >= 0 && (size_t)length < capacity)
		length +=
			snprintf(value + length, capacity - (size_t)length, ", Signature=%s", hex);
	return length >= 0 && (size_t)length < capacity ? 0 : -ENAMETOOLONG;
}
