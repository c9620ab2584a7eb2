/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a reader that meets a record finds it as it was when it was added, and no record that is in the
 * list is ever missed (edge G1).
 * Method: threads make records with plain stores and add them; others walk the list over and over, and
 * count those of each adder that they meet.
 * Oracle: words of the record that agree, and numbers of one adder in falling order without a gap: the
 * newest is first, and everything older behind it.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "sync/registry.h"

enum { ADDERS = 2, WALKERS = 2, RECORDS = 3000, ROUNDS_MAX = 1000000 };

struct made {
	struct lg_record record;
	unsigned adder;
	unsigned number; /* 1, 2, … of its adder */
	uint64_t sum;
};

static struct lg_registry registry;
static struct made made[ADDERS][RECORDS];
static struct crew crew;
static _Atomic(unsigned) adding = ADDERS;
static _Atomic(uint64_t) rounds;

static void add_all(unsigned adder)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		struct made *one = &made[adder][i];

		one->adder = adder;
		one->number = i + 1;
		one->sum = (uint64_t)adder + i + 1;
		lg_registry_add(&registry, &one->record);
	}
	atomic_fetch_sub(&adding, 1);
}

static unsigned walk(void)
{
	unsigned expected[ADDERS] = { 0 }, count = 0;

	for (struct lg_record *record = lg_registry_first(&registry); record != NULL;
	     record = record->next, count++) {
		struct made *one = (struct made *)(void *)record;

		CLAIM(one->adder < ADDERS);
		CLAIM(one->sum == (uint64_t)one->adder + one->number);
		CLAIM(expected[one->adder] == 0 || one->number == expected[one->adder]);
		expected[one->adder] = one->number - 1;
		if (one->number == 1)
			expected[one->adder] = UINT32_MAX; /* no more of it may come */
	}
	for (unsigned i = 0; i < ADDERS; i++)
		CLAIM(expected[i] == 0 || expected[i] == UINT32_MAX);
	return count;
}

static void work(struct crew_member *member)
{
	if (member->number < ADDERS) {
		add_all(member->number);
		return;
	}
	for (unsigned last = 0; atomic_load(&adding) > 0;) {
		unsigned count = walk();

		CLAIM(count >= last);
		last = count;
		atomic_fetch_add(&rounds, 1);
	}
}

int main(void)
{
	double end = clock_end_of_run(2);
	unsigned times = 0;

	do {
		memset(&registry, 0, sizeof(registry));
		memset(made, 0, sizeof(made));
		atomic_store(&adding, ADDERS);
		crew_start(&crew, ADDERS + WALKERS, 0, work);
		crew_join(&crew);
		CLAIM(walk() == ADDERS * RECORDS);
		times++;
	} while (!clock_passed(end));
	printf("%u times, %llu walks\n", times, (unsigned long long)atomic_load(&rounds));
	return 0;
}
