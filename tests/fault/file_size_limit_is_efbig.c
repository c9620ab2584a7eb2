/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: RLIMIT_FSIZE is EFBIG from the call that would need a larger backing file, never the signal
 * SIGXFSZ, which kills; within the limit, and once it is raised, all works.
 * Method: children under limits from 0 to 64 MiB allocate and write until they are refused.
 * Oracle: errno, the wait status, the stamps of what was handed out.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/stamp.h"

enum { REGIONS_MAX = 1 << 15, HUGE_PAGE = 2 << 20 };

static lg_region *regions[REGIONS_MAX];

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	CLAIM(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	CLAIM(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static unsigned take_until_refused(size_t bytes)
{
	unsigned count = 0;

	while (count < REGIONS_MAX) {
		errno = 0;
		regions[count] = lg_region_new(bytes);
		if (!regions[count])
			break;
		stamp_write(lg_region_data(regions[count]), bytes, count);
		count++;
	}
	CLAIM(count < REGIONS_MAX);
	CLAIM(errno == EFBIG);
	CLAIM(*lg_error() != '\0');
	for (unsigned i = 0; i < count; i++)
		CLAIM(stamp_holds(lg_region_data(regions[i]), bytes, i));
	return count;
}

static void live_within(void *argument)
{
	size_t limit = *(const size_t *)argument;

	CLAIM(lg_configure("backing:file") == 0);
	limit_files(limit);
	for (size_t bytes = 4096; bytes <= (size_t)256 << 20; bytes *= 8) {
		unsigned count = take_until_refused(bytes);
		unsigned again;

		/* At least half of what the limit allows; files grow by huge pages at least. */
		CLAIM(limit < HUGE_PAGE || count >= limit / bytes / 2);
		CLAIM(count <= limit / bytes);
		for (unsigned i = 0; i < count; i++)
			lg_region_free(regions[i]);
		again = take_until_refused(bytes);
		CLAIM(again == count);
		for (unsigned i = 0; i < again; i++)
			lg_region_free(regions[i]);
		CLAIM(lg_trim() == 0);
	}
	limit_files(RLIM_INFINITY);
	regions[0] = lg_region_new((size_t)256 << 20);
	CLAIM(regions[0] != NULL);
	stamp_write(lg_region_data(regions[0]), (size_t)256 << 20, 1);
	lg_region_free(regions[0]);
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
