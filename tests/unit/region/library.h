/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The library as a test has it in hand: started, with regions that are nobody's, and its books. */
#ifndef UNIT_REGION_LIBRARY_H
#define UNIT_REGION_LIBRARY_H

#include "base/option.h"
#include "region/backing.h"
#include "region/class.h"
#include "region/clean.h"
#include "region/reclaim.h"
#include "region/refill.h"
#include "region/start.h"
#include "region/thread.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/pager.h>

static inline bool backing_is_anon(void)
{
	return lg_option(backing) == LG_BACKING_ANON;
}

static inline bool backing_is_paged(void)
{
	return lg_option(backing) == LG_BACKING_PAGED;
}

/* Pages may be served as the options say; not so without a privilege, or by an older kernel. */
static inline bool backing_can_page(void)
{
	lg_pager *pager = lg_pager_new(lg_option(faults) == LG_PAGED_INLINE ?
					       "memory:1M,page:4K,faults:inline" :
					       "memory:1M,page:4K,faults:threads");

	if (pager == NULL)
		fprintf(stderr, "left out: %s\n", lg_error());
	return pager != NULL && lg_pager_free(pager) == 0;
}

static inline int library_start(void **state)
{
	int error = lg_start();

	(void)state;
	if (error == 0 && backing_is_paged() && !backing_can_page())
		exit(UNIT_SKIPPED);
	return error;
}

/* Between tests: everything free goes back, so that each finds the same. */
static inline int library_trim(void **state)
{
	(void)state;
	return lg_trim();
}

static inline struct lg_class_stats stats_of(unsigned class)
{
	struct lg_stats stats;

	assert_int_equal(lg_stats_read(&stats), 0);
	return stats.classes[class];
}

/* Clean regions, taken from their areas: nobody's but the test's. Ascending by address. */
static inline void take_in_hand(unsigned class, struct lg_region **regions, unsigned count)
{
	struct lg_region *run[LG_CLEAN_RUN];
	unsigned have = 0, got;

	while (have < count) {
		assert_int_equal(lg_clean_take(class, 1, run, &got), 0);
		if (got == 0)
			assert_int_equal(lg_refill(class), 0);
		for (unsigned i = got; i-- > 0;) { /* they come with the highest first */
			if (have < count)
				regions[have++] = run[i];
			else
				lg_area_give(&lg_classes[class], &run[i], 1);
		}
	}
}

static inline void give_from_hand(unsigned class, struct lg_region **regions, unsigned count)
{
	lg_area_give(&lg_classes[class], regions, count);
}

static inline void check_all_areas(void)
{
	for (unsigned class = 0; class < lg_span.classes; class ++)
		lg_area_check(&lg_classes[class]);
}

#endif
