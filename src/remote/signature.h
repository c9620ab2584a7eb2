/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Signatures of requests, AWS's version 4, as S3 wants them: the path is taken as it is sent, without being made
 * shorter or encoded again.
 */
#ifndef LG_REMOTE_SIGNATURE_H
#define LG_REMOTE_SIGNATURE_H

#include <stddef.h>

/* Of an empty body. */
#define LG_SIGNATURE_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct lg_signer {
	const char *access_key;
	const char *secret_key;
	const char *region;
	const char *service;
	const char *time; /* 20150830T123600Z */
};

/* The name in lower case; the value without blanks round it. */
struct lg_signed_header {
	const char *name;
	const char *value;
};

struct lg_signed_request {
	const char *method;
	const char *target;                     /* path and query, percent-encoded */
	const char *body;                       /* its SHA-256 in hex */
	const struct lg_signed_header *headers; /* in the order of their names */
	unsigned count;
};

/* The value of the header Authorization. -ENAMETOOLONG: it does not fit, or there are too many parameters. */
int lg_signature_make(const struct lg_signer *signer, const struct lg_signed_request *request,
		      char *value, size_t capacity);

#endif
