/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a value is taken once, by the owner or by a thief, and none is lost, with few values inside so
 * that both always want the same one (edge D2).
 * Method: the owner pushes one to three values and takes one to three at once; two thieves steal all they
 * can. Values are numbers that only grow.
 * Oracle: a table of flags by number: taking sets it and must find it clear; at the end each number that
 * was pushed is taken or still inside.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "sync/deque.h"

enum { THIEVES = 2, NUMBERS = 1 << 24 };

static struct lg_deque deque;
static _Atomic(uint8_t) *taken;
static struct crew crew;
static _Atomic(uint64_t) stolen;

static void note_taken(void *value)
{
	uintptr_t number = (uintptr_t)value;

	CLAIM(number > 0 && number < NUMBERS);
	CLAIM(atomic_exchange_explicit(&taken[number], 1, memory_order_relaxed) == 0);
}

static void steal(struct crew_member *member)
{
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		void *value = lg_deque_steal(&deque);

		if (value == NULL)
			continue;
		note_taken(value);
		mine++;
	}
	atomic_fetch_add(&stolen, mine);
}

int main(void)
{
	uint64_t random = random_seed(), next = 1, owned = 0;
	double end = clock_end_of_run(2);
	void *values[8];

	taken = calloc(NUMBERS, 1);
	CLAIM(taken != NULL);
	crew_start(&crew, THIEVES, random, steal);
	while (!clock_passed(end) && next + 8 < NUMBERS) {
		for (unsigned step = 0; step < 1000 && next + 8 < NUMBERS; step++) {
			unsigned count = 1 + (unsigned)random_below(&random, 3);

			for (unsigned i = 0; i < count; i++)
				values[i] = (void *)(uintptr_t)(next + i);
			unsigned before = lg_deque_count(&deque); /* thieves only make it less */
			unsigned pushed = lg_deque_push(&deque, values, count, LG_DEQUE_SLOTS);
			next += pushed;
			CLAIM(pushed == count || before + count > LG_DEQUE_SLOTS);
			unsigned got = lg_deque_take(&deque, values,
						     1 + (unsigned)random_below(&random, 3));
			for (unsigned i = 0; i < got; i++)
				note_taken(values[i]);
			owned += got;
		}
	}
	crew_stop(&crew);
	crew_join(&crew);
	lg_deque_check(&deque);
	while (lg_deque_take(&deque, values, 1) > 0)
		note_taken(values[0]);
	for (uint64_t number = 1; number < next; number++)
		CLAIM(taken[number] == 1);
	for (uint64_t number = next; number < NUMBERS; number++)
		CLAIM(taken[number] == 0);
	CLAIM(owned > 0);
	printf("%llu pushed, %llu stolen\n", (unsigned long long)(next - 1),
	       (unsigned long long)atomic_load(&stolen));
	free((void *)taken);
	return 0;
}
