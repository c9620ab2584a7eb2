/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: threads make pagers of their own at the same time, and none disturbs another.
 * Method: two threads make one and free it, again and again.
 * Oracle: each has the budget that it was made with; a sanitizer, for what is found out about the machine
 * is found out by each.
 */
#include "stress/crew.h"

#include <lgalloc/pager.h>

enum { THREADS = 2, ROUNDS = 200, MIB = 1 << 20 };

static void make_pagers(struct crew_member *member)
{
	char options[64];

	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t budget = (size_t)(1 + member->number + i % 8) * MIB;
		struct lg_pager_stats stats;

		snprintf(options, sizeof(options), "memory:%zu,writers:1,readers:1", budget);
		lg_pager *pager = lg_pager_new(options);
		CLAIM(pager != NULL);
		CLAIM(lg_pager_stats_read(pager, &stats) == 0);
		CLAIM(stats.budget == budget);
		CLAIM(lg_pager_free(pager) == 0);
	}
}

int main(void)
{
	static struct crew crew;
	lg_pager *pager = lg_pager_new("memory:1M");

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(lg_pager_free(pager) == 0);
	crew_start(&crew, THREADS, 0, make_pagers);
	crew_join(&crew);
	return EXIT_SUCCESS;
}
