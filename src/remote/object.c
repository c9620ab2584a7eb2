/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/object.h"

#include "remote/s3.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_address(struct lg_object *object)
{
	if (object->url.scheme != LG_URL_S3) {
		object->address = object->url;
		return 0;
	}
	return lg_s3_address(&object->url, object->credentials.endpoint, object->credentials.region,
			     (enum lg_remote_style)object->options.style, &object->address);
}

static int start(struct lg_object *object, const char *url)
{
	int error = lg_url_parse(url, &object->url);

	if (error == 0 && object->url.scheme == LG_URL_S3)
		error = lg_credentials_find(&object->options, &object->credentials);
	return error == 0 ? set_address(object) : error;
}

int lg_object_new(const char *url, const struct lg_remote_options *options, struct lg_object **made)
{
	struct lg_object *object = calloc(1, sizeof(*object));

	if (object == NULL)
		return lg_fail(ENOMEM, "no memory for an object's record");
	object->options = *options;
	lg_store_relaxed(&object->holders, 1);
	int error = start(object, url);
	if (error != 0)
		lg_object_let_go(object);
	else
		*made = object;
	return error;
}

void lg_object_hold(struct lg_object *object)
{
	lg_add_relaxed(&object->holders, 1);
}

void lg_object_let_go(struct lg_object *object)
{
	if (atomic_fetch_sub_explicit(&object->holders, 1, memory_order_acq_rel) != 1)
		return;
	explicit_bzero(object, sizeof(*object));
	free(object);
}

int lg_object_fail(struct lg_object *object, int error, const char *format, ...)
{
	char name[LG_URL_NAME_BYTES], text[LG_ERROR_BYTES];
	va_list values;

	lg_url_name(&object->url, name);
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	uint64_t signals = lg_os_latch_hold(&object->latch);
	object->failed = -error;
	snprintf(object->failure, sizeof(object->failure), "%s: %.120s", name, text);
	lg_os_latch_let_go(&object->latch, signals);
	return -error;
}

int lg_object_explain(struct lg_object *object, int error)
{
	char text[LG_ERROR_BYTES];
	uint64_t signals = lg_os_latch_hold(&object->latch);

	bool is_of_it = error == object->failed || error == -EIO;
	memcpy(text, object->failure, sizeof(text));
	lg_os_latch_let_go(&object->latch, signals);
	return lg_fail(-error, "%s", is_of_it && text[0] != '\0' ? text : lg_error_name(-error));
}

/* Of the whole object. */
static uint64_t length_of(const struct lg_answer *answer)
{
	return answer->status == 200 ? answer->length : answer->total;
}

int lg_object_learn(struct lg_object *object, const struct lg_answer *answer)
{
	uint64_t bytes = length_of(answer);

	if (answer->status == 416) { /* the first byte is not there */
		if (bytes != LG_ANSWER_NONE && bytes > 0)
			return lg_object_fail(object, EIO,
					      "the server has %llu bytes, and refuses the first",
					      (unsigned long long)bytes);
		bytes = 0;
	}
	if (bytes == LG_ANSWER_NONE || answer->bad_range)
		return lg_object_fail(object, EOPNOTSUPP, "the server does not say how long it is");
	if (bytes > INT64_MAX - 4095)
		return lg_object_fail(object, EFBIG, "it has %llu bytes, more than a map can have",
				      (unsigned long long)bytes);
	if (bytes > 0 && answer->etag[0] == '\0' && answer->modified[0] == '\0' &&
	    object->options.unpinned == 0)
		return lg_object_fail(object, EOPNOTSUPP,
				      "the server gives no ETag and no Last-Modified, so that a "
				      "change would go unseen: unpinned:on accepts that");
	if (object->was_known && bytes != object->bytes)
		return lg_object_fail(object, ESTALE,
				      "it changed its length, which a map cannot: it had %llu "
				      "bytes, not %llu",
				      (unsigned long long)object->bytes, (unsigned long long)bytes);
	object->bytes = bytes;
	memcpy(object->etag, answer->etag, sizeof(object->etag));
	memcpy(object->modified, answer->modified, sizeof(object->modified));
	object->is_known = object->was_known = true;
	return 0;
}

int lg_object_check(struct lg_object *object, const struct lg_answer *answer)
{
	uint64_t bytes = length_of(answer);
	bool strong = object->etag[0] != '\0' && !lg_answer_is_weak(object->etag);

	if (bytes != object->bytes)
		return lg_object_fail(object, ESTALE, "it changed: it had %llu bytes, not %llu",
				      (unsigned long long)object->bytes, (unsigned long long)bytes);
	if (strcmp(object->etag, answer->etag) != 0)
		return lg_object_fail(object, ESTALE, "it changed: its ETag is another");
	if (!strong && strcmp(object->modified, answer->modified) != 0)
		return lg_object_fail(object, ESTALE, "it changed: its Last-Modified is another");
	return 0;
}

bool lg_object_lose_version(struct lg_object *object, int error)
{
	if (error != -ESTALE || object->options.on_change != LG_CHANGE_REFETCH)
		return false;
	object->is_known = false;
	return true;
}

bool lg_object_follow_region(struct lg_object *object, const char *region)
{
	struct lg_credentials *credentials = &object->credentials;
	char before[sizeof(credentials->region)];

	if (object->region_followed || strlen(region) >= sizeof(before) ||
	    strcmp(credentials->region, region) == 0)
		return false;
	memcpy(before, credentials->region, sizeof(before));
	strcpy(credentials->region, region);
	object->region_followed = true;
	if (set_address(object) == 0) {
		object->signings++;
		return true;
	}
	memcpy(credentials->region, before, sizeof(before));
	(void)set_address(object);
	return false;
}

bool lg_object_renew(struct lg_object *object)
{
	struct lg_credentials found;
	bool changed = lg_credentials_find(&object->options, &found) == 0 &&
		       !lg_credentials_equal(&found, &object->credentials);

	if (changed) {
		/* Where it lies stays as it is: another region would be another object. */
		memcpy(found.region, object->credentials.region, sizeof(found.region));
		memcpy(found.endpoint, object->credentials.endpoint, sizeof(found.endpoint));
		object->credentials = found;
		object->signings++;
	}
	lg_credentials_wipe(&found);
	return changed;
}
