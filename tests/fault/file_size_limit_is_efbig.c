/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: RLIMIT_FSIZE is EFBIG from the call that would need a larger backing file, never the signal
 * SIGXFSZ, which kills; within the limit, and once it is raised, all works.
 * Method: children under limits from 0 to 64 MiB allocate and write until they are refused.
 * Oracle: errno, the wait status, the stamps of what was handed out.
 */
#include "fault/child.h"
#include "fault/exhaust.h"
#include "stress/account.h"

enum { HUGE_PAGE = 2 << 20 };

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	CLAIM(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	CLAIM(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void live_within(void *argument)
{
	size_t limit = *(const size_t *)argument;
	lg_region *region;

	CLAIM(lg_configure("backing:file") == 0);
	limit_files(limit);
	for (size_t bytes = 4096; bytes <= (size_t)256 << 20; bytes *= 8) {
		unsigned count = exhaust(bytes, EFBIG);
		unsigned again;

		/* At least half of what the limit allows; files grow by huge pages at least. */
		CLAIM(limit < HUGE_PAGE || count >= limit / bytes / 2);
		CLAIM(count <= limit / bytes);
		exhaust_give_back(bytes, count);
		again = exhaust(bytes, EFBIG);
		CLAIM(again == count);
		exhaust_give_back(bytes, again);
		CLAIM(lg_trim() == 0);
	}
	limit_files(RLIM_INFINITY);
	region = lg_region_new((size_t)256 << 20);
	CLAIM(region != NULL);
	stamp_write(lg_region_data(region), (size_t)256 << 20, 1);
	lg_region_free(region);
	account_claim_nothing_lost();
}

int main(void)
{
	static const size_t limits[] = { 0, 4096, 100000, 5 << 20, 64 << 20 };

	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		size_t limit = limits[i];

		child_claim("live_within", live_within, &limit);
	}
	return EXIT_SUCCESS;
}
