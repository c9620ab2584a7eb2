/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A crew: threads of one kind that call the stores of maps for others. A store may not come back, and takes who is in it with it;
 * that it hangs is known a second later only. So no map has all of a crew: the last that is free goes only where none of the crew is
 * at work.
 *
 * Under a lock of the crew's, which says who may.
 */
#ifndef LG_PAGER_CREW_H
#define LG_PAGER_CREW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LG_CREW_SPARE = 2, /* threads more than are at work for one map */
	LG_HELPERS =
		1, /* of the writers, for one map: anybody may be one, so that there is no last */
};

struct lg_crew {
	uint32_t threads;
	uint32_t most; /* for one map */
	uint32_t busy;
};

/* `at_work` are the map's already: one more leaves others their last. */
static inline bool lg_crew_leaves_one(const struct lg_crew *crew, uint32_t at_work)
{
	return at_work == 0 || crew->busy + 1 < crew->threads;
}

static inline bool lg_crew_may_enter(const struct lg_crew *crew, uint32_t at_work)
{
	return lg_crew_leaves_one(crew, at_work) && at_work < crew->most;
}

static inline void lg_crew_join(struct lg_crew *crew, uint32_t *at_work)
{
	crew->busy++;
	++*at_work;
}

static inline bool lg_crew_enter(struct lg_crew *crew, uint32_t *at_work)
{
	if (!lg_crew_may_enter(crew, *at_work))
		return false;
	lg_crew_join(crew, at_work);
	return true;
}

static inline void lg_crew_leave(struct lg_crew *crew, uint32_t *at_work)
{
	crew->busy--;
	--*at_work;
}

#endif
