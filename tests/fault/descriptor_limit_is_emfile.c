/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program without a free descriptor gets EMFILE for what would need a new one and everything
 * else as usual; with descriptors again, all works.
 * Method: children with tiny limits, and with all descriptors used up by the program before the first
 * region or between classes. The anonymous backing needs none at all.
 * Oracle: errno, stamps, and that the program's own descriptors are still its own afterwards.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/stamp.h"

#include <fcntl.h>

enum { DESCRIPTORS_MAX = 4096 };

static int taken[DESCRIPTORS_MAX];
static unsigned taken_count;

static void limit_descriptors(rlim_t most)
{
	struct rlimit limit;

	CLAIM(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = most;
	CLAIM(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void take_all_descriptors(void)
{
	while (taken_count < DESCRIPTORS_MAX) {
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			break;
		taken[taken_count++] = fd;
	}
	CLAIM(errno == EMFILE);
}

static void give_all_descriptors_back(void)
{
	while (taken_count > 0)
		CLAIM(close(taken[--taken_count]) == 0);
}

static void use(size_t bytes)
{
	lg_region *region = lg_region_new(bytes);
	lg_region *more[20];

	CLAIM(region != NULL);
	stamp_write(lg_region_data(region), lg_region_size(region), bytes);
	for (unsigned i = 0; i < 20; i++) {
		more[i] = lg_region_new(bytes);
		CLAIM(more[i] != NULL);
		stamp_write(lg_region_data(more[i]), lg_region_size(more[i]), i);
	}
	for (unsigned i = 0; i < 20; i++)
		lg_region_free(more[i]);
	CLAIM(lg_trim() == 0);
	CLAIM(stamp_holds(lg_region_data(region), lg_region_size(region), bytes));
	lg_region_free(region);
}

static void none_from_the_start(void *unused)
{
	(void)unused;
	CLAIM(lg_configure("backing:file") == 0);
	limit_descriptors(300);
	take_all_descriptors();
	errno = 0;
	CLAIM(lg_region_new(4096) == NULL);
	CLAIM(errno == EMFILE);
	CLAIM(strstr(lg_error(), "EMFILE") != NULL);
	give_all_descriptors_back();
	use(4096);
	account_claim_nothing_lost();
}

static void none_between_classes(void *unused)
{
	(void)unused;
	CLAIM(lg_configure("backing:file,background:off") == 0);
	limit_descriptors(300);
	use(1 << 16);
	take_all_descriptors();
	use(1 << 16);
	errno = 0;
	CLAIM(lg_region_new(1 << 20) == NULL);
	CLAIM(errno == EMFILE);
	use(1 << 16);
	give_all_descriptors_back();
	use(1 << 20);
	account_claim_nothing_lost();
}

static void a_tiny_limit(void *argument)
{
	rlim_t most = *(const rlim_t *)argument;
	unsigned worked = 0;

	CLAIM(lg_configure("backing:file") == 0);
	limit_descriptors(most);
	for (size_t bytes = 4096; bytes <= (size_t)1 << 26; bytes *= 2) {
		lg_region *region = lg_region_new(bytes);

		if (!region) {
			CLAIM(errno == EMFILE);
			continue;
		}
		stamp_write(lg_region_data(region), bytes, 1);
		CLAIM(stamp_holds(lg_region_data(region), bytes, 1));
		lg_region_free(region);
		worked++;
	}
	/* 0, 1, 2 are open; every further descriptor serves a class. */
	CLAIM(most < 5 || worked > 0);
	CLAIM(most < 64 || worked == 15);
	limit_descriptors(1024);
	for (size_t bytes = 4096; bytes <= (size_t)1 << 22; bytes *= 2)
		use(bytes);
	account_claim_nothing_lost();
}

static void anon_needs_none(void *unused)
{
	(void)unused;
	CLAIM(lg_configure("backing:anon") == 0);
	limit_descriptors(100);
	take_all_descriptors();
	for (size_t bytes = 4096; bytes <= (size_t)1 << 22; bytes *= 2)
		use(bytes);
	account_claim_nothing_lost();
	give_all_descriptors_back();
}

int main(void)
{
	static const rlim_t limits[] = { 3, 4, 5, 8, 16, 64, 256, 300 };

	child_claim("none_from_the_start", none_from_the_start, NULL);
	child_claim("none_between_classes", none_between_classes, NULL);
	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		rlim_t most = limits[i];

		printf("%u descriptors\n", (unsigned)most);
		child_claim("a_tiny_limit", a_tiny_limit, &most);
	}
	child_claim("anon_needs_none", anon_needs_none, NULL);
	return EXIT_SUCCESS;
}
