/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/crc.h"

#include "base/atomic.h"

#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

typedef uint32_t crc_function(uint32_t, const unsigned char *, size_t);

/* Four bits at a time: 64 bytes of table that need no start. */
static const uint32_t nibbles[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t by_table(uint32_t crc, const unsigned char *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc,
								 const unsigned char *data,
								 size_t bytes)
{
	uint64_t wide = crc;

	for (; bytes >= 8; bytes -= 8, data += 8) {
		uint64_t word;

		memcpy(&word, data, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; bytes > 0; bytes--, data++)
		crc = __builtin_ia32_crc32qi(crc, *data);
	return crc;
}

static crc_function *choose(void)
{
	return __builtin_cpu_supports("sse4.2") ? by_instruction : by_table;
}
#elif defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t by_instruction(uint32_t crc,
							       const unsigned char *data,
							       size_t bytes)
{
	for (; bytes >= 8; bytes -= 8, data += 8) {
		uint64_t word;

		memcpy(&word, data, sizeof(word));
		__asm__("crc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
	}
	for (; bytes > 0; bytes--, data++)
		__asm__("crc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)*data));
	return crc;
}

static crc_function *choose(void)
{
	enum { HAS_CRC32 = 1 << 7 }; /* HWCAP_CRC32 */

	return (getauxval(AT_HWCAP) & HAS_CRC32) != 0 ? by_instruction : by_table;
}
#else
static crc_function *choose(void)
{
	return by_table;
}
#endif

uint32_t lg_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	static _Atomic(crc_function *) chosen; /* whoever is first finds the same as all others */
	crc_function *function = lg_load_relaxed(&chosen);

	if (function == NULL) {
		function = choose();
		lg_store_relaxed(&chosen, function);
	}
	return ~function(~crc, data, bytes);
}

uint32_t lg_crc32c_by_table(uint32_t crc, const void *data, size_t bytes)
{
	return ~by_table(~crc, data, bytes);
}
