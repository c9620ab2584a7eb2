/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The simulator beside one that keeps plain arrays, and sequences whose misses are known. */
#include "unit/unit.h"

#include "pager/simulator.h"

enum { PAGES = 64, THREADS = 3 };

static struct lg_policy policy_of(const char *name)
{
	struct lg_policy policy;

	assert_true(lg_policy_find(name, strlen(name), &policy));
	return policy;
}

/* Nothing but the policy: one page leaves when one comes. */
static struct lg_simulator_rules plain_rules(const char *name, uint32_t budget)
{
	return (struct lg_simulator_rules){
		.policy = policy_of(name),
		.budget = budget,
		.batch = 1,
		.retire = 1,
		.run = 1,
	};
}

/* "1 2w 3": page 2 is written. */
static size_t parse(const char *text, struct lg_access *accesses)
{
	size_t count = 0;

	while (*text != '\0') {
		char *end;

		accesses[count] = (struct lg_access){ .page = (uint32_t)strtoul(text, &end, 10) };
		if (*end == 'w') {
			accesses[count].write = true;
			end++;
		}
		text = *end == ' ' ? end + 1 : end;
		count++;
	}
	return count;
}

static struct lg_simulator_counts run(const struct lg_simulator_rules *rules, const char *text)
{
	struct lg_access accesses[256];
	struct lg_simulator_counts counts;
	size_t count = parse(text, accesses);

	assert_int_equal(lg_simulate(rules, accesses, count, PAGES, 1, &counts), 0);
	return counts;
}

static uint64_t misses_of(const char *name, uint32_t budget, const char *text)
{
	struct lg_simulator_rules rules = plain_rules(name, budget);

	return run(&rules, text).misses;
}

static uint64_t best_of(uint32_t budget, const char *text)
{
	struct lg_access accesses[256];
	size_t count = parse(text, accesses);
	uint64_t misses;

	assert_int_equal(lg_simulate_best(budget, accesses, count, PAGES, &misses), 0);
	return misses;
}

/* Belady, Nelson and Shedler, 1969: more memory, more misses. */
static void anomaly_of_fifo_is_there(void **state)
{
	static const char text[] = "1 2 3 4 1 2 5 1 2 3 4 5";

	(void)state;
	assert_int_equal(misses_of("fifo", 3, text), 9);
	assert_int_equal(misses_of("fifo", 4, text), 10);
	assert_int_equal(best_of(3, text), 7);
	assert_int_equal(best_of(4, text), 6);
	assert_int_equal(best_of(5, text), 5);
	assert_int_equal(best_of(1, text), 12);
}

/* Two rounds over five pages with memory for three. */
static void lifo_keeps_what_a_cycle_comes_back_to(void **state)
{
	static const char text[] = "0 1 2 3 4 0 1 2 3 4";

	(void)state;
	assert_int_equal(misses_of("fifo", 3, text), 10);
	assert_int_equal(misses_of("plru", 3, text), 10);
	assert_int_equal(misses_of("lifo", 3, text), 5 + 3);
	assert_int_equal(best_of(3, text), 5 + 2);
}

static void writes_are_those_of_pages_that_leave_dirty(void **state)
{
	struct lg_simulator_rules rules = plain_rules("fifo", 2);
	struct lg_simulator_counts counts;

	(void)state;
	counts = run(&rules, "0w 1 1w 2 3 0 0w 0w 4 5");
	assert_int_equal(counts.accesses, 10);
	assert_int_equal(counts.misses, 7);
	assert_int_equal(counts.cold, 6);
	assert_int_equal(counts.protects, 2); /* 1w; 0w the first time after it came back */
	assert_int_equal(counts.hits, 1);
	assert_int_equal(counts.left, 5);
	assert_int_equal(counts.writes, 3); /* 0, 1, and 0 again */
	/* wiro_f gives up clean 2 before dirty 0. */
	rules = plain_rules("wiro_f", 2);
	counts = run(&rules, "0w 2 3 0 4 0");
	assert_int_equal(counts.misses, 4);
	assert_int_equal(counts.writes, 0);
}

static void page_in_limbo_comes_back_without_a_miss(void **state)
{
	struct lg_simulator_rules rules = plain_rules("fifo", 4);
	struct lg_simulator_counts counts;

	(void)state;
	rules.batch = 2;
	/* For 4, both 0 and 1 leave the map, and 0 leaves memory. 1 comes back. For 0: 2 and 3, and 2 leaves. */
	counts = run(&rules, "0 1w 2 3 4 1 0 3");
	assert_int_equal(counts.misses, 6);
	assert_int_equal(counts.limbo_hits, 2);
	assert_int_equal(counts.evictions, 4);
	assert_int_equal(counts.left, 2);
	assert_int_equal(counts.writes, 0);
}

static void reserve_is_kept_ahead_of_the_faults(void **state)
{
	struct lg_simulator_rules rules = plain_rules("fifo", 8);
	struct lg_simulator_counts counts;

	(void)state;
	rules.reserve_low = 2;
	rules.reserve_high = 4;
	/* The seventh page leaves one; evictions go on until four are mapped. All are still in memory. */
	counts = run(&rules, "0 1 2 3 4 5 6");
	assert_int_equal(counts.evictions, 3);
	assert_int_equal(counts.left, 0);
	counts = run(&rules, "0 1 2 3 4 5 6 0 1");
	assert_int_equal(counts.limbo_hits, 2);
	assert_int_equal(counts.misses, 7);
	rules.retire = 3;
	counts = run(&rules, "0 1 2 3 4 5 6 7 8");
	assert_int_equal(counts.left, 3);
}

/* lifo would give up the page that came just now, and two pages that are wanted together never stay. */
static void recent_pages_stay_until_all_are(void **state)
{
	struct lg_simulator_rules rules = plain_rules("lifo", 4);
	struct lg_simulator_counts counts;

	(void)state;
	counts = run(&rules, "0 1 2 3 4 5 4 5 4 5");
	assert_int_equal(counts.misses, 10);
	rules.recent_most = 34;
	counts = run(&rules, "0 1 2 3 4 5 4 5 4 5"); /* two are recent: half of the budget */
	assert_int_equal(counts.misses, 6);
	assert_int_equal(counts.put_back, 2 + 2);
	rules.recent_least = rules.recent_most = 34; /* all of them are: one goes all the same */
	counts = run(&rules, "0 1 2 3 4 5 6");
	assert_int_equal(counts.misses, 7);
	assert_int_equal(counts.left, 3);
}

static void engine_rules_follow_the_budget(void **state)
{
	struct lg_simulator_rules rules;
	struct lg_policy policy = policy_of("clock");

	(void)state;
	for (uint32_t budget = 1; budget < 1u << 24; budget = budget * 3 / 2 + 1) {
		for (unsigned shift = 12; shift <= 21; shift += 3) {
			lg_simulator_rules_of_engine(&rules, &policy, budget, shift);
			assert_true(rules.reserve_high < budget);
			assert_true(rules.reserve_low <= rules.reserve_high);
			assert_in_range(rules.batch, 1, 128);
			lg_simulator_free(lg_simulator_new(&rules, 1, 1));
			lg_simulator_rules_of_faults(&rules, &policy, budget, shift);
			assert_int_equal(rules.reserve_high, 0);
			assert_int_equal(rules.unwritten_most, budget / 8);
			lg_simulator_free(lg_simulator_new(&rules, 1, 1));
		}
	}
	lg_simulator_rules_of_engine(&rules, &policy, 8192, 16); /* 512M of 64K */
	assert_int_equal(rules.reserve_high, 512);
	assert_int_equal(rules.reserve_low, 256);
	assert_int_equal(rules.batch, 64);
	assert_int_equal(rules.retire, 64);
}

/* --- beside plain arrays ------------------------------------------------------------------------ */

static struct {
	struct lg_simulator_rules rules;
	void *state;
	char where[PAGES]; /* 'o', 'm', 'l' */
	bool dirty[PAGES];
	uint32_t handle[PAGES];
	uint32_t limbo[2][PAGES]; /* clean and not, oldest first */
	uint32_t limbo_count[2];
	uint32_t fills[THREADS][4096]; /* all pages a thread mapped, oldest first */
	uint32_t fill_count[THREADS];
	uint32_t keep[THREADS]; /* how many of these are recent */
	uint64_t reads, writes;
} plain;

static uint32_t plain_count(char where)
{
	uint32_t count = 0;

	for (uint32_t page = 0; page < PAGES; page++)
		count += plain.where[page] == where;
	return count;
}

static bool plain_is_recent(uint32_t page)
{
	for (unsigned thread = 0; thread < THREADS; thread++)
		for (uint32_t i = 0; i < plain.keep[thread]; i++)
			if (plain.fills[thread][plain.fill_count[thread] - 1 - i] == page)
				return true;
	return false;
}

static void plain_to_limbo(uint32_t page)
{
	unsigned dirty = plain.dirty[page];

	plain.where[page] = 'l';
	plain.limbo[dirty][plain.limbo_count[dirty]++] = page;
}

static void plain_from_limbo(uint32_t page)
{
	unsigned dirty = plain.dirty[page];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < plain.limbo_count[dirty]; i++)
		if (plain.limbo[dirty][i] != page)
			plain.limbo[dirty][kept++] = plain.limbo[dirty][i];
	plain.limbo_count[dirty] = kept;
}

static uint32_t plain_page_of(uint32_t handle)
{
	for (uint32_t page = 0; page < PAGES; page++)
		if (plain.where[page] != 'o' && plain.handle[page] == handle)
			return page;
	fail();
	return 0;
}

static bool plain_batch(void)
{
	uint32_t aside[PAGES], aside_count = 0, found = 0, handle;

	while (found < plain.rules.batch &&
	       (handle = plain.rules.policy.ops->victim(plain.state)) != UINT32_MAX) {
		uint32_t page = plain_page_of(handle);

		if (plain_is_recent(page))
			aside[aside_count++] = page;
		else
			plain_to_limbo(page), found++;
	}
	while (aside_count-- > 0)
		plain.rules.policy.ops->put_back(plain.state, plain.handle[aside[aside_count]],
						 aside[aside_count]);
	return found > 0;
}

static void plain_out(void)
{
	uint32_t page = plain.limbo[0][0];

	plain_from_limbo(page);
	plain.where[page] = 'o';
}

static bool plain_write(void)
{
	uint32_t i;

	for (i = 0; i < plain.rules.run && plain.limbo_count[1] > 0; i++) {
		uint32_t page = plain.limbo[1][0];

		plain_from_limbo(page);
		plain.dirty[page] = false;
		plain_to_limbo(page);
		plain.writes++;
	}
	return i > 0;
}

static bool plain_reclaim(void)
{
	if (plain.limbo_count[1] > plain.rules.unwritten_most)
		return plain_write();
	return plain_batch() || plain_write();
}

static uint32_t plain_available(void)
{
	return plain.rules.budget - plain_count('m') - plain.limbo_count[1];
}

/* The lowest handle nobody has: which it is means nothing to a policy. */
static uint32_t plain_handle(void)
{
	for (uint32_t handle = 0;; handle++) {
		bool used = false;

		for (uint32_t page = 0; page < PAGES; page++)
			used = used || (plain.where[page] != 'o' && plain.handle[page] == handle);
		if (!used)
			return handle;
	}
}

static void plain_map(const struct lg_access *access)
{
	uint32_t threads = 0, thread = access->thread;

	plain.where[access->page] = 'm';
	plain.rules.policy.ops->fill(plain.state, plain.handle[access->page], access->page,
				     plain.dirty[access->page] ? LG_REFERENCE_WRITE :
								 LG_REFERENCE_READ);
	plain.fills[thread][plain.fill_count[thread]++] = access->page;
	for (unsigned i = 0; i < THREADS; i++)
		threads += plain.fill_count[i] > 0;
	uint32_t keep = plain.rules.budget / 2 / threads;
	keep = keep > plain.rules.recent_least ? keep : plain.rules.recent_least;
	keep = keep < plain.rules.recent_most ? keep : plain.rules.recent_most;
	plain.keep[thread] = plain.keep[thread] + 1 < keep ? plain.keep[thread] + 1 : keep;
}

static enum lg_simulator_outcome plain_access(const struct lg_access *access)
{
	uint32_t page = access->page;
	enum lg_reference how = access->write ? LG_REFERENCE_WRITE : LG_REFERENCE_READ;
	enum lg_simulator_outcome outcome = LG_SIMULATOR_LIMBO;

	if (plain.where[page] == 'm') {
		if (!access->write || plain.dirty[page])
			return LG_SIMULATOR_HIT;
		plain.dirty[page] = true;
		plain.rules.policy.ops->touch(plain.state, plain.handle[page], how);
		return LG_SIMULATOR_PROTECT;
	}
	if (plain.where[page] == 'l') {
		plain_from_limbo(page);
		plain_map(access);
		plain.rules.policy.ops->touch(plain.state, plain.handle[page], how);
		plain.dirty[page] |= access->write;
	} else {
		if (plain_count('o') == PAGES - plain.rules.budget) {
			while (plain.limbo_count[0] == 0)
				if (!plain_reclaim())
					plain_to_limbo(plain_page_of(
						plain.rules.policy.ops->victim(plain.state)));
			for (uint32_t i = 0; i < plain.rules.retire && plain.limbo_count[0] > 0;
			     i++)
				plain_out();
		}
		plain.handle[page] = plain_handle();
		plain.dirty[page] = access->write;
		plain.reads++;
		plain_map(access);
		outcome = LG_SIMULATOR_MISS;
	}
	if (plain_available() < plain.rules.reserve_low)
		while (plain_available() < plain.rules.reserve_high)
			if (!plain_reclaim())
				break;
	return outcome;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	return z ^ (z >> 27);
}

static void beside(const struct lg_simulator_rules *rules, uint64_t seed)
{
	struct lg_simulator *simulator = lg_simulator_new(rules, PAGES, THREADS);
	uint64_t random = seed;

	assert_non_null(simulator);
	memset(&plain, 0, sizeof(plain));
	memset(plain.where, 'o', sizeof(plain.where));
	plain.rules = *rules;
	plain.state = rules->policy.ops->create(rules->budget, rules->budget, NULL);
	for (unsigned i = 0; i < 1500; i++) {
		uint64_t r = next_random(&random);
		/* Some pages more often than others. */
		uint32_t page = (uint32_t)((r >> 8) % PAGES * ((r >> 20) % PAGES) / PAGES);
		struct lg_access access = { page, (uint16_t)(r >> 32) % THREADS, r % 3 == 0 };

		assert_int_equal(lg_simulator_access(simulator, &access), plain_access(&access));
		lg_simulator_check(simulator);
	}
	assert_int_equal(lg_simulator_counts(simulator)->misses, plain.reads);
	assert_int_equal(lg_simulator_counts(simulator)->writes, plain.writes);
	assert_int_equal(lg_simulator_counts(simulator)->accesses, 1500);
	plain.rules.policy.ops->destroy(plain.state);
	lg_simulator_free(simulator);
}

static void any_accesses_go_as_with_plain_arrays(void **state)
{
	struct lg_policy policy;

	(void)state;
	for (unsigned place = 0; lg_policy_at(place, &policy); place++) {
		for (uint32_t budget = 1; budget < PAGES; budget += budget / 2 + 1) {
			uint64_t seed = place * 1000 + budget, r = seed;
			struct lg_simulator_rules rules = { .policy = policy, .budget = budget };

			rules.batch = 1 + (uint32_t)(next_random(&r) % 4);
			rules.retire = 1 + (uint32_t)(next_random(&r) % 3);
			rules.run = 1 + (uint32_t)(next_random(&r) % 5);
			rules.unwritten_most = (uint32_t)(next_random(&r) % (budget / 4 + 1));
			rules.reserve_high = (uint32_t)(next_random(&r) % ((budget + 1) / 2));
			rules.reserve_low = rules.reserve_high / 2;
			rules.recent_most = (uint32_t)(next_random(&r) % 9);
			rules.recent_least = rules.recent_most / 2;
			beside(&rules, seed);
		}
	}
}

/* The best by trying every choice, for a few pages. */
static uint64_t best_by_trying(const struct lg_access *accesses, size_t count, uint32_t in_memory,
			       uint32_t budget)
{
	uint64_t least = UINT64_MAX;

	for (; count > 0 && (in_memory >> accesses->page & 1) != 0; count--)
		accesses++;
	if (count == 0)
		return 0;
	uint32_t with = in_memory | 1u << accesses->page;
	if ((uint32_t)__builtin_popcount(in_memory) < budget)
		return 1 + best_by_trying(accesses + 1, count - 1, with, budget);
	for (uint32_t page = 0; page < 32; page++) {
		if ((in_memory >> page & 1) == 0)
			continue;
		uint64_t misses =
			1 + best_by_trying(accesses + 1, count - 1, with & ~(1u << page), budget);
		least = misses < least ? misses : least;
	}
	return least;
}

static void best_is_the_least_of_all_choices(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct lg_access accesses[14];
		uint32_t budget = 1 + (uint32_t)(next_random(&random) % 3);
		uint64_t misses;

		for (unsigned i = 0; i < 14; i++)
			accesses[i] =
				(struct lg_access){ .page = (uint32_t)(next_random(&random) % 6) };
		assert_int_equal(lg_simulate_best(budget, accesses, 14, 6, &misses), 0);
		assert_int_equal(misses, best_by_trying(accesses, 14, 0, budget));
	}
}

static void no_policy_has_fewer_misses_than_the_best(void **state)
{
	enum { COUNT = 20000 };
	static struct lg_access accesses[COUNT];
	uint64_t random = 9, best, before = UINT64_MAX;
	struct lg_policy policy;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t r = next_random(&random);

		accesses[i] = (struct lg_access){
			.page = r % 4 == 0 ? i % PAGES : (uint32_t)((r >> 8) % 16),
			.write = r % 7 == 0,
		};
	}
	for (uint32_t budget = 1; budget <= PAGES; budget++) {
		assert_int_equal(lg_simulate_best(budget, accesses, COUNT, PAGES, &best), 0);
		assert_true(best <= before);
		before = best;
		for (unsigned place = 0; lg_policy_at(place, &policy); place++) {
			struct lg_simulator_rules rules;
			struct lg_simulator_counts counts;

			lg_simulator_rules_of_engine(&rules, &policy, budget, 16);
			assert_int_equal(lg_simulate(&rules, accesses, COUNT, PAGES, 1, &counts),
					 0);
			assert_true(counts.misses >= best);
		}
	}
	assert_int_equal(best, PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anomaly_of_fifo_is_there),
		cmocka_unit_test(lifo_keeps_what_a_cycle_comes_back_to),
		cmocka_unit_test(writes_are_those_of_pages_that_leave_dirty),
		cmocka_unit_test(page_in_limbo_comes_back_without_a_miss),
		cmocka_unit_test(reserve_is_kept_ahead_of_the_faults),
		cmocka_unit_test(recent_pages_stay_until_all_are),
		cmocka_unit_test(engine_rules_follow_the_budget),
		cmocka_unit_test(any_accesses_go_as_with_plain_arrays),
		cmocka_unit_test(best_is_the_least_of_all_choices),
		cmocka_unit_test(no_policy_has_fewer_misses_than_the_best),
	};

	return UNIT_RUN(tests);
}
