/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/word.h"

#include "os/thread.h"

/* The kernel compares 32 bits: those with BUSY and WAITED. */
static _Atomic(uint32_t) *low_half(lg_word *word)
{
	_Atomic(uint32_t) *halves = (_Atomic(uint32_t) *)(void *)word;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return halves + 1;
#else
	return halves;
#endif
}

void lg_word_release(lg_word *word, uint64_t owned)
{
	uint64_t seen = lg_load_relaxed(word), next;

	do {
		next = (seen & ~(LG_WORD_OWNED | LG_WORD_BUSY | LG_WORD_WAITED)) |
		       (owned & LG_WORD_OWNED);
	} while (!lg_cas_release(word, &seen, next)); /* W1 */
	if ((seen & LG_WORD_WAITED) != 0)
		lg_os_wake_all(low_half(word));
}

uint64_t lg_word_wait(lg_word *word, uint64_t seen)
{
	while ((seen & LG_WORD_BUSY) != 0) {
		if ((seen & LG_WORD_WAITED) == 0 &&
		    !lg_cas_relaxed(word, &seen, seen | LG_WORD_WAITED))
			continue;
		lg_os_sleep_while(low_half(word), (uint32_t)(seen | LG_WORD_WAITED), 0);
		seen = lg_load_acquire(word); /* W1 */
	}
	return seen;
}
