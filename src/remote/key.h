/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The name that a block of an object has in a cache: a hash of where the object is, who reads it, which version it is of,
 * and which block. Of URLs that are signed themselves the signature is left out: another one names the same object.
 */
#ifndef LG_REMOTE_KEY_H
#define LG_REMOTE_KEY_H

#include "base/sha256.h"
#include "remote/object.h"

struct lg_key {
	unsigned char bytes[LG_SHA256_BYTES];
};

/* Of the object's version. False: it has no strong ETag, by which alone bytes are known to be the same. */
bool lg_key_of_version(const struct lg_object *object, struct lg_key *key);

/* Of a block of that version. */
void lg_key_of_block(const struct lg_key *version, uint64_t block, struct lg_key *key);

/* The target, without the parameters of a signature; it only gets shorter. */
void lg_key_strip(char *target);

#endif
