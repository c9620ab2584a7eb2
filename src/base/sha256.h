/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), for signatures of a few hundred bytes: small, and fast enough.
 */
#ifndef LG_BASE_SHA256_H
#define LG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { LG_SHA256_BYTES = 32, LG_SHA256_BLOCK = 64, LG_SHA256_HEX_BYTES = 2 * LG_SHA256_BYTES + 1 };

struct lg_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[LG_SHA256_BLOCK];
};

void lg_sha256_start(struct lg_sha256 *hash);
void lg_sha256_add(struct lg_sha256 *hash, const void *data, size_t bytes);
void lg_sha256_end(struct lg_sha256 *hash, unsigned char digest[LG_SHA256_BYTES]);

void lg_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
		    unsigned char digest[LG_SHA256_BYTES]);

/* Lower case, and a zero. */
void lg_sha256_hex(const unsigned char digest[LG_SHA256_BYTES], char hex[LG_SHA256_HEX_BYTES]);

#endif
