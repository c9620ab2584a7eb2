/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/request.h"

#include "os/clock.h"
#include "remote/signature.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The longest line has a session token. */
enum { LINE_BYTES = 4352, TIME_BYTES = 20 };

/* False: no memory; the list is whole, without it. */
static bool add(struct curl_slist **lines, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof(line), format, values);
	va_end(values);
	struct curl_slist *more = lg_curl.curl_slist_append_(*lines, line);
	explicit_bzero(line, sizeof(line));
	if (more != NULL)
		*lines = more;
	return more != NULL;
}

static bool add_condition(const struct lg_object *object, struct curl_slist **lines)
{
	if (!object->is_known)
		return true;
	/* A weak ETag never matches, by RFC 9110. */
	if (object->etag[0] != '\0' && !lg_answer_is_weak(object->etag))
		return add(lines, "If-Match: %s", object->etag);
	if (object->modified[0] != '\0')
		return add(lines, "If-Unmodified-Since: %s", object->modified);
	return true;
}

static void tell_time(const struct lg_object *object, char text[TIME_BYTES])
{
	time_t now = (time_t)((int64_t)(lg_os_unix_ms() / 1000) + object->skew_s);
	struct tm parts;

	gmtime_r(&now, &parts);
	strftime(text, TIME_BYTES, "%Y%m%dT%H%M%SZ", &parts);
}

static int add_signature(struct lg_object *object, const struct lg_url *url,
			 struct curl_slist **lines)
{
	const struct lg_credentials *credentials = &object->credentials;
	char authority[LG_URL_AUTHORITY_BYTES], now[TIME_BYTES], value[1024];
	struct lg_signed_header headers[4] = { { "host", authority },
					       { "x-amz-content-sha256", LG_SIGNATURE_NOTHING },
					       { "x-amz-date", now } };
	struct lg_signed_request request = { "GET", url->target, LG_SIGNATURE_NOTHING, headers, 3 };
	bool has_token = credentials->session_token[0] != '\0';

	lg_url_authority(url, authority);
	tell_time(object, now);
	if (has_token)
		headers[request.count++] = (struct lg_signed_header){ "x-amz-security-token",
								      credentials->session_token };
	int error = lg_signature_make(&(struct lg_signer){ .access_key = credentials->access_key,
							   .secret_key = credentials->secret_key,
							   .region = credentials->region,
							   .service = "s3",
							   .time = now },
				      &request, value, sizeof(value));
	if (error != 0)
		return lg_object_fail(object, -error,
				      "the request cannot be signed: its keys are too long");
	if (add(lines, "x-amz-content-sha256: " LG_SIGNATURE_NOTHING) &&
	    add(lines, "x-amz-date: %s", now) &&
	    (!has_token || add(lines, "x-amz-security-token: %s", credentials->session_token)) &&
	    add(lines, "Authorization: %s", value))
		return 0;
	return -ENOMEM;
}

int lg_request_make(struct lg_object *object, const struct lg_url *url, uint64_t first,
		    uint64_t last, struct curl_slist **lines)
{
	int error = 0;

	*lines = NULL;
	if (!add(lines, "Range: bytes=%llu-%llu", (unsigned long long)first,
		 (unsigned long long)last) ||
	    !add(lines, "Accept-Encoding: identity") || !add_condition(object, lines))
		error = -ENOMEM;
	if (error == 0 && lg_object_is_signed(object))
		error = add_signature(object, url, lines);
	if (error != 0) {
		lg_curl.curl_slist_free_all_(*lines);
		*lines = NULL;
	}
	return error;
}
