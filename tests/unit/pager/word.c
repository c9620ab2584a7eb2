/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/word.h"

#include "unit/unit.h"

#include <pthread.h>

#define HANDLE ((uint64_t)0xabcdef01 << 32)

static void claim_takes_busy_from_nobody_and_once(void **state)
{
	lg_word word = HANDLE | LG_PAGE_DIRTY | LG_WORD_STORED;
	uint64_t seen = word, other = word;

	(void)state;
	assert_true(lg_word_claim(&word, &seen));
	assert_true(word == (HANDLE | LG_PAGE_DIRTY | LG_WORD_STORED | LG_WORD_BUSY));
	assert_true(seen == word);
	assert_false(lg_word_claim(&word, &other));
	assert_true(other == word); /* brought up to date */
	assert_false(lg_word_claim(&word, &other));
	assert_true(word == seen);
}

static void claim_of_a_word_that_changed_takes_nothing(void **state)
{
	lg_word word = HANDLE | LG_PAGE_CLEAN;
	uint64_t seen = word;

	(void)state;
	lg_add_relaxed(&word, LG_WORD_PIN);
	assert_false(lg_word_claim(&word, &seen)); /* W2: who claims has seen the pin */
	assert_true((word & LG_WORD_BUSY) == 0);
	assert_true(seen == word);
	assert_true(lg_word_claim(&word, &seen));
	assert_true((seen & LG_WORD_PINS) == LG_WORD_PIN);
}

/* What others change meanwhile is theirs; what the owner says replaces all that is his. */
static void release_keeps_what_others_have_changed(void **state)
{
	const uint64_t others = 5 * LG_WORD_RECENT | LG_WORD_ASIDE | 3 * LG_WORD_HOLD |
				7 * LG_WORD_PIN;
	lg_word word = HANDLE | LG_PAGE_LIMBO | LG_WORD_UNWRITTEN | LG_WORD_AHEAD;
	uint64_t seen = word;

	(void)state;
	assert_true(lg_word_claim(&word, &seen));
	lg_add_relaxed(&word, others);
	lg_word_release(&word,
			lg_word_with_state((uint64_t)0x1234 << 32 | LG_WORD_STORED, LG_PAGE_OUT));
	assert_true(word == ((uint64_t)0x1234 << 32 | LG_WORD_STORED | LG_PAGE_OUT | others));
}

static void release_takes_no_stale_counts_from_the_owner(void **state)
{
	lg_word word = LG_PAGE_CLEAN | 2 * LG_WORD_PIN | LG_WORD_RECENT;
	uint64_t seen = word;

	(void)state;
	assert_true(lg_word_claim(&word, &seen));
	lg_sub_relaxed(&word, LG_WORD_PIN);
	lg_sub_relaxed(&word, LG_WORD_RECENT);
	lg_word_release(&word, lg_word_with_state(seen, LG_PAGE_DIRTY));
	assert_true(word == (LG_PAGE_DIRTY | LG_WORD_PIN));
}

static void parts_of_a_word_do_not_overlap(void **state)
{
	const uint64_t parts[] = { LG_WORD_STATE,
				   LG_WORD_BUSY,
				   LG_WORD_WAITED,
				   LG_WORD_STORED,
				   LG_WORD_UNWRITTEN,
				   LG_WORD_AHEAD,
				   LG_WORD_RECENTS,
				   LG_WORD_ASIDE,
				   LG_WORD_HOLDS,
				   LG_WORD_PINS,
				   (uint64_t)UINT32_MAX << 32 };
	uint64_t all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		assert_true((all & parts[i]) == 0);
		all |= parts[i];
	}
	assert_true(LG_WORD_STATE >= LG_PAGE_POISONED);
	assert_true((LG_WORD_RECENTS & (LG_WORD_RECENTS + LG_WORD_RECENT)) == 0);
	assert_true((LG_WORD_OWNED & (LG_WORD_RECENTS | LG_WORD_STAYS | LG_WORD_ASIDE)) == 0);
	assert_int_equal(LG_WORD_PINS / LG_WORD_PIN, 4095); /* as pager.h promises */
	assert_int_equal(lg_word_handle(lg_word_with_handle(~(uint64_t)0, 7)), 7);
	assert_true(lg_word_is_mapped(LG_PAGE_CLEAN));
	assert_true(lg_word_is_mapped(LG_PAGE_DIRTY));
	assert_false(lg_word_is_mapped(LG_PAGE_LIMBO));
	assert_false(lg_word_is_mapped(LG_PAGE_OUT));
	assert_false(lg_word_is_mapped(LG_PAGE_POISONED));
	uint64_t poisoned = lg_word_with_error(~(uint64_t)LG_PAGE_POISONED, -5);
	assert_int_equal(lg_word_state(poisoned), LG_PAGE_POISONED);
	assert_int_equal(lg_word_error(poisoned), -5);
	assert_true((poisoned & LG_WORD_STAYS) == LG_WORD_STAYS);
}

enum { WAITERS = 4, TURNS = 2000 };

static struct shared {
	lg_word word;
	uint64_t plain; /* of who holds BUSY */
} shared;

static void *take_turns(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t seen = lg_load_relaxed(&shared.word);

		do
			seen = lg_word_wait(&shared.word, seen);
		while (!lg_word_claim(&shared.word, &seen));
		shared.plain++; /* W1 */
		lg_word_release(&shared.word, seen);
	}
	return NULL;
}

/* A wake-up that is lost hangs; two owners at a time, or an owner that does not see the last one's work, miscount. */
static void waiters_are_woken_and_take_turns(void **state)
{
	pthread_t threads[WAITERS];

	(void)state;
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(shared.plain, WAITERS * TURNS);
	assert_true((lg_load_relaxed(&shared.word) & (LG_WORD_BUSY | LG_WORD_WAITED)) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claim_takes_busy_from_nobody_and_once),
		cmocka_unit_test(claim_of_a_word_that_changed_takes_nothing),
		cmocka_unit_test(release_keeps_what_others_have_changed),
		cmocka_unit_test(release_takes_no_stale_counts_from_the_owner),
		cmocka_unit_test(parts_of_a_word_do_not_overlap),
		cmocka_unit_test(waiters_are_woken_and_take_turns),
	};

	return UNIT_RUN(tests);
}
