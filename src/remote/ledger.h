/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The ledger of a cache: how many bytes its files have, in a file beside them, under a lock that processes share.
 *
 * Bytes are entered when their file has its length and before it has its contents, so that neither the number nor who counts
 * misses it: who is killed in between leaves too large a number. Where that says that the bound is reached the directory is counted,
 * and the oldest go until an eighth is free. A ledger that is missing or torn is made anew by counting.
 *
 * Nobody waits for the lock for long: a process that was stopped may have it. The bytes are not granted then.
 */
#ifndef LG_REMOTE_LEDGER_H
#define LG_REMOTE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

/* Before the numbers, in the name of a block that is being written. */
#define LG_LEDGER_UNFINISHED "lgalloc-new-"

/* What a file of so many bytes takes. */
static inline uint64_t lg_ledger_cost(uint64_t bytes)
{
	return (bytes + 4095) & ~(uint64_t)4095;
}

/* May this file of so many bytes, which is in the directory, stay? False: there is no room, or it cannot be known. */
bool lg_ledger_enter(int directory, uint64_t bytes, uint64_t bytes_most);

#endif
