/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a user's policy that gives up a page it does not have stops the program with SIGABRT and exactly one line on
 * stderr, which names the policy and the handle; one that keeps to the rules does not, and one that gives up nothing is
 * ENOMEM, not a hang.
 * Method: a policy that is right until it is told to lie, in a child for each lie. The pages are more than the budget.
 * Oracle: the child's wait status and its stderr.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define NONE UINT32_MAX

enum { HANDLES = 1024 }; /* more than are ever in use here */

/* The newest leaves first. */
struct pile {
	uint32_t count;
	uint32_t handles[HANDLES];
};

static struct pile *piles[2]; /* in the order they were made */
static unsigned pile_count;
static uint32_t (*lie)(struct pile *pile);
static uint32_t last_left = NONE;

/* Where the child says which handle the line may name. */
static uint32_t *named;

static void *create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)capacity;
	(void)target;
	(void)argument;
	CLAIM(pile_count < 2);
	return piles[pile_count++] = calloc(1, sizeof(struct pile));
}

static void put(struct pile *pile, uint32_t handle)
{
	CLAIM(pile->count < HANDLES);
	pile->handles[pile->count++] = handle;
}

static void fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)key;
	(void)how;
	put(state, handle);
}

static void put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)key;
	put(state, handle);
}

static void touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)handle;
	(void)how;
}

static void take(void *state, uint32_t handle)
{
	struct pile *pile = state;
	uint32_t place = 0;

	while (pile->handles[place] != handle)
		place++;
	memmove(&pile->handles[place], &pile->handles[place + 1],
		(--pile->count - place) * sizeof(handle));
	last_left = handle;
}

static uint32_t victim(void *state)
{
	struct pile *pile = state;

	if (lie != NULL)
		return *named = lie(pile);
	if (pile->count == 0)
		return NONE;
	last_left = pile->handles[--pile->count];
	return last_left;
}

#define PILE(name_)                                                                                \
	{                                                                                          \
		.size = sizeof(struct lg_policy_ops), .name = (name_), .create = create,           \
		.destroy = free, .fill = fill, .touch = touch, .victim = victim,                   \
		.put_back = put_back, .remove = take                                               \
	}

static const struct lg_policy_ops mine = PILE("mine"), other = PILE("other");

static lg_pager *pager;
static lg_map *map;

static void begin(void)
{
	CLAIM(lg_policy_register(&mine, NULL) == 0);
	CLAIM(lg_policy_register(&other, NULL) == 0);
	pager = lg_pager_new("memory:1M,page:16K,policy:mine,faults:inline,prefetch:off");
	CLAIM(pager != NULL);
	map = lg_map_memory(pager, 4 * MIB, NULL);
	CLAIM(map != NULL);
}

static void touch_all(lg_map *which)
{
	volatile char *data = lg_map_data(which);

	for (size_t at = 0; at < lg_map_size(which); at += 16 * KIB)
		data[at] = 1;
}

/* --- lies --------------------------------------------------------------------------------------- */

static uint32_t beyond_the_table(struct pile *pile)
{
	(void)pile;
	return NONE - 1;
}

static uint32_t never_in_use(struct pile *pile)
{
	(void)pile;
	return HANDLES;
}

/* A page that is in limbo now, or whose handle is free. */
static uint32_t gone(struct pile *pile)
{
	(void)pile;
	return last_left;
}

/* The first time it is right. */
static uint32_t the_same_again(struct pile *pile)
{
	return pile->handles[0];
}

static uint32_t of_the_other(struct pile *pile)
{
	return piles[pile == piles[0]]->handles[0];
}

static void tell(void *argument)
{
	uint32_t (*const *told)(struct pile *) = argument;

	begin();
	touch_all(map);
	lie = *told;
	touch_all(map);
}

/* Handles of a map that is closed, which no other page has got yet. */
static void tell_of_a_closed_map(void *unused)
{
	(void)unused;
	begin();
	lg_map *closed = lg_map_memory(pager, 128 * KIB, NULL);
	touch_all(closed);
	CLAIM(lg_map_close(closed) == 0);
	lie = gone;
	(void)lg_pager_resize(pager, 512 * KIB);
	touch_all(map);
}

static void tell_of_another_policys(void *unused)
{
	(void)unused;
	begin();
	lg_map *others = lg_map_memory(pager, 64 * KIB, "policy:other");
	touch_all(others);
	touch_all(map);
	CLAIM(pile_count == 2 && piles[1]->count > 0);
	lie = of_the_other;
	touch_all(map);
}

/* --- what is right ------------------------------------------------------------------------------ */

static void claim_all_right(const char *options)
{
	lg_map *maps[2];

	CLAIM((pager = lg_pager_new(options)) != NULL);
	maps[0] = lg_map_memory(pager, 4 * MIB, "policy:mine");
	maps[1] = lg_map_memory(pager, 4 * MIB, "policy:other");
	for (unsigned turn = 0; turn < 4; turn++) {
		for (unsigned i = 0; i < 2; i++) {
			CLAIM(lg_map_pin(maps[i], turn * 64 * KIB, 64 * KIB) == 0);
			touch_all(maps[i]);
			CLAIM(lg_map_advise(maps[i], 256 * KIB, 256 * KIB, LG_COLD) == 0);
			CLAIM(lg_map_advise(maps[i], 512 * KIB, 256 * KIB, LG_DEAD) == 0);
			CLAIM(lg_map_unpin(maps[i], turn * 64 * KIB, 64 * KIB) == 0);
		}
		CLAIM(lg_pager_resize(pager, turn % 2 == 0 ? MIB : 2 * MIB) == 0);
	}
	for (unsigned i = 0; i < 2; i++)
		CLAIM(lg_map_close(maps[i]) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void keep_the_rules(void *unused)
{
	(void)unused;
	CLAIM(lg_policy_register(&mine, NULL) == 0);
	CLAIM(lg_policy_register(&other, NULL) == 0);
	claim_all_right("memory:2M,page:16K,faults:inline");
	pile_count = 0;
	claim_all_right("memory:2M,page:4K,faults:inline,without:move");
}

static uint32_t nothing(struct pile *pile)
{
	(void)pile;
	return NONE;
}

/* By a call, for a touch would be SIGBUS. */
static void keep_all(void *unused)
{
	char byte = 1;
	ssize_t got = 1;

	(void)unused;
	begin();
	lie = nothing;
	for (size_t at = 0; at < lg_map_size(map) && got == 1; at += 16 * KIB)
		got = lg_map_write(map, &byte, 1, at);
	CLAIM(got == -ENOMEM);
	lie = NULL;
	touch_all(map);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void claim_stops(const char *what, void (*misuse)(void *), void *argument)
{
	struct child_end end;
	char line[160];

	*named = NONE;
	end = child_try(misuse, argument);
	snprintf(line, sizeof(line),
		 "lgalloc: policy 'mine': victim gave up page handle %u, which the policy does not "
		 "have\n",
		 *named);
	if (child_died_of(&end, SIGABRT) && strcmp(end.text, line) == 0)
		return;
	child_print(what, &end);
	BROKEN("a policy that gives up what it does not have stops with one line");
}

int main(void)
{
	static const struct {
		const char *name;
		uint32_t (*told)(struct pile *);
	} lies[] = {
		{ "beyond_the_table", beyond_the_table },
		{ "never_in_use", never_in_use },
		{ "gone", gone },
		{ "the_same_again", the_same_again },
	};

	named = mmap(NULL, sizeof(*named), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	CLAIM(named != MAP_FAILED);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint32_t (*told)(struct pile *) = lies[i].told;

		claim_stops(lies[i].name, tell, &told);
	}
	claim_stops("tell_of_a_closed_map", tell_of_a_closed_map, NULL);
	claim_stops("tell_of_another_policys", tell_of_another_policys, NULL);
	(void)child_claim("keep_the_rules", keep_the_rules, NULL);
	(void)child_claim("keep_all", keep_all, NULL);
	return EXIT_SUCCESS;
}
