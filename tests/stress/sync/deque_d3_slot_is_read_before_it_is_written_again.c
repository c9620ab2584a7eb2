/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a push writes a slot again only after the thief of its last value has read it (edge D3), and
 * thieves get values oldest first.
 * Method: the owner keeps the deque as full as it gets, so that each push goes into the slot a thief has
 * just left; three thieves steal, and yield in between. Now and then the owner takes a batch.
 * Oracle: values are numbers in the order of their pushes. A slot written too early would show a thief a
 * number a whole round ahead: then that number comes twice, and an older one after it.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "sync/deque.h"

#include <sched.h>

enum { THIEVES = 3, NUMBERS = 1 << 24 };

static struct lg_deque deque;
static _Atomic(uint8_t) *taken;
static struct crew crew;
static _Atomic(uint64_t) stolen;

static void note_taken(uintptr_t number)
{
	CLAIM(number > 0 && number < NUMBERS);
	CLAIM(atomic_exchange_explicit(&taken[number], 1, memory_order_relaxed) == 0);
}

static void steal(struct crew_member *member)
{
	uintptr_t last = 0;
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		uintptr_t number = (uintptr_t)lg_deque_steal(&deque);

		if (number == 0) {
			sched_yield();
			continue;
		}
		CLAIM(number > last); /* oldest first, and top only grows */
		last = number;
		note_taken(number);
		mine++;
		if (random_one_in(&member->random, 200))
			sched_yield();
	}
	atomic_fetch_add(&stolen, mine);
}

int main(void)
{
	uint64_t random = random_seed(), next = 1;
	double end = clock_end_of_run(2);
	void *values[LG_DEQUE_SLOTS];

	taken = calloc(NUMBERS, 1);
	CLAIM(taken != NULL);
	crew_start(&crew, THIEVES, random, steal);
	while (!clock_passed(end) && next + LG_DEQUE_SLOTS < NUMBERS) {
		for (unsigned step = 0; step < 1000 && next + LG_DEQUE_SLOTS < NUMBERS; step++) {
			unsigned count = 1 + (unsigned)random_below(&random, LG_DEQUE_SLOTS);

			for (unsigned i = 0; i < count; i++)
				values[i] = (void *)(uintptr_t)(next + i);
			unsigned pushed = lg_deque_push(&deque, values, count, LG_DEQUE_SLOTS);
			CLAIM(pushed <= count);
			next += pushed;
			if (pushed == 0)
				sched_yield();
			/* What the owner takes goes in again under new numbers: thieves' order holds. */
			if (random_one_in(&random, 100)) {
				unsigned got = lg_deque_take(&deque, values, 8);

				for (unsigned i = 0; i < got; i++)
					note_taken((uintptr_t)values[i]);
			}
		}
	}
	crew_stop(&crew);
	crew_join(&crew);
	lg_deque_check(&deque);
	while (lg_deque_take(&deque, values, 1) > 0)
		note_taken((uintptr_t)values[0]);
	for (uint64_t number = 1; number < next; number++)
		CLAIM(taken[number] == 1);
	CLAIM(atomic_load(&stolen) > LG_DEQUE_SLOTS); /* else no slot was written twice */
	printf("%llu pushed, %llu stolen\n", (unsigned long long)(next - 1),
	       (unsigned long long)atomic_load(&stolen));
	free((void *)taken);
	return 0;
}
