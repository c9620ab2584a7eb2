/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a node popped is its popper's alone, with all that the pusher wrote (edge S1), and none is lost.
 * Method: few nodes on two stacks, so that a pop often finds a node that was popped and pushed again
 * meanwhile; threads pop from one, change the node with plain stores, and push it to either.
 * Oracle: a flag in the node set by exchange while it is held; words of the node that agree; a count of
 * passes per node that adds up to the passes of all threads; the nodes at the end.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"
#include "sync/stack.h"

enum { THREADS = 4, NODES = 6, WORDS = 4, HELD = 2 };

struct item {
	struct lg_node node;
	uint64_t words[WORDS];
	_Atomic(bool) held;
};

static struct lg_stack stacks[2];
static struct item items[NODES];
static struct crew crew;
static _Atomic(uint64_t) passes;

static void change(struct item *item)
{
	CLAIM(!atomic_exchange_explicit(&item->held, true, memory_order_relaxed));
	for (unsigned i = 1; i < WORDS; i++)
		CLAIM(item->words[i] == item->words[0]);
	for (unsigned i = 0; i < WORDS; i++)
		item->words[i]++;
}

static void pass_on(struct crew_member *member)
{
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		struct item *held[HELD];
		unsigned count = 0;

		while (count < HELD) {
			struct lg_node *node =
				lg_stack_pop(&stacks[random_below(&member->random, 2)]);

			if (node == NULL)
				break;
			held[count] = (struct item *)(void *)node;
			change(held[count++]);
			mine++;
		}
		while (count > 0) {
			struct item *item = held[--count];

			CLAIM(atomic_exchange_explicit(&item->held, false, memory_order_relaxed));
			lg_stack_push(&stacks[random_below(&member->random, 2)], &item->node);
		}
	}
	atomic_fetch_add(&passes, mine);
}

int main(void)
{
	double end = clock_end_of_run(2);
	uint64_t sum = 0;
	unsigned left = 0;

	for (unsigned i = 0; i < 2; i++)
		lg_stack_init(&stacks[i]);
	for (unsigned i = 0; i < NODES; i++)
		lg_stack_push(&stacks[0], &items[i].node);
	crew_start(&crew, THREADS, random_seed(), pass_on);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	for (unsigned i = 0; i < 2; i++) {
		for (struct lg_node *node; (node = lg_stack_pop(&stacks[i])) != NULL; left++) {
			struct item *item = (struct item *)(void *)node;

			sum += item->words[0];
			change(item);
		}
	}
	CLAIM(left == NODES);
	CLAIM(sum == atomic_load(&passes));
	CLAIM(sum > NODES);
	printf("%llu passes\n", (unsigned long long)sum);
	return 0;
}
