/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/sha256.h"

#include <string.h>

enum { ROUNDS = 64, LENGTH_AT = 56 };

static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word >> by | word << (32 - by);
}

static void expand(const unsigned char *block, uint32_t words[ROUNDS])
{
	for (unsigned i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned i = 16; i < ROUNDS; i++) {
		uint32_t a = words[i - 15], b = words[i - 2];

		words[i] = words[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + words[i - 7] +
			   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void mix(struct lg_sha256 *hash, const unsigned char *block)
{
	uint32_t words[ROUNDS], s[8];

	expand(block, words);
	memcpy(s, hash->state, sizeof(s));
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
			       ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + words[i];
		uint32_t two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
			       ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += one;
		s[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		hash->state[i] += s[i];
}

void lg_sha256_start(struct lg_sha256 *hash)
{
	*hash = (struct lg_sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void lg_sha256_add(struct lg_sha256 *hash, const void *data, size_t bytes)
{
	const unsigned char *from = data;

	while (bytes > 0) {
		size_t at = hash->bytes % LG_SHA256_BLOCK, room = LG_SHA256_BLOCK - at;
		size_t some = bytes < room ? bytes : room;

		memcpy(hash->block + at, from, some);
		hash->bytes += some;
		from += some;
		bytes -= some;
		if (some == room)
			mix(hash, hash->block);
	}
}

void lg_sha256_end(struct lg_sha256 *hash, unsigned char digest[LG_SHA256_BYTES])
{
	static const unsigned char padding[LG_SHA256_BLOCK] = { 0x80 };
	uint64_t bits = hash->bytes * 8;
	size_t at = hash->bytes % LG_SHA256_BLOCK;
	unsigned char length[8];

	for (unsigned i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	lg_sha256_add(hash, padding,
		      at < LENGTH_AT ? LENGTH_AT - at : LG_SHA256_BLOCK + LENGTH_AT - at);
	lg_sha256_add(hash, length, sizeof(length));
	for (unsigned i = 0; i < LG_SHA256_BYTES; i++)
		digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void lg_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
		    unsigned char digest[LG_SHA256_BYTES])
{
	unsigned char inner[LG_SHA256_BLOCK] = { 0 }, outer[LG_SHA256_BLOCK];
	struct lg_sha256 hash;

	if (key_bytes > LG_SHA256_BLOCK) {
		lg_sha256_start(&hash);
		lg_sha256_add(&hash, key, key_bytes);
		lg_sha256_end(&hash, inner);
	} else {
		memcpy(inner, key, key_bytes);
	}
	for (unsigned i = 0; i < LG_SHA256_BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	lg_sha256_start(&hash);
	lg_sha256_add(&hash, inner, sizeof(inner));
	lg_sha256_add(&hash, data, bytes);
	lg_sha256_end(&hash, digest);
	lg_sha256_start(&hash);
	lg_sha256_add(&hash, outer, sizeof(outer));
	lg_sha256_add(&hash, digest, LG_SHA256_BYTES);
	lg_sha256_end(&hash, digest);
	explicit_bzero(inner, sizeof(inner));
	explicit_bzero(outer, sizeof(outer));
	explicit_bzero(&hash, sizeof(hash));
}

void lg_sha256_hex(const unsigned char digest[LG_SHA256_BYTES], char hex[LG_SHA256_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < LG_SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[LG_SHA256_HEX_BYTES - 1] = '\0';
}
