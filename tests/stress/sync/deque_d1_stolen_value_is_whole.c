/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: what the owner wrote before a push is there when a thief has stolen it (edge D1).
 * Method: the owner fills a cell with plain stores and pushes its address; two thieves steal, look at the
 * cell with plain loads, and hand it back through a ring each, to be filled again with the next number.
 * Oracle: the words of a cell agree, and its number is the one the owner gave it last. ThreadSanitizer
 * sees the plain accesses.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "sync/deque.h"

enum { THIEVES = 2, CELLS = 64, WORDS = 8 };

struct cell {
	uint64_t words[WORDS];
	_Atomic(bool) stolen; /* the thief's hand-over back */
};

static struct lg_deque deque;
static struct cell cells[CELLS];
static struct crew crew;

static void check(struct cell *cell)
{
	uint64_t number = cell->words[0];

	CLAIM(number % CELLS == (uint64_t)(cell - cells));
	for (unsigned i = 1; i < WORDS; i++)
		CLAIM(cell->words[i] == number + i);
}

static void steal(struct crew_member *member)
{
	while (!crew_stopped(member)) {
		struct cell *cell = lg_deque_steal(&deque);

		if (cell == NULL)
			continue;
		check(cell);
		atomic_store_explicit(&cell->stolen, true, memory_order_release);
	}
}

int main(void)
{
	double end = clock_end_of_run(2);
	uint64_t rounds[CELLS] = { 0 }, pushed = 0;

	for (unsigned i = 0; i < CELLS; i++)
		atomic_store(&cells[i].stolen, true);
	crew_start(&crew, THIEVES, 0, steal);
	while (!clock_passed(end)) {
		for (unsigned i = 0; i < CELLS; i++) {
			struct cell *cell = &cells[i];
			void *value = cell;

			if (!atomic_load_explicit(&cell->stolen, memory_order_acquire))
				continue;
			atomic_store_explicit(&cell->stolen, false, memory_order_relaxed);
			uint64_t number = rounds[i]++ * CELLS + i;
			for (unsigned k = 0; k < WORDS; k++)
				cell->words[k] = number + k;
			CLAIM(lg_deque_push(&deque, &value, 1, LG_DEQUE_SLOTS) == 1);
			pushed++;
		}
	}
	crew_stop(&crew);
	crew_join(&crew);
	lg_deque_check(&deque);
	CLAIM(pushed > CELLS); /* cells came back */
	printf("%llu pushed\n", (unsigned long long)pushed);
	return 0;
}
