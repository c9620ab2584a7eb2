/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Writers that do nothing for a test: each is in a store of its own that does not come back. The pager has flush on. */
#ifndef UNIT_PAGER_HELD_H
#define UNIT_PAGER_HELD_H

#include "pager/pager.h"
#include "pager/writer.h"
#include "stress/clock.h"
#include "unit/pager/second.h"

static struct second held[LG_THREADS_MOST + LG_CREW_SPARE];
static unsigned held_count;

/* `but` of all there are go on. */
static void hold_writers_but(unsigned but)
{
	double hang = clock_hang();

	held_count = pager->writers.threads - but;
	for (unsigned i = 0; i < held_count; i++) {
		second_make(&held[i], &shelf_ops, lg_pager_page_most(pager), NULL);
		atomic_store(&held[i].shelf.holds_writes, true);
		second_fill(&held[i], 'h', 1);
		while (atomic_load(&held[i].shelf.held) == 0) {
			assert_false(clock_passed(hang));
			lg_store_relaxed(&pager->flush_at, 1);
			lg_add_ordered(&pager->work, 1);
			lg_os_wake_all(&pager->work);
			lg_writer_wake_spare(pager);
			clock_breathe();
		}
	}
}

static void let_writers_go(void)
{
	for (unsigned i = 0; i < held_count; i++) {
		atomic_store(&held[i].shelf.holds_writes, false);
		assert_int_equal(second_end(&held[i]), 0);
	}
}

#endif
