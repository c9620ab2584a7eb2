/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * CRC32C (Castagnoli), with the processor's instruction where it has one, else by a table. As usual the
 * register starts and ends inverted: lg_crc32c(0, "123456789", 9) is 0xe3069283, and a long text may be
 * given in pieces, each with the result of the one before.
 */
#ifndef LG_BASE_CRC_H
#define LG_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t lg_crc32c(uint32_t crc, const void *data, size_t bytes);

/* The same by the table, for machines without the instruction, and to test one by the other. */
uint32_t lg_crc32c_by_table(uint32_t crc, const void *data, size_t bytes);

#endif
