/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A remote object: what it is called, where and how it is asked for, and which version of it is read.
 *
 * The version is that of the first answer. Every later answer has to be of the same: its length, and its ETag, or
 * where that is weak or missing its Last-Modified. An object that has neither changes unseen: it is refused,
 * unless the user said `unpinned:on`.
 *
 * With on_change:refetch the first answer of another version ends the known one: from then on all fetches are -ESTALE, until
 * one that is `opening` learns the next, which has to be as long.
 *
 * All of it belongs to the courier's thread but what is constant, and the words of the last failure, which are
 * under the latch.
 */
#ifndef LG_REMOTE_OBJECT_H
#define LG_REMOTE_OBJECT_H

#include "base/error.h"
#include "os/latch.h"
#include "remote/answer.h"
#include "remote/credentials.h"
#include "remote/options.h"
#include "remote/url.h"

struct lg_object {
	_Atomic(uint32_t) holders;
	struct lg_remote_options options; /* constant */
	struct lg_url url;                /* as the user named it; constant */

	struct lg_url address;     /* where it is asked for */
	struct lg_url destination; /* where redirects lead from there */
	bool is_redirected;
	struct lg_credentials credentials;
	int64_t skew_s; /* the server's clock less ours */
	bool region_followed;
	uint32_t signings; /* goes up as keys or region are others */

	bool is_known;  /* the version is: */
	bool was_known; /* a version was: its length stays */
	uint64_t bytes;
	char etag[LG_ETAG_BYTES];
	char modified[LG_DATE_BYTES];

	struct lg_os_latch latch;
	int failed; /* -errno of the last failure, */
	char failure[LG_ERROR_BYTES];
};

/* An object that nobody has asked for yet, with one holder. -errno in words. */
int lg_object_new(const char *url, const struct lg_remote_options *options,
		  struct lg_object **object);
void lg_object_hold(struct lg_object *object);
void lg_object_let_go(struct lg_object *object); /* the last: wiped, for there are secrets in it */

/* It is signed for: credentials go with the request, and to nobody else. */
static inline bool lg_object_is_signed(const struct lg_object *object)
{
	return object->url.scheme == LG_URL_S3 && !object->credentials.anonymous;
}

/* Notes a failure in words, behind the object's name, and returns -error. */
int lg_object_fail(struct lg_object *object, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The last one, as the calling thread's lg_error(), if `error` is of it: its own, or a poisoned page's. */
int lg_object_explain(struct lg_object *object, int error);

/* The version of a first answer, whose status is 200, 206 or 416. -errno, noted. */
int lg_object_learn(struct lg_object *object, const struct lg_answer *answer);

/* A later answer, of status 200 or 206, is of the same version: 0 or -ESTALE, noted. */
int lg_object_check(struct lg_object *object, const struct lg_answer *answer);

/* A fetch failed so. True: its version is not known any more, and all others of the object fail with it. */
bool lg_object_lose_version(struct lg_object *object, int error);

/* Asks in this region from now. False: that was done before, or it is the same. */
bool lg_object_follow_region(struct lg_object *object, const char *region);

/* Reads the credentials again. False: they are what they were. */
bool lg_object_renew(struct lg_object *object);

#endif
