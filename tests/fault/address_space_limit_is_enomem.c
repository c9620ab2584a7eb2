/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: under RLIMIT_AS the library lives with a part of the address space, leaves most of it to the
 * program, answers ENOMEM when its part is used up, and works on once regions are freed.
 * Method: children under limits from 16 MiB to 8 GiB, both backings.
 * Oracle: errno, the wait status, stamps; malloc of half the limit must still succeed after the
 * library's start.
 */
#include "fault/child.h"
#include "fault/exhaust.h"
#include "stress/account.h"
#include "stress/rounds.h"

static void limit_addresses(rlim_t bytes)
{
	struct rlimit limit;

	CLAIM(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	CLAIM(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void live_within(void *argument)
{
	size_t limit = *(const size_t *)argument;
	lg_region *region;
	bool began;
	void *heap;

	limit_addresses(limit);
	region = lg_region_new(4096);
	began = region != NULL;
	CLAIM(began || errno == ENOMEM);
	lg_region_free(region);
	CLAIM(began || limit < (size_t)512 << 20);
	heap = malloc(limit / 2);
	CLAIM(!began || limit < (size_t)512 << 20 || heap != NULL);
	free(heap);
	for (size_t bytes = (size_t)64 << 10; bytes <= (size_t)1 << 30; bytes *= 4) {
		unsigned count = exhaust(bytes, ENOMEM);
		unsigned again;

		exhaust_give_back(bytes, count);
		again = exhaust(bytes, ENOMEM);
		CLAIM(again >= count);
		exhaust_give_back(bytes, again);
		CLAIM(lg_trim() == 0);
	}
	limit_addresses(RLIM_INFINITY);
	region = lg_region_new(4096);
	CLAIM(region != NULL);
	stamp_write(lg_region_data(region), 4096, 1);
	lg_region_free(region);
	account_claim_nothing_lost();
}

static void body(const struct round *round)
{
	static const size_t limits_mib[] = { 16, 64, 256, 512, 1024, 2048, 8192 };

	(void)round;
	for (unsigned i = 0; i < sizeof(limits_mib) / sizeof(limits_mib[0]); i++) {
		size_t limit = limits_mib[i] << 20;

		printf("%zu MiB\n", limits_mib[i]);
		child_claim("live_within", live_within, &limit);
	}
}

static const struct round rounds[] = {
	{ "file", "backing:file" },
	{ "anon", "backing:anon" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
