/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The engine beside the simulator: the same reads of one thread, most of them of some hot pages, which leave and are wanted again
 * while they are in limbo. What the engine takes for a miss is what the simulator does, but for what that does not have: a page
 * that is copied out of limbo is in memory twice for a moment, and pages that lately did not come back leave without limbo.
 *
 * The pager's writer has no pace of its own here: the linker's --wrap sends it here to sleep, and it sleeps until the end. The test
 * does its work after each read, by the simulator's rule, or leaves all to the faults. So the same happens in every run.
 */
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "pager/budget.h"
#include "pager/pager.h"
#include "pager/simulator.h"

#include <lgalloc/pager.h>

#include <errno.h>
#include <semaphore.h>

enum { PAGE = 4096, PAGE_SHIFT = 12, ACCESSES = 400000 };

static struct lg_access accesses[ACCESSES];
static uint32_t budget; /* pages */
static uint32_t pages;

/* --- the writer --------------------------------------------------------------------------------- */

static struct {
	_Atomic(_Atomic(uint32_t) *) work; /* whose sleep it is; NULL: it sleeps as ever */
	sem_t sleeps;
	sem_t goes_on;
} writer;

void __real_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms);
void __wrap_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms);

static void wait_for(sem_t *count)
{
	while (sem_wait(count) != 0)
		assert_int_equal(errno, EINTR);
}

void __wrap_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms)
{
	if (word != lg_load_acquire(&writer.work)) {
		__real_lg_os_sleep_while(word, value, timeout_ms);
		return;
	}
	sem_post(&writer.sleeps);
	wait_for(&writer.goes_on);
}

/* It may be asleep already: then it is woken, finds nothing to do, and sleeps here. */
static void stop_writer(lg_pager *pager)
{
	sem_init(&writer.sleeps, 0, 0);
	sem_init(&writer.goes_on, 0, 0);
	lg_store_release(&writer.work, &pager->work);
	lg_add_ordered(&pager->work, 1);
	lg_os_wake_all(&pager->work);
	wait_for(&writer.sleeps);
}

static void let_writer_go_on(void)
{
	lg_store_release(&writer.work, NULL);
	sem_post(&writer.goes_on);
}

/* The simulator's rule. There is nothing to write. */
static void do_as_writer(lg_pager *pager)
{
	uint64_t mark = lg_budget_mark(pager);

	if (lg_budget_available(pager) < mark / 2)
		while (lg_budget_available(pager) < mark && lg_budget_reclaim(pager, NULL))
			;
}

/* --- both --------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* One of sixteen falls on any page, the others on hot ones, which are not neighbours. */
static void make_accesses(void)
{
	enum { STEP = 1021, COLD_PART = 16 };
	uint32_t hot = budget / 2;
	uint64_t state = 1;

	for (size_t i = 0; i < ACCESSES; i++) {
		uint64_t random = next_random(&state), rank = random >> 32;

		rank %= random % COLD_PART == 0 ? pages : hot;
		accesses[i] = (struct lg_access){ .page = (uint32_t)(rank * STEP % pages) };
	}
}

static uint64_t misses_of_engine(const char *policy, bool has_writer)
{
	struct lg_pager_stats stats;
	char options[128];

	snprintf(options, sizeof(options), "memory:%u,page:4K,policy:%s,faults:inline,prefetch:off",
		 budget * PAGE, policy);
	lg_pager *pager = lg_pager_new(options);
	assert_non_null(pager);
	stop_writer(pager);
	lg_map *map = lg_map_memory(pager, (size_t)pages * PAGE, "reserve:lazy");
	assert_non_null(map);
	const volatile char *data = lg_map_data(map);
	for (size_t i = 0; i < ACCESSES; i++) {
		(void)data[(size_t)accesses[i].page * PAGE];
		if (has_writer)
			do_as_writer(pager);
	}
	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_int_equal(stats.protect_faults, 0);
	assert_true((stats.limbo_hits > 0) == has_writer);
	let_writer_go_on();
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	return stats.faults - stats.limbo_hits;
}

static uint64_t misses_of_simulator(const char *name, bool has_writer)
{
	struct lg_simulator_counts counts;
	struct lg_simulator_rules rules;
	struct lg_policy policy;

	assert_true(lg_policy_find(name, strlen(name), &policy));
	if (has_writer)
		lg_simulator_rules_of_engine(&rules, &policy, budget, PAGE_SHIFT);
	else
		lg_simulator_rules_of_faults(&rules, &policy, budget, PAGE_SHIFT);
	assert_int_equal(lg_simulate(&rules, accesses, ACCESSES, pages, 1, &counts), 0);
	return counts.misses;
}

/* In memory of so many pages, by at most so many percent. */
static void compare(bool has_writer, uint32_t memory, double most)
{
	static const char *const policies[] = { "clock", "fifo", "plru", "s3fifo", "lifo" };

	budget = memory;
	pages = 2 * memory;
	make_accesses();
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		double engine = (double)misses_of_engine(policies[i], has_writer);
		double simulator = (double)misses_of_simulator(policies[i], has_writer);
		double off = (engine / simulator - 1) * 100;

		printf("%s: %.0f misses, the simulator's %.0f: %+.2f %%\n", policies[i], engine,
		       simulator, off);
		assert_true(off <= most && off >= -most);
	}
}

/* It is 2.4 in every run; a page that is not known to be used again when it returns makes it 10 of clock. */
static void misses_are_nearly_those_of_the_simulator_where_pages_return(void **state)
{
	(void)state;
	compare(true, 4096, 4.9);
}

/* A batch is less than what is given back at once then: none return, and nothing differs. */
static void misses_are_those_of_the_simulator_where_faults_do_all(void **state)
{
	(void)state;
	compare(false, 1024, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misses_are_nearly_those_of_the_simulator_where_pages_return),
		cmocka_unit_test(misses_are_those_of_the_simulator_where_faults_do_all),
	};

	return UNIT_RUN(tests);
}
