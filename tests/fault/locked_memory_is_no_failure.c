/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a program that locks its memory (mlockall) the kernel refuses every give-back; the library
 * counts that, keeps such regions usable, loses none, and hands out zero where zero was asked for.
 * Method: mlockall of what is there, of what comes, of both, before and after the first regions; then
 * allocation, free, trim and the worker; then munlockall.
 * Oracle: 0 or -EIO from lg_trim, stamps, zeros, the books, and a trim that works once unlocked.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <sys/mman.h>

enum { REGIONS = 20 };

static lg_region *regions[REGIONS];

static size_t size_of(unsigned i)
{
	return (size_t)1 << (12 + i % 10);
}

static void take(uint64_t id)
{
	for (unsigned i = 0; i < REGIONS; i++) {
		regions[i] = i % 3 == 0 ? lg_region_new_zeroed(size_of(i)) :
					  lg_region_new(size_of(i));
		CLAIM(regions[i] != NULL);
		if (i % 3 == 0)
			CLAIM(stamp_all_zero(lg_region_data(regions[i]), size_of(i)));
		memset(lg_region_data(regions[i]), 0xff, size_of(i));
		stamp_write(lg_region_data(regions[i]), size_of(i), id + i);
	}
}

static void give(uint64_t id)
{
	for (unsigned i = 0; i < REGIONS; i++) {
		lg_region *larger;
		int result = lg_region_advise(regions[i], 0, 0, LG_COLD);

		CLAIM(result <= 0);
		CLAIM(stamp_holds(lg_region_data(regions[i]), size_of(i), id + i));
		if (i % 4 == 0) {
			larger = lg_region_resize(regions[i], 2 * size_of(i));
			CLAIM(larger != NULL);
			CLAIM(stamp_holds(lg_region_data(larger), size_of(i), id + i));
			regions[i] = larger;
		}
	}
	for (unsigned i = 0; i < REGIONS; i++)
		lg_region_free(regions[i]);
}

static void live_locked(void *argument)
{
	int flags = *(const int *)argument;
	bool kept_one = (flags & MCL_CURRENT) != 0;
	int result;

	if (kept_one) {
		take(100);
		give(100);
		take(200);
	}
	if (mlockall(flags) != 0)
		SKIP("no mlockall: %s", strerror(errno));
	if (kept_one)
		give(200);
	for (uint64_t turn = 0; turn < 2; turn++) {
		take(turn);
		give(turn);
		result = lg_trim();
		CLAIM(result == 0 || result == -EIO);
	}
	CLAIM(munlockall() == 0);
	take(300);
	give(300);
	account_claim_nothing_lost();
}

/* More than a small RLIMIT_MEMLOCK allows: with it each new mapping would be refused, rightly. */
static void lock_much(void *unused)
{
	int readable = PROT_READ | PROT_WRITE;

	(void)unused;
	if (mlockall(MCL_FUTURE) != 0 ||
	    mmap(NULL, (size_t)1 << 28, readable, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		SKIP("RLIMIT_MEMLOCK lets nothing be locked: %s", strerror(errno));
}

static void body(const struct round *round)
{
	static const int flags[] = { MCL_CURRENT, MCL_FUTURE, MCL_CURRENT | MCL_FUTURE };
	const struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };
	/* The rest of the rounds differ in who gives back, not in what is locked; and what is locked is brought in, all of it. */
	unsigned first = strchr(round->name, '-') == NULL ? 0 : 2;
	bool all = true;

	setrlimit(RLIMIT_MEMLOCK, &no_limit);
	if (!child_claim("lock_much", lock_much, NULL))
		exit(EXIT_SKIPPED);
	for (unsigned i = first; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int one = flags[i];

		printf("mlockall(%d)\n", one);
		all &= child_claim("live_locked", live_locked, &one);
	}
	if (!all)
		exit(EXIT_SKIPPED);
}

static const struct round rounds[] = {
	{ "file", "backing:file,background:off" },
	{ "anon", "backing:anon,background:off" },
	{ "file-worker", "backing:file,interval:1ms,retire_delay:0" },
	{ "anon-worker", "backing:anon,interval:1ms,second_decay:0,retire_delay:0" },
	{ "anon-small-pages", "backing:anon,hugepages:off,interval:1ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
