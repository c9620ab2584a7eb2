/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/sha256.h"

#include "unit/unit.h"

static void assert_hash(const char *text, size_t length, size_t piece, const char *expected)
{
	unsigned char digest[LG_SHA256_BYTES];
	char hex[LG_SHA256_HEX_BYTES];
	struct lg_sha256 hash;

	lg_sha256_start(&hash);
	for (size_t done = 0; done < length; done += piece)
		lg_sha256_add(&hash, text + done, length - done < piece ? length - done : piece);
	lg_sha256_end(&hash, digest);
	lg_sha256_hex(digest, hex);
	assert_string_equal(hex, expected);
}

/* FIPS 180-4's examples, as NIST publishes them. */
static void hashes_of_known_texts(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char million[1000000];

	(void)state;
	assert_hash("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_hash("abc", 3, 3,
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_hash(two_blocks, 56, 56,
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	assert_hash(million, sizeof(million), 4093,
		    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	for (size_t piece = 1; piece < 56; piece++)
		assert_hash(text, 56, piece,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void assert_hmac(const char *key, size_t key_bytes, const char *text, const char *expected)
{
	unsigned char digest[LG_SHA256_BYTES];
	char hex[LG_SHA256_HEX_BYTES];

	lg_hmac_sha256(key, key_bytes, text, strlen(text), digest);
	lg_sha256_hex(digest, hex);
	assert_string_equal(hex, expected);
}

/* RFC 4231, cases 1, 2, 6. */
static void codes_of_known_texts(void **state)
{
	char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	assert_hmac(key, 20, "Hi There",
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_hmac("Jefe", 4, "what do ya want for nothing?",
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	assert_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_of_known_texts),
		cmocka_unit_test(pieces_give_the_hash_of_the_whole),
		cmocka_unit_test(codes_of_known_texts),
	};

	return UNIT_RUN(tests);
}
